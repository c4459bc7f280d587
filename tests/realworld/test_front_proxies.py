"""Sessions through nginx, Apache, HAProxy and Caddy, each on its recipe of docs/front-proxies.md."""

from __future__ import annotations

import hashlib
import http.client
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from tests.blackbox.clients import new_handle
from tests.blackbox.conftest import CHILD_TEXT
from tests.blackbox.harness import BOUND, ROOT, Answer, Gateway, read_answer
from tests.realworld.proxies import HOST, Proxy, block

pytestmark = pytest.mark.realworld
CLIENT = "127.0.0.9"  # not the proxy's own address
LARGE = 40 << 20


class Way:
    """The way to a gateway through a proxy: over TLS, from an address of its own."""

    def __init__(self, proxy: Proxy, gateway: Gateway, authority: trustme.CA) -> None:
        self.proxy, self.gateway = proxy, gateway
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        authority.configure_trust(self._context)
        self.roots = proxy.folder / "roots.pem"
        authority.cert_pem.write_to_path(str(self.roots))

    def connect(self) -> http.client.HTTPConnection:
        """A connection by HTTP/1.1."""
        plain = socket.create_connection(("127.0.0.1", self.proxy.port), BOUND, (CLIENT, 0))
        connection = http.client.HTTPConnection(HOST)
        connection.sock = self._context.wrap_socket(plain, server_hostname=HOST)
        return connection

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """One request by HTTP/1.1."""
        connection = self.connect()
        try:
            connection.request(
                method, path, body, {name.replace("_", "-"): value for name, value in headers.items()}
            )
            return read_answer(connection.getresponse())
        finally:
            connection.close()

    def curl(self, path: str, *arguments: str) -> str:
        """What curl prints."""
        url, place = f"https://{HOST}:{self.proxy.port}{path}", f"{HOST}:{self.proxy.port}:127.0.0.1"
        command = ["curl", "-q", "-sS", "--noproxy", "*", "--cacert", str(self.roots), "--resolve", place]
        return subprocess.run([*command, *arguments, url], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def gateway(new_root: Callable[[], Path]) -> Iterator[Gateway]:
    """A gateway with the directives of the page."""
    folder = new_root()
    gateway = Gateway(folder)
    page = block("The gateway's side", "apache")
    assert page.startswith("Listen 127.0.0.1:8080\n")
    gateway.configure(page.partition("\n")[2] + "CGIActivationGroup python .py")
    gateway.program("child", CHILD_TEXT)
    shutil.copy(ROOT / "cgi-bin" / "counter.py", gateway.cgi_bin)
    (gateway.htdocs / "folder").mkdir()
    gateway.start()
    yield gateway
    gateway.stop()


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(kind, marks=pytest.mark.needs(kind, "curl"))
        for kind in ("nginx", "apache2", "haproxy", "caddy")
    ],
)
def way(request: pytest.FixtureRequest, gateway: Gateway, new_root: Callable[[], Path]) -> Iterator[Way]:
    authority = trustme.CA()
    proxy = Proxy(request.param, new_root(), gateway.port, authority)
    yield Way(proxy, gateway, authority)
    proxy.stop()


def test_the_counter_is_clicked_through_over_http_2(way: Way) -> None:
    page = way.curl("/cgi-bin/counter.py", "--http2", "-w", "%{http_version}")
    for count in range(1, 4):
        assert page.endswith("2")
        assert f"<output>{count}</output>" in page
        form = re.search(r'<form method="post" action="([^"]+)">', page)
        assert form
        page = way.curl(form[1], "--http2", "-w", "%{http_version}", "-d", "note=a+note")
        assert "a note" in page


def test_the_clients_address_and_the_scheme_are_the_programs(way: Way) -> None:
    wanted = "env=REMOTE_ADDR&env=HTTPS&env=HTTP_HOST&env=HTTP_X_FORWARDED_FOR"
    told = way.ask("GET", f"/cgi-bin/child?{wanted}", Host=f"{HOST}:{way.proxy.port}").text
    assert f"REMOTE_ADDR={CLIENT}" in told
    assert "HTTPS=on" in told
    assert f"HTTP_HOST={HOST}:{way.proxy.port}" in told


def test_a_client_cannot_choose_its_address(way: Way) -> None:
    told = way.ask("GET", "/cgi-bin/child?env=REMOTE_ADDR", X_Forwarded_For="203.0.113.7").text
    assert f"REMOTE_ADDR={CLIENT}" in told


def test_a_redirect_to_a_folder_stays_on_the_clients_side(way: Way) -> None:
    target = way.ask("GET", "/folder").header("location")
    assert target in ("/folder/", f"https://{HOST}/folder/")


def test_a_response_arrives_piece_by_piece(way: Way, tmp_path: Path) -> None:
    connection = way.connect()
    connection.request("GET", f"/cgi-bin/child?echo=first&flush&wait={tmp_path}/go&echo=second")
    response = connection.getresponse()
    assert response.read1(100) == b"first"
    (tmp_path / "go").touch()
    assert response.read() == b"second"
    connection.close()


def test_a_response_that_was_cut_is_not_taken_for_a_whole_one(way: Way) -> None:
    connection = way.connect()
    connection.request("GET", "/cgi-bin/child?echo=first&flush&kill=KILL")
    try:
        connection.getresponse().read()
    except (http.client.IncompleteRead, ConnectionError, ssl.SSLError):
        return
    finally:
        connection.close()
    assert way.proxy.kind == "caddy", "only Caddy before 2.7 does that"


def test_a_large_upload_passes_whole(way: Way) -> None:
    body = bytes(range(256)) * (LARGE // 256)
    told = way.ask("POST", "/cgi-bin/child?digest", body).text
    assert f"{LARGE}" in told
    assert hashlib.sha256(body).hexdigest() in told


def test_a_body_above_the_gateways_limit_is_413_with_the_gateways_page(way: Way, tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(65 << 20)
    headers = ("-H", "Accept: application/json", "-H", "Expect:")
    answer = way.curl("/cgi-bin/child?digest", "--http1.1", "-i", *headers, "--data-binary", f"@{large}")
    assert answer.startswith("HTTP/1.1 413 ")
    assert '"status":413' in answer.replace(" ", "")


def test_the_page_of_a_session_that_is_over_is_the_gateways(way: Way) -> None:
    handle = new_handle()
    assert way.ask("GET", f"/cgi-bin/child?handle={handle}&count").number("count") == 1
    assert way.ask("GET", f"/cgi-bin/child/{handle}?count").number("count") == 2
    over = way.ask("GET", f"/cgi-bin/child/{handle}", Accept="text/html")
    assert over.status == 410
    assert over.header("x-htsession-ended") == "ended"
    assert "<h1" in over.text


def test_a_path_arrives_as_it_was_sent(way: Way) -> None:
    told = way.ask("GET", "/cgi-bin/child/a%2Fb//c%3Fd?env=REQUEST_URI").text
    assert "REQUEST_URI=/cgi-bin/child/a%2Fb//c%3Fd?env=REQUEST_URI" in told
