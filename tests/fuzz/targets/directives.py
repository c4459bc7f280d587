"""A whole directives file: expanded, assembled, built, and asked."""

from __future__ import annotations

from pathlib import Path

from gateway.directives.assemble import _MAX_SUGGESTIONS, Assembler
from gateway.directives.build import build
from gateway.directives.expand import Expander
from gateway.directives.grammar import join_words, split_words
from gateway.directives.log_names import unknown_formats
from gateway.directives.problems import Place
from gateway.directives.report import dump
from gateway.directives.settings import Assignment
from gateway.directives.steering import ROWS
from tests.fuzz.target import Target

_ROOT, _FILE, _OTHER = "/srv/www", "/srv/www/conf/gateway.conf", "/srv/www/other.conf"
_DUMPED_EACH = 8  # of so many inputs one is written out with all its rows
_REPOSITORY = Path(__file__).resolve().parents[3]


class Sources:
    """Two files in memory: the one that is read, and one for Include."""

    def __init__(self, text: str) -> None:
        self._texts = {_FILE: text, _OTHER: "Timeout 10\nInclude conf/gateway.conf\n"}

    def find(self, pattern: str) -> list[str]:
        """A file by its name, all by `*`."""
        return sorted(self._texts) if pattern.endswith("*") else [pattern] if pattern in self._texts else []

    def real(self, path: str) -> str:
        """There are no links."""
        return path

    def exists(self, path: str) -> bool:
        """For IfFile."""
        return path in self._texts

    def read(self, path: str) -> str:
        """Raises OSError."""
        if path not in self._texts:
            raise FileNotFoundError(2, "No such file or directory")
        return self._texts[path]


def check(data: bytes) -> None:
    """It is read, or problems with their places say why not; values are written and read again."""
    text = data.decode("utf-8", "surrogateescape")
    whole = Place(_FILE, 0)
    expander = Expander(Sources(text), _ROOT, {"D": "d"}, {"HOME": "/root", "Q": '"'})
    expander.read(_FILE, whole)
    assembler = Assembler(whole, expander.root)
    assembler._suggestions = _MAX_SUGGESTIONS - 2  # one costs as much as all the rest
    assembler.run(expander.statements)
    problems = [*expander.problems, *assembler.problems, *unknown_formats(assembler.main)]
    notices = [*expander.notices, *assembler.notices]
    lines = text.count("\n") + 1
    for place, said in (*problems, *notices):
        assert said and (place.file == _OTHER or 0 <= place.line <= lines), (place, said)
    for assignment in assembler.assignments:
        _check_written(assignment, expander.root)
    if problems:
        return
    configuration = build(_FILE, expander.root, assembler.main, assembler.assignments, notices)
    for host in (configuration.server, *configuration.hosts):
        inner = host.lookup("/cgi-bin/a/b", "/srv/www/cgi-bin/a")
        if not host.varies_below("/cgi-bin/a"):
            assert host.lookup("/cgi-bin/a/x", None) is host.lookup("/cgi-bin/a", None)
        assert inner is host.lookup("/cgi-bin/a/b", "/srv/www/cgi-bin/a")
    if not len(data) % _DUMPED_EACH:
        assert not any("\n" in line for line in dump(configuration))
    configuration.select("127.0.0.1", 80, text[:40])


def _check_written(assignment: Assignment, root: str) -> None:
    """What `dump` would write gives the same lines when it is read."""
    row, value, _ = assignment
    written = [split_words(join_words(words)) for words in row.reader.lines(value)]
    if any(words and words[0].startswith("<") for words in written):
        return  # a group of Require is more than its words
    values = [row.reader.read(words, root) for words in written]
    if values:
        again = values[0] if len(values) == 1 else row.merging.within(values)
        assert [list(words) for words in row.reader.lines(again)] == written, row.name


SEEDS = [
    (_REPOSITORY / "conf" / "gateway.conf").read_bytes(),
    b"Listen 8080\nServerName a.b\n<VirtualHost *:8080>\nServerAlias *.b\nDocumentRoot d\n</VirtualHost>\n",
    b"<Directory ~ ^/srv>\nRequire ip 10.0.0.0/8\n<RequireAny>\nRequire user a\n</RequireAny>\n</Directory>\n",
    b"<IfModule mod_cgid.c>\nInclude other.conf\n</IfModule>\nSetEnvIf Referer (a+) x=$1\nDefine A 1\n",
    b'LogFormat "%h %{a}i" x\nCustomLog logs/a x\nLogLevel warn cgi:debug\nRedirect 302 /a http://b/\n',
]
WORDS = [
    *(row.name.encode() + b" " for row in ROWS.values()),
    b"<", b"</", b">", b"\n", b'"', b"\\", b"${", b"${Q}", b"~", b" ", b"*:80", b"/a", b"[b-a]", b"(", b"10s",
    b"1M",
    b"cgi-script", b"+ExecCGI", b".py", b"On", b"Off", b"all", b"granted", b"http://a/", b"%h", b"other.conf",
    b"*",
]  # fmt: skip
TARGET = Target("directives files", check, SEEDS, WORDS, longest=1024)
