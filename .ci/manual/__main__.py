"""`python -m manual [--check]`: write the generated pages, or name those that are stale; then name every
link that leads nowhere and every page that the site would not show. The exit status is 1 when there is
something to name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from gateway.directives import reference
from manual import gateway_1, gateway_conf_5, links, web

ROOT = Path(__file__).parents[2]
PAGES: dict[str, Callable[[], str]] = {
    "docs/directives.md": reference.markdown,
    "docs/command-line.md": web.page,
    "docs/man/gateway.1": gateway_1.page,
    "docs/man/gateway.conf.5": gateway_conf_5.page,
}


def stale(root: Path) -> list[str]:
    """The pages below `root` that are missing, or not what would be written now."""
    return [name for name, page in PAGES.items() if _read(root / name) != page()]


def write(root: Path) -> None:
    """Write every page below `root`."""
    for name, page in PAGES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(page(), encoding="utf-8")


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def main(arguments: list[str]) -> int:
    """The exit status."""
    if arguments not in ([], ["--check"]):
        print(f"expected --check or nothing, found {' '.join(arguments)}", file=sys.stderr)
        return 2
    if not arguments:
        write(ROOT)
    found = [f"{name} is stale: run `make docs`" for name in stale(ROOT)] + links.problems(ROOT)
    for text in found:
        print(text, file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
