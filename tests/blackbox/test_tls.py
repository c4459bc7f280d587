"""TLS: certificates, virtual hosts by name, versions, clients that do not speak it; sessions over it."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from tests.blackbox.clients import new_handle
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import BOUND, Answer, Gateway, free_port, read_answer, wait_for
from tests.blackbox.raw import Raw

NUMBERS = 1_000_000
FIRST, SECOND, PLAIN = "first.example", "second.example", "plain.example"
DIRECTIVES = """
Listen 127.0.0.1:{tls}
Listen 127.0.0.1:{other} https
SSLCertificateFile {folder}/other.pem
RequestReadTimeout handshake=500ms header=500ms
KeepAliveTimeout 60
PersistentCGITimeout 90
<VirtualHost *:{tls}>
    ServerName first.example
    SSLEngine On
    SSLCertificateFile {folder}/first.crt
    SSLCertificateKeyFile {folder}/first.key
    SetEnv WHO first
</VirtualHost>
<VirtualHost *:{tls}>
    ServerName second.example
    SSLEngine On
    SSLCertificateFile {folder}/second.pem
    SSLProtocol TLSv1.3
    PersistentCGIBind cookie
    SetEnv WHO second
</VirtualHost>
"""


class Authority:
    """Makes certificates, and clients that trust them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ca = trustme.CA()

    def issue(self, name: str, stem: str) -> trustme.LeafCert:
        """Write `stem`.crt, `stem`.key, and both in `stem`.pem."""
        cert = self._ca.issue_cert(name)
        cert.private_key_pem.write_to_path(str(self.folder / f"{stem}.key"))
        cert.cert_chain_pems[0].write_to_path(str(self.folder / f"{stem}.crt"))
        cert.private_key_and_cert_chain_pem.write_to_path(str(self.folder / f"{stem}.pem"))
        return cert

    def client(self, highest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED) -> ssl.SSLContext:
        """What a browser would begin with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._ca.configure_trust(context)
        context.maximum_version = highest
        return context


class Tls:
    """A gateway, its ports of TLS, and who made its certificates."""

    def __init__(self, gateway: Gateway, authority: Authority, port: int, other: int) -> None:
        self.gateway, self.authority, self.port, self.other = gateway, authority, port, other

    def connect(self, name: str | None, port: int = 0, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
        """A connection to the first port of TLS; without a name nothing is checked."""
        chosen = context or self.authority.client()
        if name is None:
            chosen.check_hostname = False
        sock = socket.create_connection(("127.0.0.1", port or self.port), timeout=BOUND)
        return chosen.wrap_socket(sock, server_hostname=name)

    def get(self, path: str, name: str = FIRST, port: int = 0) -> Answer:
        """GET on a connection of its own."""
        with self.connect(name, port) as sock:
            return ask(sock, path, name)


def ask(sock: ssl.SSLSocket, path: str, name: str = FIRST) -> Answer:
    """GET on this connection, which stays open."""
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
    response = http.client.HTTPResponse(sock)
    response.begin()
    return read_answer(response)


def peer(sock: ssl.SSLSocket) -> str:
    """The name in the certificate that was shown."""
    shown = sock.getpeercert()
    assert shown is not None
    names = shown["subjectAltName"]
    return str(names[0][1])


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    authority = Authority(tmp_path_factory.mktemp("certificates"))
    for name, stem in [(FIRST, "first"), (SECOND, "second"), (PLAIN, "other")]:
        authority.issue(name, stem)
    return authority


@pytest.fixture(scope="module")
def tls(serve_shared: Serve, authority: Authority) -> Tls:
    port, other = free_port(), free_port()
    gateway = serve_shared(DIRECTIVES.format(tls=port, other=other, folder=authority.folder))
    (gateway.htdocs / "large").write_bytes(bytes(range(256)) * 16384)
    gateway.program("large", f"#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nseq {NUMBERS}\n")
    return Tls(gateway, authority, port, other)


VARIABLES = "/cgi-bin/child?env=HTTPS&env=REQUEST_SCHEME&env=SERVER_PORT&env=SERVER_NAME&env=WHO"


def test_a_program_knows_that_the_request_was_encrypted(tls: Tls) -> None:
    expected = f"HTTPS=on\nREQUEST_SCHEME=https\nSERVER_PORT={tls.port}\nSERVER_NAME=first.example\nWHO=first\n"
    assert tls.get(VARIABLES).text == expected


def test_W2_the_cookie_of_a_session_is_Secure_under_TLS(tls: Tls) -> None:
    answer = tls.get("/cgi-bin/child?handle=a-session-bound-under-tls", SECOND)
    assert (answer.header("set-cookie") or "").endswith("; Path=/cgi-bin/child; HttpOnly; SameSite=Lax; Secure")


def test_a_plain_request_is_not_HTTPS(tls: Tls) -> None:
    text = tls.gateway.get(VARIABLES).text
    assert "HTTPS=on" not in text
    assert f"REQUEST_SCHEME=http\nSERVER_PORT={tls.gateway.port}\n" in text


@pytest.mark.parametrize(("name", "who"), [(FIRST, "first"), (SECOND, "second")])
def test_the_certificate_is_that_of_the_host_which_is_named(tls: Tls, name: str, who: str) -> None:
    with tls.connect(name) as sock:
        assert peer(sock) == name
        assert f"WHO={who}\n" in ask(sock, VARIABLES, name).text


def test_without_a_name_the_first_host_answers(tls: Tls) -> None:
    with tls.connect(None) as sock:
        assert peer(sock) == FIRST


def test_a_port_that_says_https_has_the_certificate_of_the_main_server(tls: Tls) -> None:
    with tls.connect(PLAIN, tls.other) as sock:
        assert peer(sock) == PLAIN
        assert "HTTPS=on\n" in ask(sock, VARIABLES, PLAIN).text


def test_versions_before_1_2_are_refused_and_1_2_is_spoken(tls: Tls) -> None:
    with tls.connect(FIRST, context=tls.authority.client(ssl.TLSVersion.TLSv1_2)) as sock:
        assert sock.version() == "TLSv1.2"
        assert ask(sock, "/cgi-bin/child?echo=x").text == "x"
    old = tls.authority.client()
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        tls.connect(FIRST, context=old)


def test_a_connection_is_kept_alive_and_serves_large_files_both_ways(tls: Tls) -> None:
    content = (tls.gateway.htdocs / "large").read_bytes()
    with tls.connect(FIRST) as sock:
        for _ in range(2):
            assert ask(sock, "/large").body == content
        sock.sendall(
            b"POST /cgi-bin/child?digest HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(content)
        )
        sock.sendall(content)
        response = http.client.HTTPResponse(sock)
        response.begin()
        assert f"length={len(content)} ".encode() in response.read()
        assert ask(sock, "/cgi-bin/child?echo=after").text == "after"


def test_a_large_response_of_a_program_comes_whole_and_in_order(tls: Tls) -> None:
    with tls.connect(FIRST) as sock:
        assert ask(sock, "/cgi-bin/large").text == "".join(f"{n}\n" for n in range(1, NUMBERS + 1))
        assert ask(sock, "/cgi-bin/child?echo=after").text == "after"


def test_an_unread_body_does_not_eat_the_answer(tls: Tls) -> None:
    with tls.connect(FIRST) as sock:
        sock.sendall(b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 8388608\r\n\r\n")
        sock.sendall(b"x" * 8388608)
        response = http.client.HTTPResponse(sock)
        response.begin()
        assert (response.status, response.getheader("connection")) == (404, "close")
        assert b"</html>" in response.read()


def test_a_request_that_comes_with_the_handshake_is_answered(tls: Tls) -> None:
    """The client's last flight of TLS 1.3 and its request may arrive together."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = tls.authority.client().wrap_bio(incoming, outgoing, server_hostname=FIRST)
    with socket.create_connection(("127.0.0.1", tls.port), timeout=BOUND) as sock:
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                sock.sendall(outgoing.read())
                incoming.write(sock.recv(65536))
        client.write(b"GET /cgi-bin/child?echo=early HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        sock.sendall(outgoing.read())
        received = b""
        while b"early" not in received:
            try:
                received += client.read(65536)
            except ssl.SSLWantReadError:
                incoming.write(sock.recv(65536))


def test_a_plain_request_to_a_port_of_TLS_does_not_hang(tls: Tls) -> None:
    with Raw(tls.gateway, socket.create_connection(("127.0.0.1", tls.port))) as client:
        client.send(b"GET /cgi-bin/child?echo=hidden HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"hidden" not in client.rest()


@pytest.mark.parametrize("start", [b"", b"\x16\x03\x01"])
def test_a_handshake_that_stalls_is_closed(tls: Tls, start: bytes) -> None:
    with Raw(tls.gateway, socket.create_connection(("127.0.0.1", tls.port))) as client:
        client.send(start)
        assert client.rest() == b""


def test_a_head_that_stalls_is_408_here_too(tls: Tls) -> None:
    with tls.connect(FIRST) as sock:
        sock.sendall(b"GET / HT")
        assert sock.recv(65536).startswith(b"HTTP/1.1 408 ")


def test_the_addresses_are_announced_with_their_schemes(tls: Tls) -> None:
    assert f"serving https://127.0.0.1:{tls.port}/" in tls.gateway.output
    assert f"serving https://127.0.0.1:{tls.other}/" in tls.gateway.output
    assert f"serving http://127.0.0.1:{tls.gateway.port}/" in tls.gateway.output


def test_a_session_lives_on_through_a_reload_and_the_end_of_a_front(tls: Tls) -> None:
    handle = new_handle()
    assert tls.get(f"/cgi-bin/child?handle={handle}&count").text.startswith("count=1 ")
    url = f"/cgi-bin/child/{handle}?handle={handle}&count"
    tls.gateway.reload()
    assert tls.get(url).text.startswith("count=2 ")
    tls.gateway.kill_front()
    assert tls.get(url).text.startswith("count=3 ")


def test_a_reload_takes_a_renewed_certificate_and_leaves_connections_alone(tls: Tls) -> None:
    with tls.connect(SECOND) as kept:
        before = kept.getpeercert(binary_form=True)
        assert ask(kept, "/cgi-bin/child?echo=kept").text == "kept"
        tls.authority.issue(SECOND, "second")
        tls.gateway.reload()
        with tls.connect(SECOND) as sock:
            assert sock.getpeercert(binary_form=True) != before
        assert ask(kept, "/cgi-bin/child?echo=kept").text == "kept"


def test_MaxConnections_counts_handshakes_and_answers_503(serve: Serve, authority: Authority) -> None:
    port = free_port()
    gateway = serve(
        f"MaxConnections 3\nSSLCertificateFile {authority.folder}/first.pem\nListen 127.0.0.1:{port} https\n"
    )
    tls = Tls(gateway, authority, port, 0)
    kept = [tls.connect(FIRST) for _ in range(3)]
    wait_for("503", lambda: tls.get("/cgi-bin/child?echo=x").status == 503)
    assert ask(kept[0], "/cgi-bin/child?echo=x").text == "x"
    silent = [socket.create_connection(("127.0.0.1", port), timeout=BOUND) for _ in range(100)]
    refused = [sock for sock in silent if _closed(sock)]
    assert refused
    assert ask(kept[1], "/cgi-bin/child?echo=x").text == "x"
    for sock in [*silent, *kept]:
        sock.close()


def _closed(sock: socket.socket) -> bool:
    sock.settimeout(0.01)
    try:
        return sock.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


@pytest.mark.needs("curl")
def test_curl_is_content(tls: Tls) -> None:
    authority = tls.authority.folder / "ca.pem"
    tls.authority._ca.cert_pem.write_to_path(str(authority))
    url = f"https://{FIRST}:{tls.port}/cgi-bin/child?env=HTTPS"
    where = f"{FIRST}:{tls.port}:127.0.0.1"
    for version in ("--http1.1", "--http2"):
        command = ["curl", "-sS", version, "--cacert", str(authority), "--resolve", where, url]
        assert subprocess.run(command, capture_output=True, check=True).stdout == b"HTTPS=on\n"


# ---- what is refused when the directives file is read


@pytest.fixture
def odd(authority: Authority) -> Iterator[Path]:
    """Files that are not what they should be."""
    folder = authority.folder
    (folder / "text.pem").write_text("this is no certificate\n")
    key = load_pem_private_key((folder / "first.key").read_bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    (folder / "locked.key").write_bytes(locked)
    broken = (folder / "first.crt").read_text().replace("M", "N")
    (folder / "broken.crt").write_text(broken)
    yield folder


HOST = "Listen 127.0.0.1:1 https\n<VirtualHost *:1>\nSSLEngine On\n{0}\n</VirtualHost>\n"
ODD = {
    "no certificate": ("", "SSLCertificateFile in the <VirtualHost"),
    "a missing file": ("SSLCertificateFile CERTS/none.pem", "SSLCertificateFile: .*found nothing at"),
    "no PEM": ("SSLCertificateFile CERTS/text.pem", "SSLCertificateFile: expected a certificate in PEM form"),
    "a broken one": (
        "SSLCertificateFile CERTS/broken.crt\nSSLCertificateKeyFile CERTS/first.key",
        "SSLCertificateFile: expected a certificate and its key",
    ),
    "no key": ("SSLCertificateFile CERTS/first.crt", "SSLCertificateFile: expected a key in PEM form"),
    "another's key": (
        "SSLCertificateFile CERTS/first.crt\nSSLCertificateKeyFile CERTS/second.key",
        "SSLCertificateKeyFile: expected the key of the certificate, found another one",
    ),
    "a locked key": (
        "SSLCertificateFile CERTS/first.crt\nSSLCertificateKeyFile CERTS/locked.key",
        "SSLCertificateKeyFile: expected a key without a pass phrase",
    ),
    "old versions only": (
        "SSLCertificateFile CERTS/first.pem\nSSLProtocol TLSv1.1",
        "SSLProtocol: expected TLSv1.2 or TLSv1.3",
    ),
    "a neighbour that says Off": (
        "SSLCertificateFile CERTS/first.pem\n</VirtualHost>\n<VirtualHost *:1>\nSSLEngine Off",
        "SSLEngine: expected On, since 127.0.0.1:1 is a port of TLS, found Off",
    ),
    "a chain of nothing": (
        "SSLCertificateFile CERTS/first.pem\nSSLCertificateChainFile CERTS/text.pem",
        "SSLCertificateChainFile: expected certificates in PEM form",
    ),
}


@pytest.mark.parametrize(("lines", "problem"), ODD.values(), ids=ODD)
def test_what_cannot_be_served_is_a_problem_with_its_place(
    tmp_path: Path, odd: Path, lines: str, problem: str
) -> None:
    gateway = Gateway(tmp_path, HOST.format(lines).replace("CERTS", str(odd)))
    command = [sys.executable, "-m", "gateway", "check", str(gateway.conf)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert re.search(rf"gateway\.conf:\d+: .*{problem}", done.stderr), done.stderr
