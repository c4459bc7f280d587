"""The start page shows the source of its programs: as it is, coloured, harmless, and of no other file."""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import ROOT, Gateway
from tests.blackbox.markup import Markup

CGI_BIN = ROOT / "cgi-bin"
TABLE = tomllib.loads((CGI_BIN / "start.toml").read_text())
PROGRAMS = [
    {**program, "parts": [*program.get("parts", []), *group.get("parts", [])]}
    for group in [*TABLE["groups"], {"programs": [TABLE["page"]]}]
    for program in group["programs"]
]
SHOWN = sorted({name for one in PROGRAMS for name in (one.get("source", one["file"]), *one["parts"])})
LONGEST = 100_000
NASTY = {
    "markup.py": b'"""</code></pre><script src="//elsewhere">alert(1)</script>\n<img onerror=x>&amp; {}"""\n',
    "markup.none": b"</pre><script>alert(1)</script>&lt;\n",
    "bytes.py": b"\n\n\xff\xfe = '\x00\x1b[0m\x7f' # caf\xc3\xa9 \xe2\x80\xae reversed\n\tend\n\n\n",
    "crlf.sh": b"echo 1\r\necho 2\r\n",
    "empty.py": b"",
    "endless.pl": b"print 1; # no line's end",
    "wide.c": b"int a[] = {" + b"1, " * 5_000 + b"};\n",
    "huge.py": b"x = '<b>'  # again\n" * 6_000,
}
FOUND_AS = {
    "bytes.py": "\n\n\ufffd\ufffd = '\u2400\u241b[0m\ufffd' # caf\u00e9 \ufffd reversed\n\tend\n\n\n",
    "crlf.sh": "echo 1\necho 2\n",
}
ODD = ["folder", "pipe", "out.py", "out/gateway.conf", "gone.py", "loop.py"]


class Source(Markup):
    """A page with a listing: the text of that, the elements and attributes in it, its lines' ids and links."""

    def __init__(self, page: str) -> None:
        self.text, self.inside, self.ids, self.jumps = "", set[str](), list[str](), list[str]()
        super().__init__(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if "pre" in self._open:
            self.inside |= {tag, *(name for name, _ in attrs)}
            self.ids += [str(value) for name, value in attrs if name == "id"]
            self.jumps += [str(value) for name, value in attrs if name == "href"]
        super().handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        super().handle_data(data)
        if "pre" in self._open:
            self.text += data


@pytest.fixture(scope="module")
def site(serve_shared: Serve) -> Gateway:
    """A gateway on the programs, and in /cgi-bin/odd/ on a table that names odd files."""
    gateway = serve_shared("CGIActivationGroup python .py\nStartCGI 1")
    ignored = shutil.ignore_patterns("__pycache__", ".build-*")
    shutil.copytree(CGI_BIN, gateway.cgi_bin, symlinks=True, ignore=ignored, dirs_exist_ok=True)
    odd = gateway.cgi_bin / "odd"
    shutil.copytree(CGI_BIN / "common", odd / "common", ignore=ignored)
    shutil.copy(CGI_BIN / "start.py", odd)
    rows = [f'[[groups.programs]]\nfile = "{name}"\nlanguage = ""\ntext = ""\n' for name in [*NASTY, *ODD]]
    table = '[packages]\n[[groups]]\nname = "odd"\ntitle = ""\ntext = ""\n' + "".join(rows)
    (odd / "start.toml").write_text(table + '[page]\nfile = "start.py"\ntext = ""\n')
    for name, data in NASTY.items():
        (odd / name).write_bytes(data)
    (odd / "folder").mkdir()
    os.mkfifo(odd / "pipe")
    (odd / "out.py").symlink_to(gateway.conf)
    (odd / "out").symlink_to(gateway.conf.parent)
    (odd / "loop.py").symlink_to("loop.py")
    return gateway


def source(site: Gateway, name: str, folder: str = "/cgi-bin") -> tuple[str, Source]:
    answer = site.get(f"{folder}/start.py?source={quote(name)}")
    assert (answer.status, answer.header("content-type")) == (200, "text/html; charset=utf-8"), (name, answer)
    page = Source(answer.text)
    assert (page.problems, page.levels) == ([], [1]), name
    return answer.text, page


@pytest.mark.parametrize("name", SHOWN)
def test_the_source_of_every_listed_file_shows_as_it_is(site: Gateway, name: str) -> None:
    page, found = source(site, name)
    assert found.text == (CGI_BIN / name).read_text()
    assert found.ids == [f"L{number}" for number in range(1, len(found.text.splitlines()) + 1)]
    assert found.jumps == [f"#{line}" for line in found.ids]
    assert 'class="c' in page or not name.endswith((".pl", ".sh", ".c", ".cob")), "it is not coloured"


@pytest.mark.parametrize("name", NASTY)
def test_no_markup_of_a_source_survives_and_no_byte_harms(site: Gateway, name: str) -> None:
    page, found = source(site, name, "/cgi-bin/odd")
    assert found.inside <= {"code", "span", "a", "id", "class", "href", "aria-label"}
    whole = FOUND_AS.get(name) or NASTY[name].decode()
    if len(whole) <= LONGEST:
        assert found.text == whole and "The file is longer" not in page
    else:
        assert whole.startswith(found.text) and LONGEST - 100 < len(found.text) <= LONGEST
        assert "The file is longer: this is its beginning." in page
    assert "<script" not in page and "<img" not in page


@pytest.mark.parametrize("name", ODD)
def test_what_is_no_regular_file_of_the_folder_is_not_read_even_when_it_is_listed(
    site: Gateway, name: str
) -> None:
    assert site.get(f"/cgi-bin/odd/start.py?source={name}").status == 404


def test_nothing_that_the_table_does_not_name_is_shown(site: Gateway) -> None:
    (site.cgi_bin / "counter.py~").write_text("secret")
    asked = [
        "",
        "child",
        "counter.py~",
        "counter.cgi",
        "counter-cob.so",
        "COUNTER.PY",
        "Counter.py",
        "counter.py/",
    ]
    asked += [
        "./counter.py",
        "//counter.py",
        "common//page.py",
        "common/../counter.py",
        "common",
        "common/",
        ".",
    ]
    asked += ["../conf/gateway.conf", "..", "/etc/passwd", str(site.conf), "hangman/common/page.py", "*.py"]
    asked += [
        "counter.py\0",
        "\0",
        "counter.py\n",
        " counter.py",
        "counter.py ",
        "common\\page.py",
        "file:counter.py",
    ]
    asked += [
        "%2e%2e/conf/gateway.conf",
        "counter%2epy",
        "\u202ecounter.py",
        "c\N{CYRILLIC SMALL LETTER O}unter.py",
    ]
    queries = [quote(name, safe="") for name in asked] + [
        "%ff",
        "counter%ff.py",
        "counter.py%00.txt",
        "..%2fconf",
    ]
    bodies = set()
    for query in queries:
        answer = site.get(f"/cgi-bin/start.py?source={query}")
        assert answer.status == 404, query
        bodies.add(answer.body)
    assert len(bodies) == 1  # nothing of the request gets into the page
    assert Markup(bodies.pop().decode()).problems == []


def test_the_page_leads_back_to_the_program_and_to_its_parts(site: Gateway) -> None:
    page = source(site, "doctor.py")[1]
    assert page.links()[0] == "#code"
    assert {"/cgi-bin/start.py", "/cgi-bin/doctor.py"} < set(page.links())
    assert "/cgi-bin/start.py?source=common/doctor/eliza.py" in page.links()
    assert "/cgi-bin/start.py?source=doctor.py" in source(site, "common/doctor/eliza.py")[1].links()
    assert "code" in [attributes.get("id") for attributes in page.all("pre")]


def local_imports(file: Path) -> Iterator[str]:
    """The modules beside a program that it imports, as files of cgi-bin."""
    for node in ast.walk(ast.parse(file.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            top, path = name.split(".")[0], f"{name.replace('.', '/')}.py"
            found = CGI_BIN / ("hangman" if top == "game" else "") / path
            if top in ("common", "game") and found.is_file():
                yield str(found.relative_to(CGI_BIN))


@pytest.mark.parametrize(
    "program", [one for one in PROGRAMS if one["file"].endswith(".py")], ids=lambda one: one["file"]
)
def test_a_program_names_every_part_that_it_is_made_of(program: dict[str, Any]) -> None:
    wanted, seen = [program["file"]], set[str]()
    while wanted:
        name = wanted.pop()
        if name not in seen:
            seen.add(name)
            wanted += local_imports(CGI_BIN / name)
    parts = program["parts"]
    missing = seen - {program["file"], *parts}
    assert not missing, f"start.toml: {program['file']} has no parts {sorted(missing)}"
    assert [name for name in parts if not (CGI_BIN / name).is_file()] == []


def run_here(arguments: list[str]) -> str:
    environment = {
        "SCRIPT_NAME": "/cgi-bin/start.py",
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, *arguments], cwd=CGI_BIN, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_start_page_itself_does_not_load_pygments() -> None:
    code = (
        "import runpy, sys; runpy.run_path('start.py', run_name='__main__'); print('pygments' in sys.modules)"
    )
    assert run_here(["-c", f"import sys; sys.path.insert(0, '.'); {code}"]).endswith("</html>\nFalse\n")


def test_without_pygments_the_source_shows_without_colours() -> None:
    code = "from common.start.colours import listing; print(listing('a.py', 'if a < b:\\n    pass\\n'))"
    page = run_here(["-S", "-c", f"import sys; sys.path.insert(0, '.'); {code}"])
    assert Source(page).text == "if a < b:\n    pass\n"
    assert "class=" not in page.removeprefix('<pre class="source"')


specification = importlib.util.spec_from_file_location("colours", CGI_BIN / "common" / "start" / "colours.py")
assert specification and specification.loader
colours = importlib.util.module_from_spec(specification)
specification.loader.exec_module(colours)


@given(
    st.sampled_from(["a.py", "a.pl", "a.c", "a.cob", "a.sh", "a.json", "a.txt"]),
    st.text("a1 \n\t'\"<&>#/\\*=$é"),
)
def test_any_text_comes_back_whole_line_by_line(name: str, text: str) -> None:
    found = Source(colours.listing(name, text))
    assert found.text == text
    assert len(found.ids) == text.removesuffix("\n").count("\n") + 1
