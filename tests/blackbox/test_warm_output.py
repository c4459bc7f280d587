"""What programs in processes of a warm host write, and the end mark behind it (P1)."""

from __future__ import annotations

import pytest

from tests.blackbox.clients import new_handle
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway
from tests.blackbox.warm import ONE, PROGRAMS, WARM, call, is_warm, keep, once


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    """Two Python hosts are ready."""
    return serve_shared(WARM, PROGRAMS)


def test_a_small_page_comes_with_its_length(gateway: Gateway) -> None:
    answer = once(gateway, "print('page')")
    assert is_warm(answer) and answer.header("content-length") == str(len(answer.body))


# What a program does with its output, and what of it arrives
OUTPUTS = {
    "wrapper as stdout": ("sys.stdout = io.TextIOWrapper(sys.stdout.buffer); print('last')", "last"),
    "detached": ("sys.stdout = io.TextIOWrapper(sys.stdout.detach()); print('last')", "last"),
    "original": ("print('first'); sys.__stdout__.write('last\\n')", "first last"),
    "reference of the first call": ("out = globals().get('out', sys.stdout); out.write('last\\n')", "last"),
    "none": ("print('last'); sys.stdout = None", "last"),
    "redirected": ("sys.stdout.flush(); os.dup2(os.open('/dev/null', os.O_WRONLY), 1); print('lost')", ""),
    "closed descriptor": ("print('last', flush=True); os.close(1)", "last"),
    "not blocking": ("os.set_blocking(1, False); print('last')", "last"),
    "subprocess": (
        "print('first', flush=True); import subprocess; subprocess.run(['echo', 'last'])",
        "first last",
    ),
    "large": ("print('x' * 100000)", "x" * 100000),
    "a full buffer": ("print('x' * 8150)", "x" * 8150),
}


@pytest.mark.parametrize("what", OUTPUTS)
def test_P1_all_that_a_warm_program_has_written_comes_before_the_mark(gateway: Gateway, what: str) -> None:
    text, expected = OUTPUTS[what]
    handle = new_handle()
    for number, ask in enumerate((keep, call, call), 1):
        answer = ask(gateway, handle, "import io\n" + text)
        assert is_warm(answer) and answer.number("count") == number
        assert answer.text.split()[3:] == expected.split()
    assert once(gateway, "", f"{ONE}/{handle}").status == 200
