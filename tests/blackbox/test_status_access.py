"""Who sees the status page, who may act on it, and that nobody is made to by another site."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.blackbox.clients import ask_unix
from tests.blackbox.commands import Begun
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.credentials import basic, guarded, write_users
from tests.blackbox.harness import Answer, Gateway, wait_for
from tests.blackbox.status import URL, Events, row, snapshot
from tests.blackbox.users import OpenGateway, as_root, open_folder

pytestmark = pytest.mark.running

DIRECTIVES = """
<Directory cgi-bin/shared>
  PersistentCGIShared On
</Directory>
MaxPersistentCGITimeout 30m
CustomLog logs/access.log common
<Location /read>
  SetHandler server-status
</Location>
<Location /all>
  SetHandler server-status
  ServerStatusControl all granted
</Location>
<Location /far>
  SetHandler server-status
  ServerStatusControl ip 192.0.2.1
</Location>
<Location /users>
  SetHandler server-status
  GUARDED
  ServerStatusControl user ada
  ServerStatusControl group staff
</Location>
<Location /open>
  SetHandler server-status
  GUARDED_BY_NOBODY
  ServerStatusControl user ada
</Location>
<Location /unset>
  SetHandler server-status
  ServerStatusControl user ada
</Location>
"""
ADA = {"Authorization": basic("ada")}
BOB = {"Authorization": basic("bob")}
CLEO = {"Authorization": basic("cleo")}
LEFT = 300


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    folder = tmp_path_factory.mktemp("users")
    users = write_users(folder / "users", "ada", "bob", "cleo")
    (folder / "groups").write_text("staff: cleo\n")
    known = guarded(users, more=f"AuthGroupFile {folder / 'groups'}")
    text = DIRECTIVES.replace("GUARDED_BY_NOBODY", guarded(users, "Require all granted"))
    return serve_shared(text.replace("GUARDED", known), {"shared/child": CHILD_TEXT})


def token(gateway: Gateway, url: str, **headers: str) -> str:
    """What the page of somebody who may act carries."""
    return str(snapshot(gateway, url, **headers).get("token", ""))


def act(gateway: Gateway, url: str, form: dict[str, str], **headers: str) -> Answer:
    """Send the form of a page."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return gateway.post(url, urlencode(form).encode(), **(kind | headers))


def end(gateway: Gateway, url: str, session: Begun, given: str = "", **headers: str) -> Answer:
    """Send the form that ends a session, with a token of this page unless another one is given."""
    number = row(gateway, session.handle, "/read")["id"]
    form = {"action": "end", "id": number, "token": given or token(gateway, url, **headers)}
    return act(gateway, url, form, **headers)


def lives(gateway: Gateway, session: Begun) -> bool:
    return any(one["pid"] == session.pid for one in snapshot(gateway, "/read")["sessions"])


# ---- who may act


def test_by_default_nobody_may_act(gateway: Gateway) -> None:
    session = Begun(gateway)
    assert snapshot(gateway, "/read")["may_act"] is False and not token(gateway, "/read")
    assert "?end=" not in gateway.get("/read").text
    assert end(gateway, "/read", session, token(gateway, "/all")).status == 403
    number = row(gateway, session.handle, "/read")["id"]
    assert gateway.get(f"/read?end={number}").status == 403
    assert lives(gateway, session)


@pytest.mark.parametrize(
    ("url", "headers", "status"),
    [
        ("/all", {}, 303),
        ("/far", {}, 403),
        ("/users", ADA, 303),
        ("/users", BOB, 403),
        ("/users", CLEO, 303),
        ("/users", {}, 401),
        ("/open", ADA, 303),
        ("/open", BOB, 403),
        ("/open", {}, 401),
    ],
)
def test_ServerStatusControl_decides_as_Require_does(
    gateway: Gateway, url: str, headers: dict[str, str], status: int
) -> None:
    session = Begun(gateway)
    page = gateway.get(url, **headers)
    if page.status == 200:
        assert ("?end=" in page.text) is (status == 303)
        assert snapshot(gateway, url, **headers)["may_act"] is (status == 303)
    given = "" if page.status == 200 else "none"
    answer = end(gateway, url, session, given or token(gateway, url, **headers) or "none", **headers)
    assert answer.status == status
    assert lives(gateway, session) is (status != 303)


def test_who_has_not_said_who_they_are_is_asked_for_it(gateway: Gateway) -> None:
    assert gateway.get("/open").status == 200
    asked = gateway.get("/open?login")
    assert (asked.status, asked.header("www-authenticate") is not None) == (401, True)
    told = gateway.get("/open?login", **ADA)
    assert (told.status, told.header("location")) == (303, "?")


def test_a_rule_for_users_without_a_file_of_them_lets_nobody_act(gateway: Gateway) -> None:
    session = Begun(gateway)
    assert end(gateway, "/unset", session, "none").status == 500
    assert "ServerStatusControl" not in gateway.get("/unset").text and lives(gateway, session)


# ---- ending and extending


def test_ending_goes_back_to_the_page_which_says_so_and_the_log_names_user_and_client(gateway: Gateway) -> None:
    session = Begun(gateway)
    number = row(gateway, session.handle, "/read")["id"]
    answer = end(gateway, "/users", session, **ADA)
    assert (answer.status, answer.header("location")) == (303, f"?done=end&id={number}")
    assert f"Session {number} was ended." in gateway.get(f"/users{answer.header('location')}", **ADA).text
    gateway.wait_log(
        rf"core:notice.*client 127\.0\.0\.1.*session {number} of /cgi-bin/child was ended by user ada"
    )
    assert session.handle not in gateway.log
    assert gateway.reason(session.path) == "ended"
    wait_for("the entry", lambda: snapshot(gateway, "/read")["recent"][0]["id"] == number)


def test_the_page_that_asks_first_has_the_form_and_works_without_a_script(gateway: Gateway) -> None:
    session = Begun(gateway)
    number = row(gateway, session.handle, "/read")["id"]
    for action in ("end", "extend"):
        page = gateway.get(f"/all?{action}={number}").text
        form = dict(re.findall(r'name="(action|id|token)" value="([^"]+)"', page))
        assert (form["action"], form["id"]) == (action, number) and session.handle not in page
        more = {"time": "20m"} if action == "extend" else {}
        if action == "extend":
            assert act(gateway, "/all", form | more).status in (303, 404)
        else:
            assert lives(gateway, session)
    left = row(gateway, session.handle, "/read")["left"]
    assert LEFT < left <= 1200
    assert end(gateway, "/all", session).status == 303 and not lives(gateway, session)


def test_a_confirmed_ending_never_meets_another_session_that_has_got_the_same_id(gateway: Gateway) -> None:
    """In a shared instance a place is given out anew as soon as it is free."""
    one, other = "of-the-shown-page", "next-in-the-place"
    keeper = gateway.get("/cgi-bin/shared/child?handle=keeps-the-process&count")
    assert keeper.status == 200 and gateway.get(f"/cgi-bin/shared/child?handle={one}&count").status == 200
    number = row(gateway, one, "/read")["id"]
    forms = []
    for action in ("end", "extend"):
        page = gateway.get(f"/all?{action}={number}").text
        forms.append(
            dict(re.findall(r'name="(action|id|began|token)" value="([^"]+)"', page)) | {"time": "20m"}
        )
    assert gateway.get(f"/cgi-bin/shared/child/{one}?count").status == 200  # its last response
    assert gateway.get(f"/cgi-bin/shared/child?handle={other}&count").status == 200
    assert row(gateway, other, "/read")["id"] == number
    for form in forms:
        answer = act(gateway, "/all", form)
        assert answer.status == 404 and "another one" in answer.text
    assert row(gateway, other, "/read")["id"] == number


def test_scripts_get_JSON(gateway: Gateway) -> None:
    session = Begun(gateway)
    number = row(gateway, session.handle, "/read")["id"]
    answer = end(gateway, "/all", session, Accept="application/json")
    assert answer.status == 200 and json.loads(answer.text)["done"] == f"Session {number} was ended."


@pytest.mark.parametrize(
    ("form", "status", "text"),
    [
        ({"action": "extend", "id": "ID", "time": "10 years"}, 400, "TIME"),
        ({"action": "extend", "id": "ID", "time": "2h"}, 409, "MaxPersistentCGITimeout"),
        ({"action": "extend", "id": "ID", "time": "1s"}, 409, "left already"),
        ({"action": "extend", "id": "ID"}, 400, "TIME"),
        ({"action": "drain", "id": "ID"}, 400, "expected one of end, extend"),
        ({"action": "end", "id": "999999"}, 404, "No session is known as 999999."),
        ({"action": "end"}, 404, "No such session is known (any more)."),
        ({"action": "end", "id": "PATH"}, 404, "No such session is known (any more)."),
        ({"action": "end", "id": "PID"}, 404, "No such session is known (any more)."),
    ],
)
def test_what_cannot_be_done_is_told(gateway: Gateway, form: dict[str, str], status: int, text: str) -> None:
    session = Begun(gateway)
    number = row(gateway, session.handle, "/read")["id"]
    named = {"ID": number, "PATH": session.path, "PID": str(session.pid)}
    filled = {name: named.get(value, value) for name, value in form.items()} | {"token": token(gateway, "/all")}
    answer = act(gateway, "/all", filled)
    assert answer.status == status and text in answer.text
    assert session.handle not in answer.text and lives(gateway, session)


def test_a_form_that_is_too_long_is_refused(gateway: Gateway) -> None:
    assert act(gateway, "/all", {"token": "x" * 5000}).status == 413
    assert act(gateway, "/all", {f"a{number}": "b" for number in range(40)}).status == 400


# ---- other sites


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://elsewhere.test"},
        {"Origin": "null"},
    ],
)
def test_a_request_from_another_site_is_refused_though_all_else_fits(
    gateway: Gateway, headers: dict[str, str]
) -> None:
    session = Begun(gateway)
    answer = end(gateway, "/all", session, token(gateway, "/all"), **headers)
    assert answer.status == 403 and "another site" in answer.text and lives(gateway, session)


def test_requests_of_the_page_itself_are_taken(gateway: Gateway) -> None:
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": f"http://127.0.0.1:{gateway.port}"}):
        session = Begun(gateway)
        assert end(gateway, "/all", session, **headers).status == 303


def test_without_the_token_of_this_very_user_nothing_is_done(gateway: Gateway) -> None:
    session = Begun(gateway)
    others = token(gateway, "/users", **CLEO), token(gateway, "/all"), "", "rubbish"
    for given in others:
        answer = end(gateway, "/users", session, given or "x", **ADA)
        assert answer.status == 403 and "load it anew" in answer.text
    assert lives(gateway, session)


def test_no_answer_may_be_read_by_another_site_or_kept(gateway: Gateway) -> None:
    for form in ("", "?json", "?auto", "?done=end&id=1"):
        answer = gateway.get(f"/all{form}", Origin="http://elsewhere.test")
        assert answer.header("access-control-allow-origin") is None
        assert answer.header("cache-control") == "no-store"


def test_words_of_the_URL_do_not_become_the_pages(gateway: Gateway) -> None:
    page = gateway.get("/all?done=%3Cb%3E&id=%3Cscript%3E&find=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").text
    assert "<b>" not in page.partition("<main")[2].partition("</p>")[0]
    assert "<script>alert" not in page


# ---- a token's life


def test_a_token_outlives_a_reload_and_works_with_the_new_front(serve: Serve) -> None:
    gateway = serve("<Location /read>\nSetHandler server-status\nServerStatusControl local\n</Location>")
    session, given = Begun(gateway), token(gateway, "/read")
    gateway.reload()
    wait_for("the session", lambda: lives(gateway, session))
    assert end(gateway, "/read", session, given).status == 303


# ---- the built-in place


def test_the_built_in_page_is_closed_to_what_came_through_a_proxy_and_the_log_says_what_to_do(
    serve: Serve,
) -> None:
    gateway = serve("<Location />\nRequire all granted\n</Location>")
    assert gateway.get(URL).status == 200
    for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"):
        for form in ("", "?json", "?events", "/below"):
            assert gateway.get(URL + form, **{name: "192.0.2.7"}).status == 403, name
    gateway.wait_log(r"denied by server configuration: /server-status \(built in: .*a <Location> of your own")
    assert gateway.get("/", **{"X-Forwarded-For": "192.0.2.7"}).status != 500


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("localhost:8080", 200), ("LOCALHOST", 200), ("[::1]:80", 200), ("a.localhost", 200),
        ("this-machine", 200), ("www.example.test", 200), ("two.example.test.:80", 200), ("a.wild.test", 200),
        ("evil.test", 403),
        ("127.0.0.1.evil.test", 403), ("localhost.evil.test", 403), ("wwwxexample.test", 403),
        ("1.2.3.4.5", 403), ("evil.test:80", 403), ("wild.test.evil.test", 403), ("ex-localhost.test", 403),
    ],
)  # fmt: skip
def test_the_built_in_page_is_closed_to_a_name_that_somebody_else_can_lead_here(
    named: Gateway, host: str, status: int
) -> None:
    """DNS rebinding: a browser on this machine believes that the page is evil.test's."""
    for form in ("", "?json", "?auto"):
        assert named.get(URL + form, Host=host).status == status


@pytest.fixture(scope="module")
def named(serve_shared: Serve) -> Gateway:
    return serve_shared("ServerName www.example.test\nServerAlias two.example.test *.wild.test")


def test_a_client_that_a_trusted_proxy_names_is_judged_by_its_own_address(serve: Serve) -> None:
    gateway = serve("RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 127.0.0.1")
    assert gateway.get(URL, **{"X-Forwarded-For": "127.0.0.2"}).status == 200
    assert gateway.get(URL, **{"X-Forwarded-For": "192.0.2.7"}).status == 403
    assert gateway.get(URL, **{"X-Forwarded-For": "127.0.0.2, 198.51.100.1"}).status == 403


@as_root
def test_it_is_there_when_the_gateway_has_become_another_user() -> None:
    with open_folder() as folder:
        gateway = OpenGateway(folder / "site", "User nobody\nGroup nogroup").start()
        assert snapshot(gateway)["state"] == "serving"
        assert "Recent endings" in gateway.get(URL).text


def test_virtual_hosts_have_it_and_one_may_switch_it_off(serve: Serve) -> None:
    off = "<Location /server-status>\nSetHandler None\n</Location>"
    first = "<VirtualHost *>\nServerName a.test\n</VirtualHost>\n"
    gateway = serve(f"{first}<VirtualHost *>\nServerName b.test\n{off}\n</VirtualHost>")
    assert gateway.get(URL, Host="a.test").status == 200
    assert gateway.get(URL, Host="b.test").status == 404


def test_SetHandler_None_switches_it_off(serve: Serve) -> None:
    gateway = serve("<Location /server-status>\nSetHandler None\n</Location>")
    assert gateway.get(URL).status == 404


def test_a_place_of_ones_own_is_the_only_one(gateway: Gateway) -> None:
    assert (gateway.get("/read").status, gateway.get(URL).status) == (200, 404)


def test_clients_of_a_unix_socket_are_local(serve: Serve, tmp_path: Path) -> None:
    serve(f"Listen unix:{tmp_path}/socket")
    assert ask_unix(tmp_path / "socket", URL).status == 200
    assert ask_unix(tmp_path / "socket", URL, "Host: a", "X-Forwarded-For: 192.0.2.7").status == 403


def test_a_living_session_is_reached_before_it(serve: Serve) -> None:
    gateway = serve("<Location /cgi-bin/child/mine>\n  SetHandler server-status\n</Location>")
    gateway.get("/cgi-bin/child?handle=mine")
    assert gateway.get("/cgi-bin/child/mine?echo=program").text == "program"


def test_events_obey_the_same_rule_and_carry_a_token_for_those_who_may_act(gateway: Gateway) -> None:
    assert Events(gateway, "/users").response.status == 401
    for headers, may_act in ((ADA, True), (BOB, False)):
        events = Events(gateway, "/users", **headers)
        first = events.next("snapshot")
        assert first["may_act"] is may_act and ("token" in first) is may_act
        events.close()
