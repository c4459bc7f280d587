"""docs/writing-programs.md: every example runs under a real gateway; see test_messages.py for its table."""

from __future__ import annotations

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway
from tests.docs.examples import Example, examples, page

PAGE = "writing-programs.md"
EXAMPLES = examples(PAGE)
GROUPS = re.search(r"^```apache\n(.*?)^```$", page(PAGE), re.DOTALL | re.MULTILINE)
PLAIN = [name for name in EXAMPLES if name.startswith("hello")]
STAYING = [name for name in EXAMPLES if name.startswith("visits")]
LOOPING = [name for name in STAYING if "-loop" in name]
SHARED = re.search(r"^```apache shared\n(.*?)^```$", page(PAGE), re.DOTALL | re.MULTILINE)
GUESTS = ["guests.py", "guests-loop.py"]
OTHERS = [*GUESTS, "order.py", "upload.py", "progress.py", "together.py"]


def cases(names: list[str]) -> list[object]:
    """A case for each example, with what it needs."""
    return [
        pytest.param(EXAMPLES[name], marks=pytest.mark.needs(*EXAMPLES[name].tool), id=name) for name in names
    ]


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    """A gateway with the groups that the page names."""
    assert GROUPS and SHARED
    return serve_shared(GROUPS[1] + SHARED[1])


def again(text: str) -> str:
    """Where the page's link leads."""
    found = re.search(r'href="([^"]+)"', text)
    assert found, text
    return found[1]


def test_every_example_of_the_page_is_tested() -> None:
    assert sorted(EXAMPLES) == sorted([*PLAIN, *STAYING, *OTHERS])
    assert {EXAMPLES[name].language for name in PLAIN} == {"sh", "python", "perl", "c", "cobol"}
    assert {EXAMPLES[name].language for name in STAYING if name not in LOOPING} == {
        "python",
        "perl",
        "c",
        "cobol",
    }
    assert {EXAMPLES[name].language for name in LOOPING} == {"python", "perl", "bash", "c"}


@pytest.mark.parametrize("example", cases(PLAIN))
def test_a_plain_example_answers(gateway: Gateway, example: Example) -> None:
    answer = gateway.get(example.put(gateway))
    assert (answer.status, answer.header("content-type")) == (200, "text/plain")
    assert answer.text == "Hello, 127.0.0.1\n"


@pytest.mark.parametrize("example", cases(STAYING))
def test_an_example_that_stays_counts_its_visits(gateway: Gateway, example: Example) -> None:
    path = example.put(gateway)
    first = gateway.get(path)
    assert (first.status, first.header("content-type")) == (200, "text/html")
    link = again(first.text)
    assert link.startswith(f"{path}/")
    texts = [first.text, *(gateway.get(link).text for _ in range(2))]
    assert [re.findall(r"<p>Visit (\d+)\.", text) for text in texts] == [["1"], ["2"], ["3"]]
    assert again(gateway.get(path).text) != link


@pytest.mark.needs("perl", "bash", "cc")
@pytest.mark.parametrize("hosted", [False, True])
def test_the_looping_examples_clean_up_when_the_session_is_over(serve: Serve, hosted: bool) -> None:
    assert GROUPS
    gateway = serve(GROUPS[1] if hosted else "")
    for name in LOOPING:
        gateway.get(again(gateway.get(EXAMPLES[name].put(gateway)).text))
    gateway.stop()
    assert gateway.log.count("visits-loop is over after 2") == len(LOOPING) == 4


CLEANING = {
    "atexit.py": "import atexit, os, sys\n"
    "atexit.register(lambda: print('cleaned by', sys.argv[0], file=sys.stderr))\n"
    "if __name__ == '__main__':\n"
    "    print(f'Accept-HTSession: {os.environ[\"HTSESSION_NEXT_HANDLE\"]}\\nContent-Type: text/plain\\n')\n",
    "end.pl": 'END { print STDERR "cleaned by $0\\n" }\n'
    'print "Accept-HTSession: $ENV{HTSESSION_NEXT_HANDLE}\\nContent-Type: text/plain\\n\\n";\n',
    "atexit.c": """
#include <stdio.h>
#include <stdlib.h>

static int registered;
static void clean(void) { fprintf(stderr, "cleaned by /atexit.so\\n"); }

int main(void) {
    if (!registered++)
        atexit(clean);
    printf("Accept-HTSession: %s\\nContent-Type: text/plain\\n\\n", getenv("HTSESSION_NEXT_HANDLE"));
    return 0;
}
""",
}


@pytest.mark.needs("perl", "cc")
@pytest.mark.parametrize("started", ["cold", "warm"])
def test_what_a_returning_program_leaves_for_the_end_runs_when_the_session_is_over(
    serve: Serve, started: str
) -> None:
    assert GROUPS
    gateway = serve(f"{GROUPS[1]}\nStartCGI {int(started == 'warm')}")
    for name, text in CLEANING.items():
        gateway.program(name, text)
    command = ["cc", "-shared", "-fPIC", "-o", "atexit.so", "atexit.c"]
    subprocess.run(command, check=True, cwd=gateway.cgi_bin)
    for program in ("atexit.py", "end.pl", "atexit.so"):
        assert gateway.get(f"/cgi-bin/{program}").status == 200
    gateway.stop()
    assert sorted(re.findall(r"cleaned by \S*/(\S+)", gateway.log)) == ["atexit.py", "atexit.so", "end.pl"]


def test_the_order_takes_each_form_once(gateway: Gateway) -> None:
    start = gateway.get(EXAMPLES["order.py"].put(gateway))
    first = re.findall(r'action="([^"]+)"', start.text)[0]
    taken = gateway.post(first, b"line=2+%3Cpens%3E")
    assert taken.status == 303
    shown = gateway.get(str(taken.header("location")))
    assert "<li>2 &lt;pens&gt;</li>" in shown.text
    sent_twice = gateway.post(first, b"line=2+%3Cpens%3E")
    assert (sent_twice.status, sent_twice.header("x-htsession-ended")) == (410, "replaced")
    newest = re.findall(r'action="([^"]+)"', shown.text)[0]
    end = gateway.post(newest, b"line=paper")
    assert gateway.get(str(end.header("location"))).text.count("<li>") == 2


def test_the_upload_is_found(gateway: Gateway) -> None:
    path = EXAMPLES["upload.py"].put(gateway)
    body = (
        b'--limit\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n'
        b'--limit\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n\0\xff\r\n\r\n'
        b"--limit--\r\n"
    )
    assert (
        gateway.post(path, body, Content_Type="multipart/form-data; boundary=limit").text == "a.bin 4 bytes\n"
    )


def test_the_progress_is_told(gateway: Gateway) -> None:
    answer = gateway.get(EXAMPLES["progress.py"].put(gateway))
    assert answer.text == "step 1 of 3\nstep 2 of 3\nstep 3 of 3\n"
    assert answer.header("transfer-encoding") == "chunked"  # it was on its way before its length was known


@pytest.mark.parametrize("name", GUESTS)
def test_the_guests_meet_in_one_process(gateway: Gateway, name: str) -> None:
    path = EXAMPLES[name].put(gateway)
    ada, bob = (gateway.get(path).text for _ in range(2))
    assert "<p>Visit 1. 1 here." in ada and "<p>Visit 1. 2 here." in bob
    assert "<p>Visit 2. 2 here." in gateway.get(again(ada)).text
    assert gateway.request("HEAD", path).status == 200  # begins no session: HTSESSION_ENDED names it
    assert "<p>Visit 2. 2 here." in gateway.get(again(bob)).text
    assert "Good-bye. 1 stay." in gateway.get(f"{again(bob)}?leave").text
    assert gateway.reason(again(bob)) == "ended"
    assert "<p>Visit 3. 1 here." in gateway.get(again(ada)).text


def test_the_lock_counts_right_with_many_at_once(gateway: Gateway, pool: ThreadPoolExecutor) -> None:
    path = EXAMPLES["together.py"].put(gateway)
    totals = pool.map(lambda _: int(gateway.get(path).text), range(16))
    assert sorted(totals) == list(range(1, 17))
