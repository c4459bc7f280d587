"""Limits on what one user and one client may have and ask (spec 1, L2, L3, W4; PersistentCGIClientRate)."""

from __future__ import annotations

import http.client
import os
import signal

import pytest

from tests.blackbox.clients import new_handle
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.credentials import basic, guarded, write_users
from tests.blackbox.harness import BOUND, Answer, Gateway, wait_for

pytestmark = pytest.mark.running

CHILD, SHARED = "/cgi-bin/child", "/cgi-bin/shared"
PROXY = "RemoteIPHeader X-Client\nRemoteIPTrustedProxy 127.0.0.1\nMaxPersistentCGI 500\nMaxCGIJobs 1000\n"
HERS, HIS = "192.0.2.1", "192.0.2.2"
BOT = "Mozilla/5.0 (compatible; Examplebot/2.1; +http://example.org/bot.html)"


def ask(gateway: Gateway, path: str, client: str = HERS, method: str = "GET", **headers: str) -> Answer:
    return gateway.request(method, path, None, {"X-Client": client, **headers})


def starts(gateway: Gateway, client: str = HERS, program: str = CHILD, **headers: str) -> str:
    """A first request; the URL that its session would have."""
    handle = new_handle()
    answer = ask(gateway, f"{program}?handle={handle}&count", client, **headers)
    assert (answer.status, answer.number("count") > 0) == (200, True), answer
    return f"{program}/{handle}"


def lives(gateway: Gateway, url: str, client: str = HERS, **headers: str) -> bool:
    """Whether a URL is a living session's, which goes on."""
    answer = ask(gateway, f"{url}?handle={url.rpartition('/')[2]}&count", client, **headers)
    if answer.status == 200:
        return True
    assert (answer.status, answer.header("x-htsession-ended")) == (503, "limit"), answer
    assert answer.header("retry-after")
    return False


def end(gateway: Gateway, url: str, client: str = HERS, **headers: str) -> None:
    count = len(gateway.instances())
    assert ask(gateway, f"{url}?echo=bye", client, **headers).text == "bye"
    wait_for("its process to be gone", lambda: len(gateway.instances()) < count)


# ---- L2


@pytest.fixture(scope="module")
def by_client(serve_shared: Serve) -> Gateway:
    gateway = serve_shared(
        f"{PROXY}MaxPersistentCGIPerClient 2\n<Files shared>\nPersistentCGIShared On\n</Files>\n"
    )
    gateway.program("shared", CHILD_TEXT)
    return gateway


def test_L2_a_client_keeps_its_sessions_and_the_next_ones_page_is_delivered_and_not_kept(
    by_client: Gateway,
) -> None:
    first, second, third = (starts(by_client) for _ in range(3))
    by_client.wait_log(r"HTS003 MaxPersistentCGIPerClient is reached: /cgi-bin/child hand")
    assert [lives(by_client, url) for url in (first, second, third)] == [True, True, False]
    assert lives(by_client, starts(by_client, HIS), HIS), "another client has not reached anything"
    end(by_client, first)
    fourth = starts(by_client)
    assert lives(by_client, fourth), "the place of a session that is over is free"
    assert not lives(by_client, starts(by_client))
    end(by_client, second)
    end(by_client, fourth)


def test_L2_the_client_is_the_one_that_a_trusted_proxy_names(by_client: Gateway) -> None:
    assert all(lives(by_client, starts(by_client, f"198.51.100.{n}"), f"198.51.100.{n}") for n in range(1, 5))


def test_L2_IPv6_clients_are_networks_of_64_bits(by_client: Gateway) -> None:
    own = ["2001:db8:0:1::1", "2001:db8:0:1::2", "2001:db8:0:1:ffff::3"]
    urls = [starts(by_client, address) for address in own]
    assert [lives(by_client, url, own[0]) for url in urls] == [True, True, False]
    assert lives(by_client, starts(by_client, "2001:db8:0:2::1"), "2001:db8:0:2::1")


def test_L2_sessions_of_shared_instances_count_each(by_client: Gateway) -> None:
    client = "203.0.113.9"
    urls = [starts(by_client, client, SHARED) for _ in range(3)]
    assert [lives(by_client, url, client) for url in urls] == [True, True, False]
    ask(by_client, f"{urls[0]}?echo=bye", client)
    assert lives(by_client, starts(by_client, client, SHARED), client)


@pytest.mark.parametrize("change", ["reload", "kill_front"])
def test_L2_the_counts_survive_a_reload_and_a_crash_of_the_front(by_client: Gateway, change: str) -> None:
    client = {"reload": "203.0.113.1", "kill_front": "203.0.113.2"}[change]
    first = starts(by_client, client)
    shared = starts(by_client, client, SHARED)
    getattr(by_client, change)()
    assert not lives(by_client, starts(by_client, client), client)
    assert not lives(by_client, starts(by_client, client, SHARED), client)
    assert lives(by_client, first, client) and lives(by_client, shared, client)
    end(by_client, first, client)
    assert lives(by_client, starts(by_client, client), client)


def test_L2_counts_hold_while_two_fronts_serve(by_client: Gateway) -> None:
    client, fronts = "203.0.113.3", by_client.fronts()
    old = http.client.HTTPConnection("127.0.0.1", by_client.port, timeout=BOUND)
    gate = by_client.folder / "gate"
    old.request("GET", f"{CHILD}?wait={gate}&handle=held-back-one&count", headers={"X-Client": client})
    wait_for("the request to run", lambda: len(by_client.instances()) > 0)
    urls = [starts(by_client, client) for _ in range(2)]
    count = by_client.log.count(" serves")
    os.kill(by_client.keeper, signal.SIGHUP)
    wait_for("the new front", lambda: by_client.log.count(" serves") > count)
    assert by_client.fronts()[0] == fronts[-1], "the old front still serves the request"
    assert not lives(by_client, starts(by_client, client), client), "asked of the new front"
    gate.touch()
    assert old.getresponse().read().startswith(b"count=1"), "the page is delivered by the old one"
    # what one front refuses the other hears of by the keeper
    wait_for("its handle to be refused", lambda: not lives(by_client, f"{CHILD}/held-back-one", client))
    assert all(lives(by_client, url, client) for url in urls)
    old.close()


@pytest.fixture(scope="module")
def by_user(serve_shared: Serve, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    users = write_users(tmp_path_factory.mktemp("users") / "users", "ada", "bob")
    return serve_shared(
        "MaxPersistentCGIPerUser 1\nMaxPersistentCGI 50\n"
        f"<Location /cgi-bin/child>\n{guarded(users)}</Location>\nScriptAlias /open/ cgi-bin/\n"
    )


def test_L2_a_user_has_so_many_sessions_and_others_have_their_own(by_user: Gateway) -> None:
    ada, bob = {"Authorization": basic("ada")}, {"Authorization": basic("bob")}
    hers, his = starts(by_user, **ada), starts(by_user, **bob)
    by_user.reload()
    assert not lives(by_user, starts(by_user, **ada), **ada)
    by_user.wait_log("HTS003 MaxPersistentCGIPerUser is reached")
    assert lives(by_user, hers, **ada) and lives(by_user, his, **bob)
    end(by_user, hers, **ada)
    assert lives(by_user, starts(by_user, **ada), **ada)


def test_L2_requests_without_a_user_are_nobodys(by_user: Gateway) -> None:
    urls = [starts(by_user, program="/open/child") for _ in range(3)]
    assert all(lives(by_user, url) for url in urls)


# ---- L3


@pytest.fixture(scope="module")
def denying(serve_shared: Serve) -> Gateway:
    gateway = serve_shared(
        "<Directory cgi-bin/none>\nPersistentCGIDeny none\n</Directory>\n"
        '<Directory cgi-bin/own>\nPersistentCGIDeny "^Lynx/" curl\n</Directory>\n'
    )
    for folder in ("none", "own"):
        gateway.program(f"{folder}/child", CHILD_TEXT)
    return gateway


@pytest.mark.parametrize("agent", [BOT, "Yahoo! Slurp", "BAIDUSPIDER", "facebookexternalhit/1.1", "a CRAWLER"])
def test_L3_common_robots_begin_no_session_and_have_their_page(denying: Gateway, agent: str) -> None:
    count = len(denying.instances())
    url = starts(denying, User_Agent=agent)
    wait_for("the process to end", lambda: len(denying.instances()) == count)
    assert ask(denying, f"{url}?count&env=PATH_INFO").text.endswith(f"PATH_INFO=/{url.rpartition('/')[2]}\n")


@pytest.mark.parametrize(
    "agent", ["Mozilla/5.0 (X11; Linux) Firefox/140.0", "CUBOT X18", "botanist/1", "curl/8"]
)
def test_L3_people_begin_sessions(denying: Gateway, agent: str) -> None:
    assert lives(denying, starts(denying, User_Agent=agent), User_Agent=agent)


def test_L3_a_robot_at_a_living_session_is_403_and_the_session_goes_on(denying: Gateway) -> None:
    url = starts(denying)
    assert ask(denying, f"{url}?count", User_Agent=BOT).status == 403
    assert ask(denying, f"{url}?count", method="HEAD", User_Agent=BOT).status == 403
    denying.wait_log("PersistentCGIDeny keeps this client from sessions: /cgi-bin/child hand")
    assert ask(denying, f"{url}?handle={url.rpartition('/')[2]}&count").number("count") == 2


def test_L3_the_directive_names_others_or_nobody(denying: Gateway) -> None:
    own, none = "/cgi-bin/own/child", "/cgi-bin/none/child"
    url = starts(denying, program=own, User_Agent=BOT)
    assert lives(denying, url, User_Agent=BOT), "a list of one's own takes the place of the common robots"
    assert [ask(denying, url, User_Agent=agent).status for agent in ("Lynx/2.9", "CURL/8")] == [403, 403]
    assert lives(denying, starts(denying, program=none, User_Agent=BOT), User_Agent=BOT)


# ---- W4


def test_W4_who_asks_for_too_many_ended_sessions_gets_429_and_living_handles_pass(serve: Serve) -> None:
    gateway = serve(f"{PROXY}PersistentCGILookupLimit 5")
    over, living = starts(gateway), starts(gateway)
    end(gateway, over)
    assert [ask(gateway, over).status for _ in range(8)] == [410] * 5 + [429] * 3
    answer = ask(gateway, over, Accept="application/json")
    assert answer.status == 429 and 0 < int(answer.header("retry-after") or 0) <= 60
    assert answer.header("x-htsession-ended") is None, "whether it was a handle is not told any more"
    assert lives(gateway, living)
    assert ask(gateway, over, HIS).status == 410, "another client has not asked"
    assert (
        len([line for line in gateway.log.splitlines() if "PersistentCGILookupLimit 5 is reached" in line]) == 1
    )


def test_W4_no_limit(serve: Serve) -> None:
    gateway = serve(f"{PROXY}PersistentCGILookupLimit 0")
    over = starts(gateway)
    end(gateway, over)
    assert {ask(gateway, over).status for _ in range(70)} == {410}


# ---- new sessions in a time


def test_a_client_that_begins_sessions_too_fast_gets_429_and_nothing_is_started(serve: Serve) -> None:
    gateway = serve(f"{PROXY}PersistentCGIClientRate 1/minute 3")
    urls = [starts(gateway) for _ in range(3)]
    before = gateway.instances()
    answers = [ask(gateway, f"{CHILD}?handle=too-fast&touch={gateway.folder}/started") for _ in range(3)]
    assert [answer.status for answer in answers] == [429] * 3
    assert 0 < int(answers[0].header("retry-after") or 0) <= 60
    assert not (gateway.folder / "started").exists() and gateway.instances() == before
    assert len([one for one in gateway.log.splitlines() if "HTS003 PersistentCGIClientRate" in one]) == 1
    assert all(lives(gateway, url) for url in urls), "living sessions are not concerned"
    assert lives(gateway, starts(gateway, HIS), HIS)


def test_the_rate_leaves_pages_without_a_session_alone(serve: Serve) -> None:
    gateway = serve(f"{PROXY}PersistentCGIClientRate 1/minute")
    assert [ask(gateway, f"{CHILD}?echo=plain").text for _ in range(4)] == ["plain"] * 4
    url = starts(gateway)
    assert lives(gateway, url)
    assert ask(gateway, f"{CHILD}?handle=one-more").status == 429
    for client in (
        HIS,
        "192.0.2.3",
    ):  # a program that is known to persist: what came to no session is given back
        assert [ask(gateway, f"{CHILD}?echo=plain", client).text for _ in range(4)] == ["plain"] * 4
        assert lives(gateway, starts(gateway, client), client)


def test_the_page_of_a_program_not_known_to_persist_is_delivered_and_not_kept(serve: Serve) -> None:
    gateway = serve(f"{PROXY}PersistentCGIClientRate 1/minute")
    gateway.program("other", CHILD_TEXT)
    first, second = starts(gateway), starts(gateway, program="/cgi-bin/other")
    gateway.wait_log("HTS003 PersistentCGIClientRate is reached: /cgi-bin/other hand")
    assert lives(gateway, first) and not lives(gateway, second)
