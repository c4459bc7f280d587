"""The start page lists every program that comes along, what state it is in, and what to do for the others."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import ROOT, Gateway, wait_for
from tests.blackbox.markup import Markup
from tests.blackbox.proc import comm

CGI_BIN = ROOT / "cgi-bin"
TABLE = tomllib.loads((CGI_BIN / "start.toml").read_text())
PROGRAMS = [program for group in TABLE["groups"] for program in group["programs"]]
BUILT = [program["file"] for program in PROGRAMS if "compiler" in program]
WRITTEN = [program["file"] for program in PROGRAMS if "compiler" not in program]
HOSTED = [program["file"] for program in PROGRAMS if program["language"] == "Python"]
# Beside the names of the sample file: the same folder with every tool, without any, and under an odd name
SAMPLE = re.findall(
    r"^(?:DirectoryIndex|CGIActivationGroup|StartCGI) .*$", (ROOT / "conf/gateway.conf").read_text(), re.M
)
ODD = "/o'd&<i>d\"/"
FOLDERS = r"""
ScriptAlias /tools/ cgi-bin/
ScriptAlias /bare/ cgi-bin/
ScriptAlias "/o'd&<i>d\"/" cgi-bin/
<Location /tools/>
  SetEnv PATH tools
</Location>
<Location /bare/>
  SetEnv PATH /nowhere
</Location>
"""


@pytest.fixture(scope="module")
def site(serve_shared: Serve, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """A gateway on the sample's programs, none of them compiled."""
    tools = tmp_path_factory.mktemp("tools")
    for command in TABLE["packages"]:
        (tools / command).symlink_to("/bin/true")
    data = f"\nSetEnv PROGRAM_DATA {tmp_path_factory.mktemp('data')}\nSetEnv BROWSE_FILE {__file__}\n"
    gateway = serve_shared("\n".join(SAMPLE) + data + FOLDERS.replace("PATH tools", f"PATH {tools}"))
    copy(gateway.cgi_bin)
    shutil.copytree(ROOT / "htdocs", gateway.htdocs, dirs_exist_ok=True)
    return gateway


def copy(folder: Path) -> None:
    """The programs as they are written."""
    ignored = shutil.ignore_patterns(*BUILT, "__pycache__", ".build-*")
    shutil.copytree(CGI_BIN, folder, symlinks=True, ignore=ignored, dirs_exist_ok=True)


def runs(start: Markup) -> list[str]:
    """The links that lead to programs."""
    return [link for link in start.links() if "?" not in link and "#" not in link]


def page(site: Gateway, path: str) -> Markup:
    answer = site.get(path)
    assert (answer.status, answer.header("content-type")) == (200, "text/html; charset=utf-8"), answer
    return Markup(answer.text)


def built(site: Gateway, name: str) -> Path:
    """A file as if it had been compiled."""
    return site.program(name, "")


def test_a_folder_shows_the_start_page_unless_it_has_an_index_of_its_own(site: Gateway) -> None:
    assert site.get("/").body == site.get("/cgi-bin/start.py").body
    index = site.htdocs / "index.html"
    index.write_text("mine")
    assert site.get("/").text == "mine"
    index.unlink()


def test_it_is_a_plain_program_that_leaves_no_process_and_no_session(site: Gateway) -> None:
    assert "session" not in str(site.get("/").fields).lower()
    wait_for("its process to be gone", lambda: "start.py" not in names(site))


def names(site: Gateway) -> str:
    """The names of the running programs, whether started warm or cold."""
    texts = [f"{command} {comm(pid)}" for pid, command in site.children().items()]
    return "\n".join(texts)


def test_it_lists_every_program_of_the_folder() -> None:
    makefile = (ROOT / "Makefile").read_text()
    compiled = re.search(r"^PROGRAMS := (.*)$", makefile, re.M)
    assert compiled is not None
    assert sorted(BUILT) == sorted(name.removeprefix("$(OUT)/") for name in compiled[1].split())
    files = [file for suffix in ("py", "pl", "sh") for file in CGI_BIN.glob(f"**/*.{suffix}")]
    names = {str(file.relative_to(CGI_BIN)) for file in files if not {"common", "game"} & set(file.parts)}
    assert set(WRITTEN) == names - {"start.py"}


def test_a_ready_program_is_a_link_with_its_language_and_its_way_of_living(site: Gateway) -> None:
    start = page(site, "/tools/start.py")
    assert runs(start) == [f"/tools/{name}" for name in WRITTEN]
    assert start.item("counter.py").startswith("counter.py Python, returning to the python host ")
    assert start.item("counter.pl").startswith("counter.pl Perl, returning to the perl host ")
    assert start.item("counter.sh").startswith("counter.sh Bash, looping ")
    assert all("apt-get" not in start.item(name) for name in WRITTEN)


def test_a_program_that_is_not_built_says_which_command_builds_it(site: Gateway) -> None:
    start = page(site, "/tools/start.py")
    for name in BUILT:
        assert start.item(name).endswith(" Not built: run make programs")
    counters = len(TABLE["groups"][0]["programs"])
    assert f"{counters - len(BUILT)} of {counters} are ready." in site.get("/tools/start.py").text


def test_a_missing_compiler_is_told_with_the_package_that_brings_it(site: Gateway) -> None:
    start = page(site, "/bare/start.py")
    c = " Not built: apt-get install gcc libc6-dev (on Debian), then make programs"
    assert start.item("counter.cgi").endswith(c)
    assert start.item("counter.so").endswith(c)
    assert start.item("counter-cob.so").endswith(
        " Not built: apt-get install gnucobol (on Debian), then make programs"
    )


def test_a_missing_interpreter_is_told_with_the_package_that_brings_it(site: Gateway) -> None:
    start = page(site, "/bare/start.py")
    assert runs(start) == [f"/bare/{name}" for name in HOSTED]  # which run on the gateway's own
    assert start.item("counter.pl").endswith(" Its interpreter is missing: apt-get install perl (on Debian)")
    assert start.item("counter.sh").endswith(" Its interpreter is missing: apt-get install bash (on Debian)")


def test_a_program_that_is_built_becomes_a_link(site: Gateway) -> None:
    files = [built(site, name) for name in BUILT]
    start = page(site, "/bare/start.py")  # it needs no compiler any more
    ready = [*HOSTED, *BUILT]
    assert runs(start) == [f"/bare/{program['file']}" for program in PROGRAMS if program["file"] in ready]
    assert " are ready." not in site.get("/tools/start.py").text
    for file in files:
        file.unlink()


def test_what_may_not_be_run_says_so_by_the_rules_of_the_gateway(site: Gateway) -> None:
    looping, returning = site.cgi_bin / "counter.sh", site.cgi_bin / "counter.py"
    for file in (looping, returning):
        file.chmod(0o644)  # enough for a host, which reads the file
    start = page(site, "/tools/start.py")
    assert start.item("counter.sh").endswith(" It may not be run: chmod +rx counter.sh")
    assert "/tools/counter.py" in start.links() and site.get("/tools/counter.py").status == 200
    assert site.get("/cgi-bin/counter.sh").status == 403
    for file in (looping, returning):
        file.chmod(0o755)


def test_a_program_whose_file_was_taken_away_is_told(site: Gateway) -> None:
    file = site.cgi_bin / "counter.pl"
    kept = file.rename(file.with_suffix(".kept"))
    assert page(site, "/").item("counter.pl").endswith(" The file is missing.")
    kept.rename(file)


@pytest.mark.needs("make", "gcc", "cobc", "perl", "bash")
def test_every_link_leads_to_a_counter_that_counts(site: Gateway) -> None:
    subprocess.run(["make", "--silent", "programs", f"OUT={site.cgi_bin}"], cwd=ROOT, check=True)
    start = page(site, "/")
    assert runs(start) == [f"/cgi-bin/{program['file']}" for program in PROGRAMS]
    for link in (link for link in runs(start) if "/counter" in link):
        answer = site.get(link)
        for count in range(1, 4):
            assert (answer.status, f"<output>{count}</output>" in answer.text) == (200, True), (link, answer)
            counter = Markup(answer.text)
            assert counter.problems == []
            (form,) = counter.all("form")
            answer = site.post(form["action"], b"note=a+note")
            assert site.reason(form["action"]) == "replaced"
        (form,) = Markup(answer.text).all("form")
        assert "<output>5</output>" in site.get(f"{form['action']}?end").text
        assert site.reason(form["action"]) == "ended"
    for name in BUILT:
        (site.cgi_bin / name).unlink()


def test_links_lead_to_the_folder_by_the_name_that_it_was_called_by(site: Gateway) -> None:
    odd = page(site, quote(ODD) + "start.py")
    assert odd.problems == []
    assert runs(odd)[0] == quote(ODD) + "counter.py"
    assert site.get(runs(odd)[0]).status == 200
    (source,) = [link for link in odd.links() if link.endswith("?source=counter.sh")]
    assert source.startswith(quote(ODD)) and site.get(source).status == 200


def test_nothing_of_a_request_gets_into_the_page(site: Gateway) -> None:
    plain = site.get("/cgi-bin/start.py").body
    tag = quote("<script>")
    for path in (f"/cgi-bin/start.py/{tag}?{tag}", f"/?{tag}"):
        assert site.get(path, User_Agent="<script>", Cookie="a=<script>").body == plain


def test_its_markup_is_whole_and_needs_nothing_from_elsewhere(site: Gateway) -> None:
    for path in ("/", "/tools/start.py", "/bare/start.py"):
        assert page(site, path).problems == []
    icon, style = (site.get(link["href"]) for link in page(site, "/").all("link"))
    assert (icon.status, icon.header("content-type")) == (200, "image/svg+xml")
    assert style.status == 200 and str(style.header("content-type")).startswith("text/css")
    assert "url(" not in style.text and "@import" not in style.text


def test_the_table_beside_it_is_not_shown(site: Gateway) -> None:
    assert site.get("/cgi-bin/start.toml").status == 403


@pytest.mark.needs("perl")
def test_a_missing_package_is_told_with_the_command_that_brings_it(site: Gateway) -> None:
    folder = site.cgi_bin / "lacking"
    copy(folder)
    table = (folder / "start.toml").read_text()
    table = table.replace("\n[modules]", '\n[modules]\nnone_such = "none-such<>"\n#')
    table = table.replace("\n[perl]", '\n[perl]\nstrict = "perl"\n"No::Such" = "libno-such-perl"\n#')
    table = table.replace('file = "counter.py"', 'modules = ["json", "none_such"]\nfile = "counter.py"')
    for file, module in (("counter.pl", "No::Such"), ("doctor.pl", "strict")):
        table = table.replace(f'file = "{file}"', f'file = "{file}"\nmodules = ["{module}"]', 1)
    table = table.replace('modules = ["CGI"]\n', "")
    (folder / "start.toml").write_text(table)
    start = page(site, "/cgi-bin/lacking/start.py")
    assert start.problems == []
    assert start.item("counter.py").endswith(
        " Its package none_such is missing: pip install none-such<>, or start by make serve"
    )
    assert start.item("counter.pl").endswith(
        " Its module No::Such is missing: apt-get install libno-such-perl (on Debian)"
    )
    assert {"/cgi-bin/lacking/counter.py", "/cgi-bin/lacking/counter.pl"}.isdisjoint(runs(start))
    assert "/cgi-bin/lacking/doctor.pl" in runs(start)


def test_each_group_says_where_the_state_lives_in_hangman() -> None:
    (hangman,) = [group["programs"] for group in TABLE["groups"] if group["name"] == "hangman"]
    assert len(hangman) == 8
    assert all(program["text"].startswith("The state lives in ") for program in hangman)


@pytest.mark.needs("perl", "bash")
def test_every_link_of_the_page_answers_and_leads_to_nothing_outside(site: Gateway) -> None:
    start = page(site, "/")
    jumps = {link[1:] for link in start.links() if link.startswith("#")}
    assert jumps == {attributes["id"] for _, attributes in start.elements if "id" in attributes}
    sources = [program.get("source", program["file"]) for program in [*PROGRAMS, TABLE["page"]]]
    asked = [link.partition("?source=")[2] for link in start.links() if "?" in link]
    assert asked == sources  # test_source_view.py opens each
    for link in runs(start):
        answer = site.get(link)
        if answer.status == 303:
            answer = site.get(str(answer.header("location")))
        assert answer.status == 200, (link, answer)
        assert [problem for problem in Markup(answer.text).problems if "outside" in problem] == [], link


def test_it_is_usable_by_keyboard_and_screen_reader(site: Gateway) -> None:
    start = page(site, "/")
    assert start.links()[0] == f"#{TABLE['groups'][0]['name']}"  # past the introduction
    assert start.levels == [1, *(2 for _ in TABLE["groups"]), 2]
    assert all(nav.get("aria-label") for nav in start.all("nav"))
    labels = [link.get("aria-label") for link in start.all("a") if link.get("aria-label")]
    assert len(labels) == len(set(labels)) >= len(WRITTEN)  # none is called only "source"


def test_its_head_lets_nothing_in_from_elsewhere(site: Gateway) -> None:
    for path in ("/", "/cgi-bin/start.py?source=start.py", "/cgi-bin/start.py?source=none"):
        answer = site.get(path)
        assert str(answer.header("content-security-policy")).startswith(
            "default-src 'none'; style-src 'self'; "
        )
        assert answer.header("x-content-type-options") == "nosniff"
        assert answer.header("cache-control") == "no-cache"


@pytest.mark.needs("chromium")
def test_a_browser_shows_it(site: Gateway, tmp_path: Path) -> None:
    switches = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--dump-dom"]
    url = f"http://127.0.0.1:{site.port}/"
    shown = subprocess.run(
        ["chromium", *switches, url], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert Markup(shown.partition("<!DOCTYPE html>")[2]).links() == page(site, "/").links()
