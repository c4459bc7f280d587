"""StartCGI: hosts that are ready before they are needed (spec 2, P11)."""

from __future__ import annotations

import hashlib
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.blackbox.clients import Client, new_handle
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.proc import alive, descriptors
from tests.blackbox.warm import (
    ONE,
    PROGRAMS,
    WARM,
    call,
    held,
    holds_no_more,
    host,
    hosts,
    is_warm,
    keep,
    once,
    ready,
    wait_ready,
)


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    """Two Python hosts are ready."""
    return serve_shared(WARM, PROGRAMS)


# ---- how many


def test_StartCGI_n_hosts_are_ready_before_the_first_request(serve: Serve) -> None:
    gateway = serve("CGIActivationGroup python .py\nStartCGI 3")
    assert len(wait_ready(gateway, 3)) == 3
    assert len(hosts(gateway)) == 1


def test_a_ready_process_is_taken_and_another_takes_its_place(gateway: Gateway) -> None:
    before = wait_ready(gateway)
    answer = once(gateway)
    assert is_warm(answer) and answer.number("pid") in before
    after = wait_ready(gateway)
    assert answer.number("pid") not in after


def test_a_process_is_handed_out_once(gateway: Gateway) -> None:
    pids = [once(gateway).number("pid") for _ in range(20)]
    assert len(set(pids)) == 20


@pytest.mark.parametrize("kind", ["python .py", "perl .pl"])
def test_processes_that_were_made_together_have_nothing_of_each_other(serve: Serve, kind: str) -> None:
    gateway = serve(f"CGIActivationGroup {kind}\nStartCGI 8", PROGRAMS)
    pipes = [_own_pipes(pid) for pid in wait_ready(gateway, 8)]
    assert [len(mine) for mine in pipes] == [3] * 8 and len(set().union(*pipes)) == 24


def _own_pipes(pid: int) -> set[str]:
    return {what for what in descriptors(pid).values() if what.startswith("pipe:")}


def test_what_is_missing_is_made_again_without_another_request(serve: Serve) -> None:
    gateway = serve("CGIActivationGroup python .py\nStartCGI 8", PROGRAMS)
    for taken in (1, 3, 8):
        wait_ready(gateway, 8)
        with ThreadPoolExecutor(taken) as clients:
            pids = list(clients.map(lambda _: once(gateway).number("pid"), range(taken)))
        assert len(set(pids)) == taken
        assert not set(wait_ready(gateway, 8)) & set(pids)


def test_StartCGI_0_keeps_none_ready(serve: Serve) -> None:
    gateway = serve("CGIActivationGroup python .py", PROGRAMS)
    assert not is_warm(once(gateway)) and not is_warm(keep(gateway, "cold"))
    assert hosts(gateway) == [] and ready(gateway) == []


def test_a_burst_is_all_warm(gateway: Gateway) -> None:
    wait_ready(gateway)
    with ThreadPoolExecutor(40) as clients:
        answers = list(clients.map(lambda _: once(gateway), range(40)))
    assert all(map(is_warm, answers))
    assert len({answer.number("pid") for answer in answers}) == 40
    wait_ready(gateway)


# ---- what shares a host


@pytest.fixture(scope="module")
def various(serve_shared: Serve, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """Folders whose programs are started in ways of their own."""
    library = tmp_path_factory.mktemp("library")
    (library / "own.py").write_text("mark = 'own'\n")
    (library / "Own.pm").write_text("package Own; our $mark = 'own'; 1;\n")
    (library / "json.py").write_text("mark = 'own json'\n")
    places = {
        "library": f"SetEnv PYTHONPATH {library}\nSetEnv PERL5LIB {library}",
        "limited": "RLimitCPU 700 900\nRLimitMEM 2G 2G",
        "unlike": "CGIActivationGroup python .py interpreter=/usr/bin/python3\nCGIActivationGroup native .so",
        "more": "StartCGI 1",
        "cold": "StartCGI 0",
        "like": "PersistentCGITimeout 20",
    }
    folders = "".join(
        f'<DirectoryMatch "/cgi-bin/{name}">\n{text}\n</DirectoryMatch>\n' for name, text in places.items()
    )
    aliases = "".join(f"ScriptAlias /{name}/ cgi-bin/{name}/\n" for name in places)
    programs = {f"{name}/{file}": text for name in places for file, text in PROGRAMS.items()}
    kinds = "CGIActivationGroup python .py\nCGIActivationGroup perl .pl\nStartCGI 2\n"
    return serve_shared(kinds + aliases + folders, programs | PROGRAMS)


def test_each_way_of_starting_has_hosts_of_its_own_and_the_same_way_shares(various: Gateway) -> None:
    def commands() -> list[str]:
        return sorted(one.command.split("/")[-1].strip() for one in hosts(various))

    # plain, library, limited, more of python and perl each; unlike: another python, native, and the plain perl
    expected = ["native.py"] + ["perl.pl"] * 4 + ["python.py"] * 5
    wait_for(f"the hosts {expected}", lambda: commands() == expected)


@pytest.mark.needs("perl")
def test_settings_of_one_way_reach_no_other(various: Gateway) -> None:
    own = "import own, json; print(own.mark, json.mark)"
    answer = once(various, own, "/cgi-bin/library/one.py")
    assert is_warm(answer) and answer.text.endswith("own own json\n")
    assert not once(various, own).whole and not once(various, own, "/cgi-bin/like/one.py").whole
    perl = "require Own; print $Own::mark"
    answer = once(various, perl, "/cgi-bin/library/one.pl")
    assert is_warm(answer) and answer.text.endswith("own")
    assert not once(various, perl, "/cgi-bin/one.pl").text.endswith("own")
    for url in (ONE, "/cgi-bin/like/one.py", "/cgi-bin/one.pl"):
        look = "print(sorted(os.environ))" if url.endswith("py") else "print join ' ', sort keys %ENV"
        text = once(various, look, url).text
        assert "QUERY_STRING" in text and "PYTHONPATH" not in text and "PERL5LIB" not in text


@pytest.mark.needs("perl")
def test_a_warm_perl_program_defines_subs_in_packages_that_were_loaded_ahead(various: Gateway) -> None:
    text = "use CGI; *{'CGI::own'} = sub { 'own' }; *{'CGI::File::Temp::other'} = sub { 'other' };"
    answer = once(various, f"{text} print CGI->own, CGI::File::Temp->other", "/cgi-bin/one.pl")
    assert is_warm(answer) and answer.text.endswith("\nownother")


@pytest.mark.needs("perl")
def test_a_warm_perl_program_takes_an_upload_by_CGI(various: Gateway) -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n\0\xff\r\n--B--\r\n'
    text = "use CGI; my $file = CGI->new->upload('f'); print unpack 'H*', <$file>"
    headers = {"Content-Type": "multipart/form-data; boundary=B"}
    answer = various.request("POST", f"/cgi-bin/one.pl?{quote(text)}", body, headers)
    assert is_warm(answer) and answer.text.endswith("\n00ff")


@pytest.mark.needs("perl")
def test_perl_modules_that_speak_of_others_before_they_load_them_do_so_once(various: Gateway) -> None:
    early = "BEGIN { *early = sub { local $Carp::CarpLevel = 0; Carp::croak('too early') } } require Carp; "
    assert "\ntoo early at " in once(various, early + "eval { early() }; print $@", "/cgi-bin/one.pl").text
    taken = "sub Carp::own { 'own' } require Carp; print Carp::own(), Carp::shortmess('here')"
    assert "\nownhere at " in once(various, taken, "/cgi-bin/one.pl").text
    before = len(various.log)
    load = "BEGIN { $^W = 1 } use MODULE; eval { Carp::croak('oh') }; print 'done'"
    for module in ("POSIX", "FindBin", "File::Path", "File::Temp", "Fcntl; use IPC::Open2; use CGI"):
        answer = once(various, load.replace("MODULE", module), "/cgi-bin/one.pl")
        assert answer.text.endswith("\ndone") and is_warm(answer), module
    assert "redefined" not in various.log[before:]


def test_limits_of_one_way_reach_no_other(various: Gateway) -> None:
    tell = "import resource as r; print(r.getrlimit(r.RLIMIT_CPU), r.getrlimit(r.RLIMIT_AS))"
    answer = once(various, tell, "/cgi-bin/limited/one.py")
    assert is_warm(answer) and answer.text.endswith(f"(700, 900) ({2 << 30}, {2 << 30})\n")
    assert is_warm(plain := once(various, tell)) and plain.text.endswith("(-1, -1) (-1, -1)\n")


def test_another_interpreter_and_a_folder_without_StartCGI(various: Gateway) -> None:
    answer = once(various, "print(sys.executable)", "/cgi-bin/unlike/one.py")
    assert is_warm(answer) and answer.text.endswith("/usr/bin/python3\n")
    assert not is_warm(once(various, "", "/cgi-bin/cold/one.py"))


# ---- limits


def test_L2_MaxCGIJobs_counts_warm_processes_once_they_serve(serve: Serve, tmp_path: Path) -> None:
    gateway = serve(WARM + "MaxCGIJobs 1\nMaxPersistentCGI 1\nPersistentCGIQueueTimeout 20s", PROGRAMS)
    wait_ready(gateway)
    wait_go = f"open('{tmp_path}/runs', 'w')\nwhile not os.path.exists('{tmp_path}/go'): pass"
    with ThreadPoolExecutor() as pool:
        first = pool.submit(once, gateway, wait_go)
        wait_for("the first", (tmp_path / "runs").exists)
        second = Client(gateway, ONE)
        wait_ready(gateway)
        (tmp_path / "go").touch()
        assert is_warm(first.result()) and is_warm(second.answer())


def test_L1_MaxPersistentCGI_holds_for_warm_sessions(serve: Serve) -> None:
    gateway = serve(WARM + "MaxPersistentCGI 1", PROGRAMS)
    assert is_warm(keep(gateway, "first"))
    late = keep(gateway, "late")
    assert is_warm(late)
    gateway.wait_log("HTS003 .*one.py la")
    wait_for("the newcomer's end", lambda: not alive(late.number("pid")))
    assert call(gateway, "late").status == 503
    assert call(gateway, "first").number("count") == 2


# ---- bodies of first requests


DIGEST = "import hashlib; d = sys.stdin.buffer.read(); print(len(d), hashlib.md5(d).hexdigest())"


@pytest.mark.parametrize("size", [0, 1, (64 << 10) - 1, 64 << 10, (64 << 10) + 1, 1 << 20])
def test_P11_first_bodies_arrive_whole_whichever_way_they_go(gateway: Gateway, size: int) -> None:
    body = os.urandom(size)
    answer = once(gateway, DIGEST, body=body)
    assert answer.text.split()[3:] == _digest(body)
    assert is_warm(answer) == (size <= 64 << 10)
    chunked = gateway.send_chunked(f"{ONE}?{quote(DIGEST)}", [body[:9], body[9:]] if size > 9 else [b"x"])
    assert chunked.text.split()[3:] == _digest(body if size > 9 else b"x")


def _digest(body: bytes) -> list[str]:
    return [str(len(body)), hashlib.md5(body).hexdigest()]


def test_Expect_100_continue_before_a_warm_start(gateway: Gateway) -> None:
    head = f"POST {ONE}?{quote(DIGEST)} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
    with gateway.connect() as sock:
        sock.sendall((head + "Expect: 100-continue\r\nConnection: close\r\n\r\n").encode())
        assert sock.recv(100).startswith(b"HTTP/1.1 100 ")
        sock.sendall(b"hello")
        answer = b""
        while more := sock.recv(4096):
            answer += more
    assert b"forked=1" in answer and " ".join(_digest(b"hello")).encode() in answer


def test_L3_HEAD_on_a_warm_program(gateway: Gateway) -> None:
    answer = gateway.request("HEAD", ONE, headers={"X-Keep": "head"})
    assert (answer.status, answer.body) == (200, b"")
    assert call(gateway, "head").number("count") == 1  # path info of a new one


def test_a_client_that_stalls_in_its_body_takes_no_process(gateway: Gateway) -> None:
    before = wait_ready(gateway)
    head = f"POST {ONE} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n"
    with gateway.connect() as sock:
        sock.sendall(head.encode() + b"some of it")
        once(gateway, "", "/cgi-bin/none")
        assert ready(gateway) == before and gateway.instances() == sorted([*before, host(gateway)])


# ---- clients that leave


def test_a_client_that_leaves_before_the_start_is_over_leaves_nothing(serve: Serve) -> None:
    gateway = serve("CGIActivationGroup python .py\nStartCGI 1", PROGRAMS)
    wait_ready(gateway, 1)
    before, warm = held(gateway), host(gateway)
    os.kill(warm, signal.SIGSTOP)
    last = keep(gateway, "last").number("pid")
    clients = [Client(gateway, f"{ONE}?{n}", X_Keep=new_handle()) for n in range(3)]
    for client in clients:
        client.leave()
    os.kill(warm, signal.SIGCONT)
    once(gateway, "", f"{ONE}/last")
    wait_for("the session's end", lambda: not alive(last))
    wait_for(
        "nothing but what is ready", lambda: gateway.instances() == sorted([warm, *wait_ready(gateway, 1)])
    )
    wait_for("the descriptors to be back", lambda: holds_no_more(gateway, before))
