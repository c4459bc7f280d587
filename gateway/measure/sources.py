"""What is asked for when the measures are read, not counted beforehand."""

from typing import NamedTuple


class Traffic(NamedTuple):
    """Connections that are there, how many there may be (MaxConnections), and the bytes of all since the front
    began."""

    connections: int = 0
    most: int = 0
    received: int = 0
    sent: int = 0


class Starts(NamedTuple):
    """Programs that run or are being started, how many may (MaxCGIJobs), and requests that wait for a start."""

    jobs: int
    most: int
    waiting: int


class History(NamedTuple):
    """What the keeper has seen since it began: reloads that were carried out, reloads that were not (the old
    settings stayed), fronts that died; why the last reload was refused, "" if it was not."""

    reloads: int = 0
    refused: int = 0
    failures: int = 0
    refusal: str = ""
