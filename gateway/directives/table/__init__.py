"""The one table: every setting the gateway obeys (spec 3). Parser, checker, dump and reference read it.

One row, one place: a directive is added to the file of its group.
"""

from __future__ import annotations

from typing import Any

from gateway.directives.directive import Directive
from gateway.directives.table.access import *
from gateway.directives.table.cgi import *
from gateway.directives.table.clients import *
from gateway.directives.table.conditional import *
from gateway.directives.table.files import *
from gateway.directives.table.http import *
from gateway.directives.table.logs import *
from gateway.directives.table.processes import *
from gateway.directives.table.server import *
from gateway.directives.table.sessions import *
from gateway.directives.table.tls import *

DIRECTIVES: tuple[Directive[Any], ...] = tuple(
    row for row in list(globals().values()) if isinstance(row, Directive)
)
