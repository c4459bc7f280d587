"""Hosts: activation groups for returning programs. They run in other processes; nothing is imported here."""

import os
from collections.abc import Mapping

_HERE = os.path.dirname(os.path.abspath(__file__))
FILES: Mapping[str, str] = {"python": os.path.join(_HERE, "python.py")}
