"""The client behind a trusted proxy (RemoteIPHeader, RemoteIPTrustedProxy, RemoteIPInternalProxy)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blackbox.clients import ask_unix
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.harness import Gateway, wait_for

DIRECTIVES = """
    ServerName main.test
    <VirtualHost *>
      ServerName trusting.test
      CustomLog logs/access "%a %{c}a %h %U"
      ScriptAlias /cgi-bin/ cgi-bin/
      RemoteIPHeader X-Forwarded-For
      RemoteIPTrustedProxy 127.0.0.1 198.51.100.0/24
      <Location /cgi-bin/from-there>
        Require ip 203.0.113.0/24
      </Location>
      <Location /cgi-bin/from-here>
        Require local
      </Location>
    </VirtualHost>
    <VirtualHost *>
      ServerName internal.test
      ScriptAlias /cgi-bin/ cgi-bin/
      RemoteIPHeader X-Client
      RemoteIPInternalProxy 127
    </VirtualHost>
    <VirtualHost *>
      ServerName distrusting.test
      ScriptAlias /cgi-bin/ cgi-bin/
      RemoteIPHeader X-Forwarded-For
      RemoteIPTrustedProxy 10.0.0.0/8
    </VirtualHost>
    <VirtualHost *>
      ServerName nobody.test
      ScriptAlias /cgi-bin/ cgi-bin/
      RemoteIPHeader X-Forwarded-For
    </VirtualHost>
    <VirtualHost *>
      ServerName plain.test
      ScriptAlias /cgi-bin/ cgi-bin/
    </VirtualHost>
"""
ENV = "env=REMOTE_ADDR&env=HTTP_X_FORWARDED_FOR"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("socket") / "s"


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve, place: Path) -> Gateway:
    gateway = serve_shared(f"Listen unix:{place}\n{DIRECTIVES}")
    for name in ("from-there/child", "from-here/child"):
        gateway.program(name, CHILD_TEXT)
    return gateway


def seen(gateway: Gateway, host: str, forwarded: str | None, query: str = ENV) -> list[str]:
    """The values that the program sees."""
    sent = {"Host": host} | ({} if forwarded is None else {"X-Forwarded-For": forwarded})
    text = gateway.request("GET", f"/cgi-bin/child?{query}", None, sent).text
    return [line.partition("=")[2] for line in text.splitlines()]


def test_the_client_is_the_one_that_a_trusted_proxy_names(gateway: Gateway) -> None:
    assert seen(gateway, "trusting.test", "203.0.113.9") == ["203.0.113.9", "<absent>"]


def test_the_port_of_that_client_is_not_known(gateway: Gateway) -> None:
    assert seen(gateway, "trusting.test", "203.0.113.9", "env=REMOTE_PORT") == ["<absent>"]
    assert seen(gateway, "trusting.test", None, "env=REMOTE_PORT") != ["<absent>"]


def test_what_comes_before_the_client_in_the_list_stays_in_the_header(gateway: Gateway) -> None:
    forwarded = "192.0.2.66, 203.0.113.9, 198.51.100.2"
    assert seen(gateway, "trusting.test", forwarded) == ["203.0.113.9", "192.0.2.66"]


def test_several_headers_are_one_list(gateway: Gateway) -> None:
    lines = "X-Forwarded-For: 192.0.2.66\r\nX-Forwarded-For: 203.0.113.9, 198.51.100.2\r\n"
    data = f"GET /cgi-bin/child?{ENV} HTTP/1.1\r\nHost: trusting.test\r\n{lines}Connection: close\r\n\r\n"
    assert b"REMOTE_ADDR=203.0.113.9\nHTTP_X_FORWARDED_FOR=192.0.2.66\n" in gateway.raw(data.encode())


@pytest.mark.parametrize("junk", ["junk", "203.0.113.9.1", "192.168.1.1", "127.0.0.1", "::1", "fe80::1%lo", ""])
def test_what_is_no_public_address_ends_the_walk(gateway: Gateway, junk: str) -> None:
    assert seen(gateway, "trusting.test", junk) == ["127.0.0.1", junk]
    found = seen(gateway, "trusting.test", f"{junk}, 203.0.113.9")
    assert found == ["203.0.113.9", junk or "<absent>"]


def test_ipv6_and_ports_are_understood(gateway: Gateway) -> None:
    assert seen(gateway, "trusting.test", "2001:db8::1")[0] == "2001:db8::1"
    assert seen(gateway, "trusting.test", "[2001:db8::1]:4711")[0] == "2001:db8::1"
    assert seen(gateway, "trusting.test", "203.0.113.9:4711")[0] == "203.0.113.9"


@pytest.mark.parametrize("host", ["distrusting.test", "nobody.test", "plain.test"])
def test_a_header_of_somebody_else_is_a_header_as_any_other(gateway: Gateway, host: str) -> None:
    assert seen(gateway, host, "203.0.113.9") == ["127.0.0.1", "203.0.113.9"]


def test_an_internal_proxy_may_name_private_addresses(gateway: Gateway) -> None:
    sent = {"Host": "internal.test", "X-Client": "192.168.1.1"}
    answer = gateway.request("GET", "/cgi-bin/child?env=REMOTE_ADDR", None, sent)
    assert answer.text == "REMOTE_ADDR=192.168.1.1\n"


def test_require_sees_the_client(gateway: Gateway) -> None:
    def status(place: str, forwarded: str) -> int:
        sent = {"Host": "trusting.test", "X-Forwarded-For": forwarded}
        return gateway.request("GET", f"/cgi-bin/{place}/child?echo=x", None, sent).status

    assert [status("from-there", client) for client in ("203.0.113.9", "203.0.114.9")] == [200, 403]
    assert status("from-here", "203.0.113.9") == 403
    assert gateway.get("/cgi-bin/from-here/child?echo=x", Host="trusting.test").status == 200


def test_the_error_log_names_the_client(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/from-there/child", Host="trusting.test", X_Forwarded_For="198.51.100.77, 192.0.2.33")
    gateway.wait_log(
        r"\[client 192\.0\.2\.33\] client denied by server configuration: /cgi-bin/from-there/child"
    )


def test_the_access_log_tells_the_client_from_the_proxy(gateway: Gateway) -> None:
    seen(gateway, "trusting.test", "203.0.113.77")
    log = gateway.folder / "logs" / "access"
    wait_for("the line", lambda: "203.0.113.77 127.0.0.1 203.0.113.77 /cgi-bin/child\n" in log.read_text())


def test_a_living_session_sees_the_client_of_each_request(gateway: Gateway) -> None:
    texts = []
    for path in ("child", "child/behind-proxy"):
        for client in ("203.0.113.1", "203.0.113.2"):
            query = "handle=behind-proxy&env=REMOTE_ADDR&env=REMOTE_PORT"
            sent = {"Host": "trusting.test", "X-Forwarded-For": client}
            answer = gateway.request("GET", f"/cgi-bin/{path}?{query}", None, sent)
            texts.append(answer.text)
    expected = [f"REMOTE_ADDR=203.0.113.{number}\nREMOTE_PORT=<absent>\n" for number in (1, 2)]
    assert texts == expected * 2


def test_a_proxy_on_a_unix_socket_is_trusted(gateway: Gateway, place: Path) -> None:
    def over(host: str) -> str:
        lines = f"Host: {host}", "X-Forwarded-For: 203.0.113.1, 192.168.1.1"
        return ask_unix(place, f"/cgi-bin/child?{ENV}", *lines).text

    assert over("nobody.test") == "REMOTE_ADDR=192.168.1.1\nHTTP_X_FORWARDED_FOR=203.0.113.1\n"
    assert over("plain.test") == "REMOTE_ADDR=unix:\nHTTP_X_FORWARDED_FOR=203.0.113.1, 192.168.1.1\n"
