"""A gateway whose status page is looked at, and sessions by the hundred."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.blackbox.credentials import guarded, write_users
from tests.browser.site import Site

COUNTER = "/cgi-bin/counter.cgi"  # compiled: hundreds of its processes are light
MANY = 500
_AT_ONCE = 16

DIRECTIVES = """
MaxPersistentCGI 600
MaxCGIJobs 700
<Directory cgi-bin>
  PersistentCGITimeout 20m
</Directory>
<Location /server-status>
  SetHandler server-status
  Require all granted
  ServerStatusControl all granted
</Location>
<Location /look>
  SetHandler server-status
  Require all granted
</Location>
<Location /users>
  SetHandler server-status
  {guarded}
  ServerStatusControl user anna
</Location>
"""


class WatchedSite(Site):
    """Everybody sees `/server-status` and may act there, nobody may at `/look`; at `/users` users come in and
    anna may act."""

    def __init__(self, folder: Path) -> None:
        self.urls: list[str] = []
        super().__init__(
            folder, DIRECTIVES.format(guarded=guarded(write_users(folder / "users", "anna", "bert")))
        )

    def begin(self, path: str = COUNTER) -> str:
        """One more session; its URL."""
        return self.call(path)

    def call(self, url: str) -> str:
        """One request of a counter; the URL of its next one."""
        answer = self.get(url)
        assert answer.status == 200, answer
        found = re.search(r'"(/cgi-bin/counter\.[a-z]+/[^"/?]+)', answer.text)
        assert found is not None, answer.text
        return found[1]

    def begin_many(self, count: int = MANY) -> None:
        """So many more, some at a time; `urls` has them."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            self.urls += pool.map(lambda _: self.begin(), range(count))
