"""What the status page of a front is made of, put together."""

from __future__ import annotations

from typing import NamedTuple

from gateway.access.guard import Guard
from gateway.control.overview import Overview
from gateway.control.seek import Seeker
from gateway.logs.access.masks import Masks
from gateway.logs.error import ErrorLog
from gateway.sessions.keeper import KeeperLink
from gateway.sessions.registry import Registry
from gateway.sessions.starter import Starter
from gateway.status import answers
from gateway.status.actions import Actions, Services
from gateway.status.events import Broadcast
from gateway.status.page import templates
from gateway.status.permission import Permissions
from gateway.status.snapshot import Snapshots, Sources
from gateway.status.usage import Usage
from gateway.status.warm import WarmHosts


class Parts(NamedTuple):
    """Whom the page asks."""

    overview: Overview
    registry: Registry
    starter: Starter
    link: KeeperLink
    seeker: Seeker
    masks: Masks


def load_files() -> None:
    """Load what the page needs, while it may be read: this module's own imports, and the templates."""
    templates()


def made(parts: Parts, guard: Guard, key: bytes, log: ErrorLog, front: answers.Front) -> answers.StatusPage:
    """The status page of a front; `key` is the gateway's."""
    overview, registry, starter, link, seeker, masks = parts
    snapshots = Snapshots(Sources(overview, registry, starter, masks, WarmHosts(starter, link), Usage()))
    services = Services(registry, seeker, masks, Permissions(guard, key), log)
    charts = answers.Charts(front.series)
    broadcast = Broadcast(snapshots, registry, charts, log)
    return answers.StatusPage(answers.Parts(snapshots, Actions(services), services, broadcast, charts, front))
