"""HTSESSION_PRELOAD: warm Python hosts load an administrator's modules before anybody asks for them."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Answer, Gateway, wait_for
from tests.blackbox.proc import alive
from tests.blackbox.users import NOBODY, OpenGateway, as_root, open_folder
from tests.blackbox.warm import ONE, PROGRAMS, WARM, is_warm, once, wait_ready

MODULE = "import os\nloaded_by = os.getpid()\n"
WATCHING = """
import os
forked = []
os.register_at_fork(before=lambda: forked.append("before"), after_in_child=lambda: forked.append("child"))
"""
LOOK = "import slow_one; print('in', slow_one.loaded_by)"


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    folder: Path = tmp_path_factory.mktemp("modules")
    (folder / "slow_one.py").write_text(MODULE)
    (folder / "broken.py").write_text("1 / 0\n")
    variables = f'SetEnv PYTHONPATH {folder}\nSetEnv HTSESSION_PRELOAD "slow_one broken codes"\n'
    gateway = serve_shared(WARM + variables, PROGRAMS)
    wait_ready(gateway)
    return gateway


def numbers(answer: Answer) -> tuple[int, int]:
    """The process, and the one that loaded the module."""
    found = re.search(r"pid=(\d+) .*in (\d+)", answer.text, re.DOTALL)
    assert found, answer.text
    return int(found[1]), int(found[2])


def test_the_modules_are_loaded_once_by_the_warm_host(gateway: Gateway) -> None:
    answers = [once(gateway, LOOK) for _ in range(3)]
    assert all(is_warm(answer) for answer in answers)
    found = [numbers(answer) for answer in answers]
    assert len({process for process, _ in found}) == 3
    assert len({loader for _, loader in found}) == 1 and not {loader for _, loader in found} & {
        one for one, _ in found
    }


def test_what_cannot_be_loaded_is_told_and_keeps_nobody_from_starting(gateway: Gateway) -> None:
    gateway.wait_log(r"HTSESSION_PRELOAD: broken: ZeroDivisionError: division by zero")
    assert is_warm(once(gateway, "pass"))


def test_the_hosts_own_modules_are_out_of_reach(gateway: Gateway) -> None:
    gateway.wait_log(r"HTSESSION_PRELOAD: codes: ModuleNotFoundError: No module named 'codes'")


def test_a_module_beside_the_script_comes_before_a_loaded_one_of_its_name(gateway: Gateway) -> None:
    folder = gateway.cgi_bin / "own"
    gateway.program("own/one.py", PROGRAMS["one.py"])
    (folder / "slow_one.py").write_text("loaded_by = 0\n")
    answer = gateway.get(
        f"{ONE.replace('one.py', 'own/one.py')}?import%20slow_one;print('in',slow_one.loaded_by)"
    )
    assert numbers(answer)[1] == 0


@pytest.mark.parametrize("text", ["1 / 0", "mark = 'other'"], ids=["broken", "other"])
def test_a_module_on_PYTHONPATH_in_the_place_of_a_standard_one_is_no_reason_to_start_cold(
    serve: Serve, tmp_path: Path, text: str
) -> None:
    (tmp_path / "json.py").write_text(text)
    gateway = serve(f"{WARM}SetEnv PYTHONPATH {tmp_path}\n", PROGRAMS)
    wait_ready(gateway)
    answer = once(gateway, "import json; print(json.mark)")
    if text.startswith("mark"):
        assert is_warm(answer) and answer.text.endswith("other\n")
    else:
        assert not answer.whole
        gateway.wait_log("ZeroDivisionError")


def test_a_module_that_comes_to_a_folder_without_one_counts_at_once(gateway: Gateway) -> None:
    """Of a folder that was not touched for some seconds a warm host may remember that it has none."""
    gateway.program("older/one.py", PROGRAMS["one.py"])
    folder, url = gateway.cgi_bin / "older", "/cgi-bin/older/one.py?import%20json;print(json.__file__)"
    wait_for("the folder to be of some age", lambda: time.time() - folder.stat().st_ctime > 2.5)
    for _ in range(4):
        assert str(folder) not in gateway.get(url).text.split("\n", 1)[1]
    (folder / "json.py").write_text("")
    answer = gateway.get(url)
    assert is_warm(answer) and str(folder / "json.py") in answer.text
    (folder / "json.py").unlink()
    assert str(folder) not in gateway.get(url).text.split("\n", 1)[1]


@as_root
def test_a_script_in_a_folder_that_its_user_may_not_list_runs() -> None:
    with open_folder() as folder:
        settings = f"User {NOBODY}\nCGIActivationGroup python .py interpreter=/usr/bin/python3\nStartCGI 2\n"
        gateway = OpenGateway(folder / "gateway", settings, {"one.py": PROGRAMS["one.py"]})
        gateway.cgi_bin.chmod(0o711)
        gateway.start()
        answer = once(gateway, "import json; print(json.dumps('told'))")
        assert is_warm(answer) and answer.text.endswith('"told"\n')
        assert gateway.stop() == 0


def test_a_module_that_watches_forks_hears_of_the_new_process(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "watching.py").write_text(WATCHING)
    variables = f"SetEnv PYTHONPATH {tmp_path}\nSetEnv HTSESSION_PRELOAD watching\n"
    gateway = serve(WARM + variables, PROGRAMS)
    wait_ready(gateway)
    answers = [once(gateway, "import watching; print(*watching.forked[-2:])") for _ in range(3)]
    assert all(is_warm(answer) and answer.text.endswith("before child\n") for answer in answers)


def test_modules_loaded_ahead_find_the_process_as_they_would_their_own(gateway: Gateway) -> None:
    answer = once(
        gateway,
        "import logging, random, threading; thread = threading.Thread(target=lambda: print('runs'));"
        "thread.start(); thread.join(); logging.warning('told'); first = random.random();"
        "print(threading.main_thread().native_id == os.getpid(), threading.active_count(), first)",
    )
    other = once(gateway, "import random; print(random.random())")
    words, others = answer.text.split(), other.text.split()
    assert is_warm(answer) and words[-4:-1] == ["runs", "True", "1"]
    assert words[-1] != others[-1]
    gateway.wait_log("WARNING:root:told")


def test_modules_that_were_used_ahead_show_nothing_of_it(gateway: Gateway) -> None:
    look = (
        "import logging, sqlite3; root = logging.getLogger();"
        "print(root.handlers, root.level, root.manager.loggerDict, logging.Logger.manager.disable);"
        "print(sqlite3.connect(':memory:').execute('select random()').fetchone())"
    )
    seen = [once(gateway, look).text.split("\n")[1:] for _ in range(3)]
    assert {one[0] for one in seen} == {"[] 30 {} 0"}
    assert len({one[1] for one in seen}) == 3  # SQLite's random numbers


def test_a_script_with_a_module_of_its_own_named_logging_ends_in_peace(gateway: Gateway) -> None:
    folder = gateway.cgi_bin / "logs"
    gateway.program("logs/one.py", PROGRAMS["one.py"])
    (folder / "logging.py").write_text("own = True\n")
    before = len(gateway.log)
    answer = gateway.get(f"{ONE.replace('one.py', 'logs/one.py')}?import%20logging;print(logging.own)")
    assert is_warm(answer) and answer.text.endswith("True\n")
    pid = answer.number("pid")
    wait_for("its end", lambda: not alive(pid))
    once(gateway, "sys.stderr.write('told behind it')")
    gateway.wait_log("told behind it")
    assert "Traceback" not in gateway.log[before:]


def test_without_StartCGI_it_has_no_effect(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "slow_one.py").write_text(MODULE)
    variables = f"SetEnv PYTHONPATH {tmp_path}\nSetEnv HTSESSION_PRELOAD slow_one\n"
    process, loader = numbers(once(serve(f"CGIActivationGroup python .py\n{variables}", PROGRAMS), LOOK))
    assert process == loader
