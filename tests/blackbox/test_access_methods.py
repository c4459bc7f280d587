"""`<Limit>`, `<LimitExcept>` and `Require env` on the wire: programs, sessions, error documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blackbox.clients import new_handle
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.credentials import basic, guarded, write_users
from tests.blackbox.harness import Gateway


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    users: Path = tmp_path_factory.mktemp("users") / "users"
    write_users(users, "ada")
    limited = guarded(users, "<LimitExcept GET POST>\nRequire valid-user\n</LimitExcept>")
    gateway = serve_shared(f"""
        SetEnvIf X-Secret "^abc$" let_me_in
        BrowserMatch Robot robot
        SetEnv late 1
        <Location /cgi-bin/writing>
          {limited}
        </Location>
        <Location /cgi-bin/old>
          <Limit GET POST>
            Order deny,allow
            Deny from all
            Allow from 10
          </Limit>
        </Location>
        <Location /cgi-bin/secret>
          Require env let_me_in
        </Location>
        <Location /cgi-bin/late>
          Require env late
        </Location>
        <Location /cgi-bin/people>
          Order allow,deny
          Allow from all
          Deny from env=robot
        </Location>
        <Location /inner>
          Require env REDIRECT_STATUS
        </Location>
        ErrorDocument 404 /inner/missing.html
    """)
    for folder in ("writing", "old", "secret", "late", "people"):
        gateway.program(f"{folder}/child", CHILD_TEXT)
    (gateway.htdocs / "inner").mkdir()
    (gateway.htdocs / "inner" / "missing.html").write_text("nothing there")
    return gateway


def status(gateway: Gateway, method: str, path: str, **headers: str) -> int:
    return gateway.request(method, f"/cgi-bin/{path}", None, headers).status


def test_LimitExcept_asks_for_a_user_where_a_method_is_not_named(gateway: Gateway) -> None:
    assert [status(gateway, name, "writing/child") for name in ("GET", "HEAD", "POST")] == [200, 200, 200]
    assert [status(gateway, name, "writing/child") for name in ("PUT", "DELETE", "MKCOL")] == [401, 401, 401]
    assert status(gateway, "PUT", "writing/child", Authorization=basic("ada")) == 200


def test_Limit_around_the_old_directives_keeps_out_its_methods(gateway: Gateway) -> None:
    assert [status(gateway, name, "old/child") for name in ("GET", "HEAD", "POST")] == [403, 403, 403]
    assert status(gateway, "PUT", "old/child") == 200


def test_a_living_session_is_limited_too(gateway: Gateway) -> None:
    handle = new_handle()
    assert status(gateway, "GET", f"writing/child?handle={handle}") == 200
    assert status(gateway, "PUT", f"writing/child/{handle}?handle={handle}") == 401
    assert status(gateway, "GET", f"writing/child/{handle}?handle={handle}") == 200


def test_a_header_that_SetEnvIf_knows_lets_in(gateway: Gateway) -> None:
    assert gateway.get("/cgi-bin/secret/child", X_Secret="abc").status == 200
    assert gateway.get("/cgi-bin/secret/child", X_Secret="abcd").status == 403
    assert gateway.get("/cgi-bin/secret/child").status == 403


def test_a_living_session_is_asked_for_the_variable_each_time(gateway: Gateway) -> None:
    handle = new_handle()
    assert gateway.get(f"/cgi-bin/secret/child?handle={handle}", X_Secret="abc").status == 200
    url = f"/cgi-bin/secret/child/{handle}?handle={handle}"
    assert gateway.get(url).status == 403
    assert gateway.get(url, X_Secret="abc").status == 200


def test_SetEnv_comes_too_late_for_access(gateway: Gateway) -> None:
    assert gateway.get("/cgi-bin/late/child").status == 403


def test_Deny_from_env_keeps_out_whom_BrowserMatch_knows(gateway: Gateway) -> None:
    assert gateway.get("/cgi-bin/people/child", User_Agent="Robot/1").status == 403
    assert gateway.get("/cgi-bin/people/child", User_Agent="Browser/1").status == 200


def test_REDIRECT_STATUS_lets_in_error_documents_only(gateway: Gateway) -> None:
    assert gateway.get("/nowhere").text == "nothing there"
    assert gateway.get("/inner/missing.html").status == 403
    assert gateway.get("/inner/missing.html", REDIRECT_STATUS="200", Redirect_Status="200").status == 403
