"""Native programs under the gateway: crashes, exits and STOP RUN in the middle of a session, and new builds."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Answer, Gateway
from tests.programs.native import C_HEADERS, compiled

DIRECTIVES = """
CGIActivationGroup native .so
<DirectoryMatch "/cgi-bin/warm">
    StartCGI 1
</DirectoryMatch>
"""
# The header Name brings the handle, the query says how the call ends
C = (
    C_HEADERS
    + """
static int count;
static void head(void) {
    printf("Accept-HTSession: %s\\nContent-Type: text/plain\\n\\n%d", getenv("HTTP_NAME"), ++count);
}
int main(void) {
    const char *how = getenv("QUERY_STRING");
    if (!strcmp(how, "early")) *(volatile int *)8 = 1;
    head();
    if (!strcmp(how, "late")) { fflush(stdout); *(volatile int *)8 = 1; }
    if (!strcmp(how, "exit")) exit(0);
    return 0;
}
"""
)
COBOL = """identification division.
program-id. program.
data division.
working-storage section.
01 n pic 9 value 0.
01 handle-shown pic x(100).
01 query pic x(100).
procedure division.
    add 1 to n
    accept handle-shown from environment "HTTP_NAME"
    move spaces to query
    accept query from environment "QUERY_STRING"
    display "Accept-HTSession: " function trim(handle-shown)
    display "Content-Type: text/plain" x"0a"
    display n no advancing
    if query = "exit" stop run end-if
    goback.
"""
SOURCES = {"c": (C, ".c"), "cobol": (COBOL, ".cob")}
LANGUAGES = [
    pytest.param("c", marks=pytest.mark.needs("gcc")),
    pytest.param("cobol", marks=pytest.mark.needs("cobc")),
]


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    running = serve_shared(DIRECTIVES)
    for language, (source, suffix) in SOURCES.items():
        if shutil.which("gcc" if language == "c" else "cobc"):
            compiled(_made(running.cgi_bin / "cold" / language), source, suffix)
    shutil.copytree(running.cgi_bin / "cold", running.cgi_bin / "warm")
    return running


@pytest.fixture(params=["cold", "warm"])
def start(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def visit(gateway: Gateway, url: str, name: str) -> Answer:
    return gateway.get(url, NAME=name)


@pytest.mark.needs("gcc")
def test_a_segfault_before_the_head_is_502_and_reported_with_its_signal(gateway: Gateway, start: str) -> None:
    name, url = f"early-{start}", f"/cgi-bin/{start}/c/program.so"
    assert visit(gateway, url, name).text == "1"
    assert visit(gateway, f"{url}/{name}?early", name).status == 502
    gateway.wait_log(rf"signal 11, Segmentation fault.*{url} ")
    assert gateway.reason(f"{url}/{name}") == "crashed"


@pytest.mark.needs("gcc")
def test_a_segfault_after_the_head_cuts_the_response_and_ends_the_session(gateway: Gateway, start: str) -> None:
    name, url = f"late-{start}", f"/cgi-bin/{start}/c/program.so"
    assert visit(gateway, url, name).text == "1"
    assert not visit(gateway, f"{url}/{name}?late", name).whole
    assert gateway.reason(f"{url}/{name}") == "crashed"


@pytest.mark.parametrize("language", LANGUAGES)
def test_P3_HTS007_exit_and_stop_run_deliver_the_page_whole_and_end_the_session(
    gateway: Gateway, start: str, language: str
) -> None:
    name, url = f"exit-{language}-{start}", f"/cgi-bin/{start}/{language}/program.so"
    assert visit(gateway, url, name).text == "1"
    last = visit(gateway, f"{url}/{name}?exit", name)
    assert (last.status, last.text, last.whole) == (200, "2", True)
    assert gateway.reason(f"{url}/{name}") == "ended"
    said = [line for line in gateway.log.splitlines() if "HTS007" in line and f"{url} {name[:4]}" in line]
    assert len(said) == 1 and "instead of writing the end mark" in said[0]


@pytest.mark.needs("gcc")
def test_what_cannot_be_loaded_is_502_and_the_log_tells_why(gateway: Gateway, start: str) -> None:
    folder = gateway.cgi_bin / start
    (folder / "broken.so").write_text("no program at all, but long enough to be one" * 10)
    assert gateway.get(f"/cgi-bin/{start}/broken.so").status == 502
    gateway.wait_log(rf"\[cgi:error\].*{folder}/broken.so: .*invalid ELF header; expected a shared object")


@pytest.mark.needs("gcc")
def test_a_living_session_keeps_the_code_that_it_began_with(gateway: Gateway, start: str) -> None:
    folder = _made(gateway.cgi_bin / start / "edited")
    url = f"/cgi-bin/{start}/edited/program.so"
    built = compiled(folder, C)
    assert visit(gateway, url, f"old-{start}").text == "1"
    other = compiled(_made(folder / "other"), C.replace("++count", "100 + ++count"))
    built.write_bytes(other.read_bytes())  # in place, as cp does it
    assert visit(gateway, f"{url}/old-{start}", f"old-{start}").text == "2"
    assert visit(gateway, url, f"new-{start}").text == "101"


@pytest.mark.needs("gcc")
def test_compilers_write_a_new_file_in_the_place_of_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "one.c").write_text("int main(void) { return 0; }")
    built, command = tmp_path / "one.so", ["gcc", "-shared", "-fPIC", "-o", "one.so", "one.c"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    (tmp_path / "link.so").hardlink_to(built)
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    assert not built.samefile(tmp_path / "link.so")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder
