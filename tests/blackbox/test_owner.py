"""A session belongs to the user who created it (spec 1, W1)."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.blackbox.clients import Client, Gate, new_handle
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.credentials import basic, guarded, write_users
from tests.blackbox.harness import BOUND, Answer, Gateway, wait_for

CHILD, OLD, MIXED = "/cgi-bin/guarded/child", "/cgi-bin/guarded/old/child", "/cgi-bin/mixed/child"
LONG = "l" * 256
LONGEST = "k" * 255


@pytest.fixture(scope="module")
def directives(tmp_path_factory: pytest.TempPathFactory) -> str:
    users = write_users(tmp_path_factory.mktemp("users") / "users", "ada", "bob", LONG, LONGEST)
    return f"""
        MaxPersistentCGI 200
        <Location /cgi-bin/guarded>
          {guarded(users)}
        </Location>
        <LocationMatch "^/cgi-bin/mixed/child/[^/]+/inner">
          {guarded(users)}
        </LocationMatch>
        <Directory cgi-bin/guarded/old>
          PersistentCGIPreviousHandles 2
        </Directory>
    """


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve, directives: str) -> Gateway:
    gateway = serve_shared(directives)
    for name in ("guarded/child", "guarded/old/child", "mixed/child"):
        gateway.program(name, CHILD_TEXT)
    return gateway


def ask(gateway: Gateway, user: str | None, path: str) -> Answer:
    return gateway.request("GET", path, None, {} if user is None else {"Authorization": basic(user)})


def start(gateway: Gateway, user: str | None, program: str = CHILD) -> str:
    """A session of this user; its URL."""
    handle = new_handle()
    answer = ask(gateway, user, f"{program}?handle={handle}&count&env=REMOTE_USER")
    assert answer.text.startswith("count=1 "), answer
    return f"{program}/{handle}"


def count(gateway: Gateway, user: str | None, url: str) -> int:
    """Go on with a session."""
    answer = ask(gateway, user, f"{url}?handle={url.rpartition('/')[2]}&count")
    assert answer.status == 200, answer
    return answer.number("count")


def test_W1_the_user_who_created_a_session_may_use_it(gateway: Gateway) -> None:
    url = start(gateway, "ada")
    answer = ask(gateway, "ada", f"{url}?handle={url.rpartition('/')[2]}&env=REMOTE_USER&env=AUTH_TYPE&count")
    assert answer.text.startswith("REMOTE_USER=ada\nAUTH_TYPE=Basic\ncount=2 ")


def test_W1_another_user_gets_403_and_the_session_is_unharmed(gateway: Gateway) -> None:
    url = start(gateway, "ada")
    answer = ask(gateway, "bob", f"{url}?count")
    assert (answer.status, answer.header("x-htsession-ended")) == (403, None)
    assert "count=" not in answer.text
    gateway.wait_log(r"HTS005 the session is another user's: /cgi-bin/guarded/child hand…")
    assert url.rpartition("/")[2] not in gateway.log
    assert count(gateway, "ada", url) == 2
    assert ask(gateway, None, url).status == 401
    assert ask(gateway, "ada", f"{url}x?count").number("count") == 1


def test_W1_every_url_and_method_below_the_handle_is_the_owners(gateway: Gateway) -> None:
    url = start(gateway, "ada")
    assert [ask(gateway, "bob", url + more).status for more in ("/", "/rest/of/it", "?count")] == [403] * 3
    methods = ("HEAD", "POST", "PUT", "OPTIONS")
    sent = {"Authorization": basic("bob")}
    assert [gateway.request(method, url, b"", sent).status for method in methods] == [403] * 4
    assert count(gateway, "ada", url) == 2


def test_W1_a_session_without_a_user_is_not_for_one_with_a_user(gateway: Gateway) -> None:
    url = start(gateway, None, MIXED)
    assert ask(gateway, "ada", f"{url}/inner?count").status == 403
    assert ask(gateway, "ada", f"{url}/outer?handle={url.rpartition('/')[2]}&count").number("count") == 2
    assert count(gateway, None, url) == 3


def test_W1_a_session_of_a_user_is_not_for_one_without(gateway: Gateway) -> None:
    handle = new_handle()
    assert ask(gateway, "ada", f"{MIXED}/start/inner?handle={handle}&count").number("count") == 1
    assert ask(gateway, None, f"{MIXED}/{handle}?count").status == 403
    assert ask(gateway, "ada", f"{MIXED}/{handle}?count").status == 403
    path = f"{MIXED}/{handle}/inner?handle={handle}&count"
    assert ask(gateway, "bob", path).status == 403
    assert ask(gateway, "ada", path).number("count") == 2


def test_W1_R6_previous_handles_are_the_owners(gateway: Gateway) -> None:
    old = start(gateway, "ada", OLD)
    new = new_handle()
    ask(gateway, "ada", f"{old}?handle={new}")
    assert [ask(gateway, "bob", url).status for url in (old, f"{OLD}/{new}")] == [403, 403]
    assert ask(gateway, "ada", f"{old}?handle={new}&env=HTSESSION_STALE").text == "HTSESSION_STALE=1\n"


def test_W1_R7_a_lost_pages_handles_are_the_owners(gateway: Gateway, tmp_path: Path) -> None:
    old, new, gate = start(gateway, "ada"), new_handle(), Gate(tmp_path)
    client = Client(gateway, f"{old}?handle={new}&echo=x&flush&{gate.wait}", Authorization=basic("ada"))
    client.until(b"x\r\n")
    client.leave()
    gate.open()
    wait_for("the session to rest", lambda: ask(gateway, "ada", f"{old}?handle={new}&count").status == 200)
    assert [ask(gateway, "bob", f"{CHILD}/{new}").status, ask(gateway, "bob", old).status] == [403, 403]
    assert count(gateway, "ada", f"{CHILD}/{new}") > 2


def test_W1_R5_another_user_does_not_wait_for_a_busy_session(
    gateway: Gateway, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    url, gate = start(gateway, "ada"), Gate(tmp_path)
    handle = url.rpartition("/")[2]
    busy = Client(gateway, f"{url}?handle={handle}&{gate.touch}&{gate.wait}", Authorization=basic("ada"))
    assert ask(gateway, "bob", url).status == 403
    waiting = Client(gateway, f"{url}?handle={handle}&count", Authorization=basic("ada"))
    gate.open()
    assert busy.answer().status == 200
    assert waiting.answer().number("count") == 3


def test_W1_a_retired_handle_is_410_for_whoever_may_have_the_url(gateway: Gateway) -> None:
    url = start(gateway, "ada")
    ask(gateway, "ada", f"{url}?echo=bye")
    assert [ask(gateway, user, url).status for user in ("ada", "bob", None)] == [410, 410, 401]


def test_W1_a_local_redirect_into_a_session_is_checked(gateway: Gateway) -> None:
    url = start(gateway, "ada")
    path = f"/cgi-bin/child?header=Location:+{url}"
    assert [ask(gateway, user, path).status for user in ("bob", None)] == [403, 401]
    again = f"{path}?handle%3D{url.rpartition('/')[2]}%26count"
    assert ask(gateway, "ada", again).number("count") == 2


def test_W1_a_local_redirect_out_of_a_guarded_place_takes_no_user_into_a_session(gateway: Gateway) -> None:
    url = start(gateway, None, MIXED)
    query = f"handle%3D{url.rpartition('/')[2]}%26count%26env%3DREMOTE_USER"
    answer = ask(gateway, "ada", f"{CHILD}?header=Location:+{url}?{query}")
    assert re.fullmatch(r"count=2 pid=\d+\nREMOTE_USER=<absent>\n", answer.text), answer


def test_W1_the_owner_stays_the_owner_over_a_reload_and_a_crash_of_the_front(
    serve: Serve, directives: str
) -> None:
    gateway = serve(directives)
    gateway.program("guarded/child", CHILD_TEXT)
    urls = {user: start(gateway, user) for user in ("ada", "bob", LONGEST)}
    expected = 2
    for happens in (gateway.reload, gateway.kill_front, gateway.reload):
        happens()
        for user, url in urls.items():
            others = [other for other in urls if other != user]
            assert [ask(gateway, other, url).status for other in others] == [403, 403]
            assert count(gateway, user, url) == expected
        expected += 1
    assert "user is too long" not in gateway.log


def test_W1_a_session_that_is_borrowed_from_the_old_front_keeps_its_owner(
    serve: Serve, directives: str, tmp_path: Path
) -> None:
    gateway = serve(directives)
    gateway.program("guarded/child", CHILD_TEXT)
    url, gate = start(gateway, "ada"), Gate(tmp_path)
    handle = url.rpartition("/")[2]
    busy = Client(gateway, f"{url}?handle={handle}&{gate.touch}&{gate.wait}", Authorization=basic("ada"))
    gateway.reload()
    with ThreadPoolExecutor(1) as other:
        stranger = other.submit(ask, gateway, "bob", url)
        gate.open()
        assert busy.answer().status == 200
        assert stranger.result(BOUND).status == 403
    assert count(gateway, "ada", url) == 3


def test_W1_a_name_that_is_too_long_to_own_a_session_gets_its_page_and_no_session(gateway: Gateway) -> None:
    handle = new_handle()
    answer = ask(gateway, LONG, f"{CHILD}?handle={handle}&count")
    assert answer.number("count") == 1
    assert answer.header("cache-control") is None
    gateway.wait_log("HTS005 the name of the user is too long for an owner of a session")
    assert ask(gateway, LONG, f"{CHILD}/{handle}?count").number("count") == 1


def test_R4_a_handle_that_is_replaced_while_a_body_comes_is_not_honoured(gateway: Gateway) -> None:
    """The body of a later request is taken before the session is claimed (B3)."""
    url, new = start(gateway, "ada"), new_handle()
    head = f"POST {url}?count HTTP/1.1\r\nHost: x\r\nAuthorization: {basic('ada')}\r\n"
    with gateway.connect() as sock:
        sock.sendall(f"{head}Content-Length: 4\r\nConnection: close\r\n\r\nab".encode())
        assert ask(gateway, "ada", f"{url}?handle={new}&count").status == 200
        sock.sendall(b"cd")
        received = b""
        while piece := sock.recv(65536):
            received += piece
    assert re.match(rb"HTTP/1\.1 410 ", received), received
    assert count(gateway, "ada", f"{CHILD}/{new}") == 3
