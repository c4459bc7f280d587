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

CGI_BIN = ROOT / "cgi-bin"
TABLE = tomllib.loads((CGI_BIN / "start.toml").read_text())
PROGRAMS = [program for group in TABLE["groups"] for program in group["programs"]]
BUILT = [program["file"] for program in PROGRAMS if "compiler" in program]
WRITTEN = [program["file"] for program in PROGRAMS if "compiler" not in program]
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
    gateway = serve_shared("\n".join(SAMPLE) + FOLDERS.replace("PATH tools", f"PATH {tools}"))
    for name in (*WRITTEN, "start.py", "start.toml"):
        shutil.copy(CGI_BIN / name, gateway.cgi_bin)
    shutil.copy(ROOT / "htdocs" / "style.css", gateway.htdocs)
    return gateway


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


def comm(pid: int) -> str:
    """A process's own name; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return ""


def test_it_lists_every_program_of_the_folder() -> None:
    makefile = (ROOT / "Makefile").read_text()
    compiled = re.search(r"^PROGRAMS := (.*)$", makefile, re.M)
    assert compiled is not None
    assert sorted(BUILT) == sorted(name.removeprefix("$(OUT)/") for name in compiled[1].split())
    scripts = {file.name for suffix in ("py", "pl", "sh") for file in CGI_BIN.glob(f"*.{suffix}")}
    assert set(WRITTEN) == scripts - {"start.py"}


def test_a_ready_program_is_a_link_with_its_language_and_its_way_of_living(site: Gateway) -> None:
    start = page(site, "/tools/start.py")
    assert start.links() == [f"/tools/{name}" for name in WRITTEN]
    assert start.item("counter.py").startswith("counter.py Python, returning to the python host ")
    assert start.item("counter.pl").startswith("counter.pl Perl, returning to the perl host ")
    assert start.item("counter.sh").startswith("counter.sh Bash, looping ")
    assert all("apt-get" not in start.item(name) for name in WRITTEN)


def test_a_program_that_is_not_built_says_which_command_builds_it(site: Gateway) -> None:
    start = page(site, "/tools/start.py")
    for name in BUILT:
        assert start.item(name).endswith(" Not built: run make programs")
    assert f"{len(WRITTEN)} of {len(PROGRAMS)} are ready." in site.get("/tools/start.py").text


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
    assert start.links() == ["/bare/counter.py"]  # which runs on the gateway's own
    assert start.item("counter.pl").endswith(" Its interpreter is missing: apt-get install perl (on Debian)")
    assert start.item("counter.sh").endswith(" Its interpreter is missing: apt-get install bash (on Debian)")


def test_a_program_that_is_built_becomes_a_link(site: Gateway) -> None:
    files = [built(site, name) for name in BUILT]
    start = page(site, "/bare/start.py")  # it needs no compiler any more
    assert start.links() == ["/bare/counter.py", *(f"/bare/{name}" for name in BUILT)]
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
    assert start.links() == [f"/cgi-bin/{program['file']}" for program in PROGRAMS]
    for link in start.links():
        answer = site.get(link)
        for count in range(1, 4):
            assert (answer.status, f"<output>{count}</output>" in answer.text) == (200, True), (link, answer)
            counter = Markup(answer.text)
            assert counter.problems == []
            (form,) = counter.all("form")
            answer = site.post(form["action"], b"note=a+note")
        assert "<output>5</output>" in site.get(f"{form['action']}?end").text
        assert site.reason(form["action"]) == "ended"
    for name in BUILT:
        (site.cgi_bin / name).unlink()


def test_links_lead_to_the_folder_by_the_name_that_it_was_called_by(site: Gateway) -> None:
    odd = page(site, quote(ODD) + "start.py")
    assert odd.problems == []
    assert odd.links()[0] == quote(ODD) + "counter.py"
    assert site.get(odd.links()[0]).status == 200


def test_nothing_of_a_request_gets_into_the_page(site: Gateway) -> None:
    plain = site.get("/cgi-bin/start.py").body
    tag = quote("<script>")
    for path in (f"/cgi-bin/start.py/{tag}?{tag}", f"/?{tag}"):
        assert site.get(path, User_Agent="<script>", Cookie="a=<script>").body == plain


def test_its_markup_is_whole_and_needs_nothing_from_elsewhere(site: Gateway) -> None:
    for path in ("/", "/tools/start.py", "/bare/start.py"):
        assert page(site, path).problems == []
    (style,) = page(site, "/").all("link")
    sheet = site.get(style["href"])
    assert sheet.status == 200 and str(sheet.header("content-type")).startswith("text/css")
    assert "url(" not in sheet.text and "@import" not in sheet.text


def test_the_table_beside_it_is_not_shown(site: Gateway) -> None:
    assert site.get("/cgi-bin/start.toml").status == 403


@pytest.mark.needs("chromium")
def test_a_browser_shows_it(site: Gateway, tmp_path: Path) -> None:
    command = [
        "chromium",
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={tmp_path}",
        "--dump-dom",
    ]
    url = f"http://127.0.0.1:{site.port}/"
    shown = subprocess.run([*command, url], capture_output=True, text=True, timeout=60, check=True).stdout
    assert Markup(shown.partition("<!DOCTYPE html>")[2]).links() == page(site, "/").links()
