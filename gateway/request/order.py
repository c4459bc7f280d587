"""Requests whose tasks have been made and have not run yet: who came later does not overtake them (R5)."""

_DEEPEST = 32  # segments of a path that are looked at


class Ahead:
    """`segments` of their paths, as they were sent, and how many paths have each: a handle is one of them."""

    def __init__(self) -> None:
        self.segments: dict[bytes, int] = {}

    def add(self, raw_path: bytes) -> None:
        """A task was made."""
        segments = self.segments
        for segment in raw_path.split(b"/", _DEEPEST):
            segments[segment] = segments.get(segment, 0) + 1

    def begins(self, raw_path: bytes) -> None:
        """The task runs; where none was added, nothing is to be done."""
        segments = self.segments
        if not segments:
            return
        for segment in raw_path.split(b"/", _DEEPEST):
            count = segments.pop(segment, 1) - 1
            if count:
                segments[segment] = count
