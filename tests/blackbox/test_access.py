"""Who may come in: Require on every way to a program, a file or a folder (spec 1 R9, W1; spec 3, Access)."""

from __future__ import annotations

import http.client
import re
import subprocess
from pathlib import Path

import pytest

from tests.blackbox.clients import ask_unix, new_handle
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.credentials import basic, guarded, line, write_users
from tests.blackbox.harness import BOUND, Gateway, read_answer

CHILD = "/cgi-bin/private/child"
SWITCHES = {"-m": "apr1", "-s": "sha1", "-d": "crypt", "-B": "bcrypt", "-2": "sha256", "-5": "sha512"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("users")
    write_users(folder / "users", "ada", "bob", "eve", "käthe", "a%20b", "with space")
    write_users(folder / "others", "zoe")
    (folder / "groups").write_text("# groups\r\nstaff: ada\r\nstaff: bob\n\nwheel: ada\n")
    return folder


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve, files: Path) -> Gateway:
    users, groups = files / "users", f"AuthGroupFile {files}/groups"
    gateway = serve_shared(
        f"""
        ServerName main.test
        <Location /cgi-bin/private>
          {guarded(users)}
        </Location>
        <Location /cgi-bin/private/open>
          Require all granted
        </Location>
        <Location /cgi-bin/passed>
          CGIPassAuth On
        </Location>
        <Location /cgi-bin/staff>
          {guarded(users, "Require group staff", groups)}
        </Location>
        <Location /cgi-bin/wheel>
          {guarded(users, "<RequireAll>", "")}
            Require group wheel staff
            Require not user bob
          </RequireAll>
          {groups}
        </Location>
        <Location /cgi-bin/near>
          Require ip 10.0.0.0/8
          Require local
        </Location>
        <Location /cgi-bin/far>
          Require ip 10.0.0.0/8
        </Location>
        <Location /cgi-bin/reading>
          Require method GET
        </Location>
        <LocationMatch "/secret(/|$)">
          {guarded(users)}
        </LocationMatch>
        <Location /closed>
          {guarded(users)}
        </Location>
        <Location /shut>
          Require all denied
        </Location>
        <Location /old>
          Order deny,allow
          Deny from all
          Allow from 10
          Satisfy any
          {guarded(users, "Require user ada")}
        </Location>
        <Location /documented>
          ErrorDocument 404 /closed/file.txt
        </Location>
        <Location /asking>
          {guarded(users, more="ErrorDocument 401 /welcome.html")}
        </Location>
        <FilesMatch "^\\.ht">
          Require all denied
        </FilesMatch>
        <Location /half>
          Require valid-user
        </Location>
        <Location /lost>
          {guarded(files / "lost")}
        </Location>
        <Location /lostgroups>
          {guarded(users, "Require group staff", f"AuthGroupFile {files}/lostgroups")}
        </Location>
        """
        if _make(files)
        else ""
    )
    for name in ("private/child", "private/open/child", "passed/child", "staff/child", "wheel/child"):
        gateway.program(name, CHILD_TEXT)
    for name in ("near/child", "far/child", "reading/child"):
        gateway.program(name, CHILD_TEXT)
    for path in (
        "closed/index.html",
        "closed/file.txt",
        "shut/index.html",
        "old/page.html",
        "half/x",
        ".htpasswd",
        "welcome.html",
    ):
        (gateway.htdocs / path).parent.mkdir(exist_ok=True)
        (gateway.htdocs / path).write_text(f"this is {path}")
    (files / "lost").unlink()
    (files / "lostgroups").unlink()
    return gateway


def _make(files: Path) -> bool:
    """Files that are there when the directives are read."""
    (files / "lost").touch()
    (files / "lostgroups").touch()
    return True


# ---- asked, let in, refused


def test_without_credentials_the_browser_is_asked(gateway: Gateway) -> None:
    answer = gateway.get(f"{CHILD}?echo=secret", Accept="text/html")
    assert answer.status == 401
    assert answer.header("www-authenticate") == 'Basic realm="the gate", charset="UTF-8"'
    assert "secret" not in answer.text
    assert "say who you are" in answer.text


def test_the_right_password_lets_in_and_the_program_knows_the_user(gateway: Gateway) -> None:
    answer = gateway.get(
        f"{CHILD}?env=REMOTE_USER&env=AUTH_TYPE&env=HTTP_AUTHORIZATION", Authorization=basic("ada")
    )
    assert answer.text == "REMOTE_USER=ada\nAUTH_TYPE=Basic\nHTTP_AUTHORIZATION=<absent>\n"


@pytest.mark.parametrize(
    "sent",
    [
        basic("ada", "wrong"),
        basic("nobody"),
        basic("ada", ""),
        "Bearer abc",
        "Basic !!!",
        "Basic",
        basic("", "x"),
        basic("ada\0"),
        basic("ada\x01"),
    ],
)
def test_everything_else_is_asked_again(gateway: Gateway, sent: str) -> None:
    answer = gateway.get(f"{CHILD}?echo=secret", Authorization=sent)
    assert (answer.status, b"secret" in answer.body) == (401, False)


def test_two_authorization_headers_are_refused(gateway: Gateway) -> None:
    both = f"Authorization: {basic('ada')}\r\nAuthorization: {basic('bob')}\r\n"
    data = f"GET {CHILD} HTTP/1.1\r\nHost: x\r\n{both}Connection: close\r\n\r\n".encode()
    assert gateway.raw(data).startswith(b"HTTP/1.1 401 ")


def test_a_url_without_access_control_has_no_user_whatever_is_sent(gateway: Gateway) -> None:
    sent = {"Authorization": basic("ada"), "Remote-User": "ada"}
    answer = gateway.request(
        "GET", "/cgi-bin/child?env=REMOTE_USER&env=AUTH_TYPE&env=HTTP_AUTHORIZATION", None, sent
    )
    assert answer.text == "REMOTE_USER=<absent>\nAUTH_TYPE=<absent>\nHTTP_AUTHORIZATION=<absent>\n"
    open_one = gateway.request("GET", "/cgi-bin/private/open/child?env=REMOTE_USER", None, sent)
    assert open_one.text == "REMOTE_USER=<absent>\n"


def test_cgi_pass_auth_hands_the_header_to_the_program(gateway: Gateway) -> None:
    sent = {"Authorization": basic("ada"), "Proxy-Authorization": "Basic eDp5"}
    path = "/cgi-bin/passed/child?env=HTTP_AUTHORIZATION&env=HTTP_PROXY_AUTHORIZATION&env=REMOTE_USER"
    answer = gateway.request("GET", path, None, sent)
    assert answer.text == (
        f"HTTP_AUTHORIZATION={basic('ada')}\nHTTP_PROXY_AUTHORIZATION=<absent>\nREMOTE_USER=<absent>\n"
    )


def test_cgi_pass_auth_reaches_a_living_session_too(gateway: Gateway) -> None:
    handle = new_handle()
    gateway.get(f"/cgi-bin/passed/child?handle={handle}&env=HTTP_AUTHORIZATION")
    path = f"/cgi-bin/passed/child/{handle}?handle={handle}&env=HTTP_AUTHORIZATION"
    assert gateway.get(path, Authorization="Negotiate abc").text == "HTTP_AUTHORIZATION=Negotiate abc\n"
    assert gateway.get(path).text == "HTTP_AUTHORIZATION=<absent>\n"


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PROPFIND", "GET"])
def test_every_method_is_covered(gateway: Gateway, method: str) -> None:
    assert gateway.request(method, f"{CHILD}?echo=secret").status == 401


@pytest.mark.parametrize(
    ("program", "user", "status"),
    [
        ("staff", "ada", 200),
        ("staff", "bob", 200),
        ("staff", "eve", 401),
        ("wheel", "ada", 200),
        ("wheel", "bob", 401),
        ("wheel", None, 401),
        ("near", None, 200),
        ("far", None, 403),
        ("far", "ada", 403),
        ("reading", None, 200),
    ],
)
def test_groups_and_addresses(gateway: Gateway, program: str, user: str | None, status: int) -> None:
    sent = {} if user is None else {"Authorization": basic(user)}
    assert gateway.request("GET", f"/cgi-bin/{program}/child?echo=x", None, sent).status == status


def test_a_method_that_is_not_required_is_denied(gateway: Gateway) -> None:
    statuses = [gateway.request(method, "/cgi-bin/reading/child?echo=x").status for method in ("HEAD", "POST")]
    assert statuses == [200, 403]


def test_old_style_satisfy_any_asks_whom_no_address_lets_in(gateway: Gateway) -> None:
    assert gateway.get("/old/page.html").status == 401
    assert gateway.get("/old/page.html", Authorization=basic("bob")).status == 401
    assert gateway.get("/old/page.html", Authorization=basic("ada")).text == "this is old/page.html"


# ---- nothing is told to those who may not come in


@pytest.mark.parametrize(
    "path",
    [
        "/closed",
        "/closed/",
        "/closed/index.html",
        "/closed/file.txt",
        "/closed/file.txt/info",
        "/closed/nothing-here",
        "/closed/nothing/here%2Fat-all",
        "/cgi-bin/private/nothing",
        "/cgi-bin/private/child%2Fx",
        "/cgi-bin/private/",
        "/cgi-bin/private",
        "/lost/or/not/../../closed/file.txt",
    ],
)
def test_what_exists_is_not_told_before_access_is_granted(gateway: Gateway, path: str) -> None:
    answer = gateway.get(path)
    assert answer.status == 401
    assert answer.header("location") is None


def test_after_access_is_granted_it_is_told(gateway: Gateway) -> None:
    ada = basic("ada")
    statuses = {
        path: gateway.get(path, Authorization=ada).status
        for path in ("/closed", "/closed/", "/closed/file.txt", "/closed/nothing", "/cgi-bin/private/nothing")
    }
    assert list(statuses.values()) == [301, 200, 200, 404, 404], statuses


def test_all_denied_is_403_whoever_asks(gateway: Gateway) -> None:
    for path in ("/shut/", "/shut/index.html", "/shut/nothing"):
        assert gateway.get(path, Authorization=basic("ada")).status == 403
        assert gateway.get(path).status == 403


def test_files_sections_guard_htpasswd(gateway: Gateway) -> None:
    assert gateway.get("/.htpasswd").status == 403
    assert gateway.get("/%2ehtpasswd").status == 403
    assert gateway.get("/x/../.htpasswd").status == 403


@pytest.mark.parametrize(
    "path",
    [
        "/cgi-bin//private/child",
        "/cgi-bin/./private/child",
        "/cgi-bin/x/../private/child",
        "/cgi-bin/%70rivate/child",
        "/cgi-bin/%2e/private/child",
        "/cgi-bin/private%2Fchild",
        "//cgi-bin/private/child",
        "/%63gi-bin/private/child/a/b",
        "/cgi-bin/private/open/../child",
        "/cgi-bin/private/open%2F..%2Fchild",
    ],
)
def test_no_spelling_of_a_path_goes_round_a_location(gateway: Gateway, path: str) -> None:
    answer = gateway.get(f"{path}?echo=secret")
    assert answer.status in (401, 404), answer
    assert b"secret" not in answer.body


def test_path_info_can_be_guarded(gateway: Gateway) -> None:
    assert gateway.get("/cgi-bin/child/a/secret?echo=x").status == 401
    assert gateway.get("/cgi-bin/child/a/secret/b?echo=x").status == 401
    assert gateway.get("/cgi-bin/child/a/%73ecret?echo=x").status == 401
    assert gateway.get("/cgi-bin/child/a/public?echo=x").status == 200
    assert (
        gateway.get("/cgi-bin/child/secret?env=REMOTE_USER", Authorization=basic("ada")).text
        == "REMOTE_USER=ada\n"
    )


def test_a_local_redirect_is_checked_by_the_rules_of_its_target(gateway: Gateway) -> None:
    path = f"/cgi-bin/child?header=Location:+{CHILD}/x"
    assert gateway.get(path).status == 401
    assert gateway.get(path, Authorization=basic("ada")).status == 200
    assert gateway.get("/cgi-bin/child?header=Location:+/shut/index.html").status == 403


def test_a_local_redirect_out_of_a_guarded_place_takes_no_user_along(gateway: Gateway) -> None:
    path = f"{CHILD}?header=Location:+/cgi-bin/child?env%3DREMOTE_USER%26env%3DAUTH_TYPE"
    answer = gateway.get(path, Authorization=basic("ada"))
    assert answer.text == "REMOTE_USER=<absent>\nAUTH_TYPE=<absent>\n"


def test_an_error_document_is_checked_by_the_rules_of_its_own_place(gateway: Gateway) -> None:
    stranger, ada = (
        gateway.get("/documented/nothing"),
        gateway.get("/documented/nothing", Authorization=basic("ada")),
    )
    assert (stranger.status, b"this is closed" in stranger.body) == (404, False)
    assert (ada.status, ada.text) == (404, "this is closed/file.txt")


def test_an_error_document_for_401_still_asks_for_the_user(gateway: Gateway) -> None:
    answer = gateway.get("/asking/page.html")
    assert (answer.status, answer.text) == (401, "this is welcome.html")
    assert answer.header("www-authenticate") == 'Basic realm="the gate", charset="UTF-8"'


def test_a_body_is_not_asked_for_before_access_is_granted(gateway: Gateway) -> None:
    head = f"POST {CHILD} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\nExpect: 100-continue\r\n\r\n"
    with gateway.connect() as sock:
        sock.sendall(head.encode())
        response = http.client.HTTPResponse(sock, method="POST")
        response.begin()
        assert read_answer(response).status == 401


# ---- users, names and files


@pytest.mark.parametrize(
    ("sent", "user"),
    [
        (basic("käthe"), "käthe"),
        (basic("käthe", encoding="latin-1"), "käthe"),
        (basic("a%20b"), "a%20b"),
        (basic("with space"), "with space"),
    ],
)
def test_names_are_those_of_the_file(gateway: Gateway, sent: str, user: str) -> None:
    assert gateway.get(f"{CHILD}?env=REMOTE_USER", Authorization=sent).text == f"REMOTE_USER={user}\n"


def test_one_connection_may_carry_several_users(gateway: Gateway) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=BOUND)
    seen = []
    for user in ("ada", "bob", "", "ada", "eve"):
        headers = {"Authorization": basic(user)} if user else {}
        connection.request("GET", f"{CHILD}?env=REMOTE_USER", headers=headers)
        answer = read_answer(connection.getresponse())
        seen.append(answer.text.strip() if answer.status == 200 else str(answer.status))
    connection.close()
    assert seen == ["REMOTE_USER=ada", "REMOTE_USER=bob", "401", "REMOTE_USER=ada", "REMOTE_USER=eve"]


def test_a_changed_file_counts_from_the_next_request_on(serve: Serve, tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text("# nobody yet\r\n\r\n")
    gateway = serve(f"<Location /cgi-bin>\n{guarded(users)}</Location>")

    def status(sent: str) -> int:
        return gateway.get("/cgi-bin/child?echo=x", Authorization=sent).status

    assert status(basic("ada")) == 401
    users.write_text(line("ada").replace("\n", "\r\n") + line("ada", "second"))
    assert [status(basic("ada")), status(basic("ada", "second"))] == [200, 401]
    users.write_text(line("ada", "new"))
    assert [status(basic("ada")), status(basic("ada", "new"))] == [401, 200]


@pytest.mark.needs("htpasswd")
@pytest.mark.parametrize("switch", SWITCHES, ids=SWITCHES.values())
def test_every_hash_that_htpasswd_writes_opens_the_door(gateway: Gateway, files: Path, switch: str) -> None:
    name = "user" + switch[1:]
    subprocess.run(
        ["htpasswd", "-b", switch, str(files / "users"), name, "s3cret"], check=True, capture_output=True
    )
    answer = gateway.get(f"{CHILD}?env=REMOTE_USER", Authorization=basic(name, "s3cret"))
    assert answer.text == f"REMOTE_USER={name}\n"
    assert gateway.get(CHILD, Authorization=basic(name, "x3cret")).status == 401


@pytest.mark.needs("htpasswd")
def test_plain_text_in_a_file_opens_nothing(gateway: Gateway, files: Path) -> None:
    with open(files / "users", "a") as file:
        file.write("plain:s3cret\n")
    assert gateway.get(CHILD, Authorization=basic("plain", "s3cret")).status == 401


def test_two_virtual_hosts_have_their_own_users(serve: Serve, files: Path) -> None:
    gateway = serve(
        f"""
        <VirtualHost *>
          ServerName one.test
          DocumentRoot htdocs
          <Location /page>
            {guarded(files / "users")}
          </Location>
        </VirtualHost>
        <VirtualHost *>
          ServerName two.test
          DocumentRoot htdocs
          <Location /page>
            {guarded(files / "others")}
          </Location>
        </VirtualHost>
        """
    )
    (gateway.htdocs / "page").write_text("x")
    asked = [(host, user) for host in ("one.test", "two.test") for user in ("ada", "zoe")]
    statuses = [gateway.get("/page", Host=host, Authorization=basic(user)).status for host, user in asked]
    assert statuses == [200, 401, 401, 200]


# ---- what cannot be asked, and what the log says


@pytest.mark.parametrize(
    ("path", "log"),
    [
        ("/half/x", r"expected AuthType Basic, AuthName and AuthUserFile, found not all of them: /half/x"),
        ("/lost/x", r"AuthUserFile .*/lost: No such file or directory: /lost/x"),
        ("/lostgroups/x", r"AuthGroupFile .*/lostgroups: No such file or directory: /lostgroups/x"),
    ],
)
def test_a_guard_that_cannot_work_lets_nobody_in(gateway: Gateway, path: str, log: str) -> None:
    answer = gateway.get(path, Authorization=basic("ada"))
    assert answer.status == 500
    gateway.wait_log(log)


@pytest.mark.parametrize(
    ("path", "sent", "log"),
    [
        ("/shut/%0Aforged", basic("ada"), r"client denied by server configuration: /shut/%0Aforged\n"),
        (f"{CHILD}/1", basic("ada", "wr0ng"), rf"user ada: authentication failure.*: {CHILD}/1\n"),
        (f"{CHILD}/2", basic("no\u2028body", "wr0ng"), rf"user no\\\S+body: not found: {CHILD}/2\n"),
        ("/cgi-bin/staff/child/3", basic("eve"), r"user eve: not let in by Require: /cgi-bin/staff/child/3\n"),
        (
            f"{CHILD}/4",
            basic("ada\n[forged]", "wr0ng"),
            rf"control characters in a name or password: {CHILD}/4\n",
        ),
    ],
)
def test_every_refusal_is_logged_and_no_password_is(gateway: Gateway, path: str, sent: str, log: str) -> None:
    gateway.get(path, Authorization=sent)
    gateway.wait_log(r"\[client 127\.0\.0\.1:\d+\] " + log)
    assert "wr0ng" not in gateway.log
    assert sent.split()[1] not in gateway.log


def test_the_first_question_is_not_worth_a_line(gateway: Gateway) -> None:
    gateway.get(f"{CHILD}/unasked")
    gateway.get(f"{CHILD}/asked", Authorization="Bearer x")
    gateway.wait_log("another scheme than Basic: .*asked")
    assert "/unasked" not in gateway.log


def test_a_living_sessions_handle_is_masked_in_a_refusal(gateway: Gateway) -> None:
    handle = new_handle() + "-hidden"
    gateway.get(f"{CHILD}?handle={handle}", Authorization=basic("ada"))
    gateway.get(f"{CHILD}/{handle}/x", Authorization=basic("ada", "wr0ng"))
    gateway.wait_log(rf"authentication failure.*: {CHILD}/hand\.\.\./x\n")
    assert "-hidden" not in gateway.log


def test_a_retired_sessions_handle_is_masked_in_a_refusal(gateway: Gateway) -> None:
    handle = new_handle() + "-retired"
    gateway.get(f"{CHILD}?handle={handle}", Authorization=basic("ada"))
    gateway.get(f"{CHILD}/{handle}?echo=last", Authorization=basic("ada"))
    assert gateway.get(f"{CHILD}/{handle}/y", Authorization=basic("ada")).status == 410
    gateway.get(f"{CHILD}/{handle}/y", Authorization=basic("ada", "wr0ng"))
    gateway.wait_log(rf"authentication failure.*: {CHILD}/hand\.\.\./y\n")
    assert "-retired" not in gateway.log


def test_over_a_unix_socket_a_client_is_local_and_has_no_address(serve: Serve, tmp_path: Path) -> None:
    place = tmp_path / "s"
    gateway = serve(
        f"Listen unix:{place}\n<Location /near>\nRequire local\n</Location>\n"
        "<Location /far>\nRequire ip 127.0.0.1\n</Location>"
    )
    for name in ("near", "far"):
        (gateway.htdocs / name).write_text("x")
    assert [ask_unix(place, f"/{name}").status for name in ("near", "far")] == [200, 403]


def test_a_url_that_is_guarded_below_a_living_sessions_asks_there(gateway: Gateway) -> None:
    handle = new_handle()
    gateway.get(f"/cgi-bin/child?handle={handle}")
    assert gateway.get(f"/cgi-bin/child/{handle}/secret?handle={handle}&count").status == 401
    assert re.match("count=2 ", gateway.get(f"/cgi-bin/child/{handle}/open?handle={handle}&count").text)
