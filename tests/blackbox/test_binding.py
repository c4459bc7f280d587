"""Sessions bound to a browser's cookie (spec 1, W2; PersistentCGIBind)."""

from __future__ import annotations

from http.cookies import SimpleCookie
from pathlib import Path

import pytest

from tests.blackbox.clients import new_handle
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.credentials import basic, guarded, write_users
from tests.blackbox.harness import Answer, Gateway, wait_for

pytestmark = pytest.mark.running

CHILD, OTHER, SHARED, NONE = "/cgi-bin/child", "/cgi-bin/other", "/cgi-bin/shared", "/cgi-bin/none/child"
GUARDED, FREE = "/guarded/child", "/guarded/none/child"


class Browser:
    """Keeps cookies as a browser does, by name and path, and sends them where they belong."""

    def __init__(self, gateway: Gateway, **headers: str) -> None:
        self.gateway, self.headers = gateway, headers
        self.jar: dict[tuple[str, str], str] = {}
        self.given: list[str] = []

    def get(self, path: str, method: str = "GET") -> Answer:
        name = path.partition("?")[0]
        fits = [
            f"{key}={value}"
            for (key, where), value in self.jar.items()
            if f"{name}/".startswith(f"{where.rstrip('/')}/")
        ]
        cookie = {"Cookie": "; ".join(fits)} if fits else {}
        answer = self.gateway.request(method, path, None, self.headers | cookie)
        for key, value in answer.fields:
            if key == "set-cookie":
                self.given.append(value)
                for own, morsel in SimpleCookie(value).items():
                    self.jar[own, morsel["path"]] = morsel.value
        return answer

    def start(self, program: str = CHILD, more: str = "count") -> str:
        """A session; its URL."""
        handle = new_handle()
        assert self.get(f"{program}?handle={handle}&{more}").status == 200
        return f"{program}/{handle}"

    def count(self, url: str) -> int:
        """Go on with a session."""
        return self.get(f"{url}?handle={url.rpartition('/')[2]}&count").number("count")


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    users = write_users(tmp_path_factory.mktemp("users") / "users", "ada", "bob")
    gateway = serve_shared(f"""
        MaxPersistentCGI 200
        PersistentCGIBind cookie
        ScriptAlias /guarded/ cgi-bin/
        <Directory cgi-bin/none>
          PersistentCGIBind none
        </Directory>
        <Files shared>
          PersistentCGIShared On
        </Files>
        <Location /guarded>
          {guarded(users)}
        </Location>
        LogFormat "%{{Cookie}}i %{{Set-Cookie}}o" cookies
        CustomLog logs/access.log cookies
    """)
    for name in ("other", "shared", "none/child"):
        gateway.program(name, CHILD_TEXT)
    return gateway


@pytest.mark.parametrize("program", [CHILD, SHARED])
def test_W2_a_leaked_URL_alone_opens_nothing(gateway: Gateway, program: str) -> None:
    browser, thief = Browser(gateway), Browser(gateway)
    url = browser.start(program)
    assert thief.get(f"{url}?count").status == 403
    gateway.wait_log(rf"HTS005 the session is another browser's: {program} hand")
    thief.start(program)
    assert thief.get(f"{url}?count").status == 403, "a cookie of one's own does not help"
    before = browser.count(url)
    assert browser.count(url) == before + 1, "the session is unharmed"


def test_W2_the_cookie_is_HttpOnly_SameSite_and_limited_to_the_cgi_name(gateway: Gateway) -> None:
    browser = Browser(gateway)
    browser.start(OTHER)
    (cookie,) = browser.given
    pair, *attributes = cookie.split("; ")
    assert attributes == [f"Path={OTHER}", "HttpOnly", "SameSite=Lax"]
    assert len(pair.partition("=")[2]) == 32


def test_W2_one_value_per_browser_and_cgi_name_for_all_sessions_there(gateway: Gateway) -> None:
    browser, another = Browser(gateway), Browser(gateway)
    urls = [browser.start(), browser.start(), browser.start(OTHER), browser.start(OTHER)]
    another.start()
    assert [SimpleCookie(cookie).popitem()[1]["path"] for cookie in browser.given] == [CHILD, OTHER]
    values = [*browser.jar.values(), *another.jar.values()]
    assert len(set(values)) == 3, "each browser and cgi-name has a value of its own"
    assert [browser.count(url) for url in urls] == [2] * 4
    assert len(browser.given) == 2, "a living session's pages set nothing"


def test_W2_two_first_requests_at_once_do_not_undo_each_other(gateway: Gateway) -> None:
    browser, tab = Browser(gateway), Browser(gateway)
    urls = [browser.start(), tab.start()]  # neither has the other's cookie yet
    browser.jar |= tab.jar
    assert [browser.count(url) for url in urls] == [2, 2]


def test_W2_a_made_up_cookie_binds_nothing(gateway: Gateway) -> None:
    browser = Browser(gateway)
    browser.start()
    ((name, path),) = browser.jar
    browser.jar[name, path] = "x" * 32
    url = browser.start()
    assert len(browser.given) == 2, "it gets a value of the gateway's own"
    assert browser.count(url) == 2


def test_W2_the_cookie_never_reaches_the_program(gateway: Gateway) -> None:
    browser = Browser(gateway)
    url = browser.start()
    told = browser.get(f"{url}?handle={url.rpartition('/')[2]}&environ").text
    assert "HTTP_COOKIE" not in told and "HTSESSION_BIND" not in told
    browser.jar["own", "/"] = "1"
    again = browser.get(f"{url}?handle={url.rpartition('/')[2]}&env=HTTP_COOKIE").text
    assert again == "HTTP_COOKIE=own=1\n"
    fresh = browser.get(f"{CHILD}?environ").text
    assert "HTTP_COOKIE=own=1\n" in fresh and "HTSESSION_BIND" not in fresh


def test_W2_the_user_binding_stays_on(gateway: Gateway) -> None:
    ada = Browser(gateway, Authorization=basic("ada"))
    url = ada.start(GUARDED)
    bob = Browser(gateway, Authorization=basic("bob"))
    bob.jar = ada.jar
    assert bob.get(f"{url}?count").status == 403
    gateway.wait_log("HTS005 the session is another user's: /guarded/child")
    assert ada.count(url) == 2


def test_W1_none_switches_the_user_binding_off(gateway: Gateway) -> None:
    ada, bob = (Browser(gateway, Authorization=basic(user)) for user in ("ada", "bob"))
    url = ada.start(FREE)
    assert not ada.given
    assert bob.count(url) == 2
    assert Browser(gateway).get(url).status == 401, "Require still asks"


@pytest.mark.parametrize("program", [CHILD, SHARED])
def test_W2_an_internal_redirect_inherits_the_binding(gateway: Gateway, program: str) -> None:
    browser, handle = Browser(gateway), new_handle()
    url = f"{program}/{handle}"
    # the first response begins a session and leads to its own URL, at once
    query = f"handle={handle}%26env=HTSESSION_HANDLE%26env=HTTP_COOKIE"
    answer = browser.get(f"{program}?handle={handle}&header=Location:+{url}?{query}")
    assert answer.text == f"HTSESSION_HANDLE={handle}\nHTTP_COOKIE=<absent>\n"
    assert len(browser.given) == 1
    before = browser.count(url)
    assert Browser(gateway).get(f"{url}?count").status == 403
    assert browser.count(url) == before + 1


def test_W2_a_redirect_to_another_program_gives_both_cookies(gateway: Gateway) -> None:
    browser, mine, other = Browser(gateway), new_handle(), new_handle()
    browser.get(f"{CHILD}?handle={mine}&header=Location:+{OTHER}?handle={other}%26count")
    assert sorted(path for _, path in browser.jar) == [CHILD, OTHER]
    assert [browser.count(f"{CHILD}/{mine}"), browser.count(f"{OTHER}/{other}")] == [2, 2]


def test_W2_the_binding_survives_a_reload_and_a_crash_of_the_front(gateway: Gateway) -> None:
    browser, thief = Browser(gateway), Browser(gateway)
    urls = [browser.start(), browser.start(SHARED)]
    for change in (gateway.reload, gateway.kill_front):
        change()
        assert [thief.get(url).status for url in urls] == [403, 403]
        assert [browser.get(f"{url}?handle={url.rpartition('/')[2]}&count").status for url in urls] == [
            200,
            200,
        ]


def test_W2_no_log_shows_the_cookie(gateway: Gateway) -> None:
    browser = Browser(gateway)
    url = browser.start()
    browser.jar["own", "/"] = "seen"
    browser.count(url)
    log: Path = gateway.folder / "logs" / "access.log"
    wait_for("the line in the log", lambda: "own=seen -" in log.read_text())
    assert "HTSESSION_BIND" not in log.read_text()
    assert not any(value in log.read_text() + gateway.log for value in browser.jar.values() if len(value) > 4)


def test_W2_sessions_from_before_the_directive_need_no_cookie_and_none_do_after_it(serve: Serve) -> None:
    gateway = serve("")
    before = Browser(gateway).start()
    gateway.configure("PersistentCGIBind cookie")
    gateway.reload()
    browser = Browser(gateway)
    assert Browser(gateway).count(before) == 2
    bound = browser.start()
    assert Browser(gateway).get(bound).status == 403
    gateway.configure("PersistentCGIBind user")
    gateway.reload()
    assert Browser(gateway).count(bound) == 2
    assert browser.get(f"{CHILD}?env=HTTP_COOKIE").text == "HTTP_COOKIE=<absent>\n", "it is still not shown"
