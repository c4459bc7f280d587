"""Files of Apache and of IBM i, started as they are: what they said there holds here."""

from __future__ import annotations

import http.client
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.blackbox.harness import BOUND, Answer, Gateway, free_port, read_answer, wait_for
from tests.directives.moved import envvars, installed_debian, lay_out


class MovedGateway(Gateway):
    """Started from a file of others, which may keep quiet about the start."""

    by_command = True
    tls_port = 0

    def _serves(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"the gateway ended: {self.output}")
        try:
            return self.get("/").status > 0
        except OSError:
            return False


Moved = Callable[[str], MovedGateway]


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moved]:
    """The gateway of a style; it is started once."""
    running: dict[str, MovedGateway] = {}
    patch = pytest.MonkeyPatch()

    def start(style: str) -> MovedGateway:
        if style not in running:
            folder = tmp_path_factory.mktemp(style)
            gateway = running[style] = MovedGateway(folder)
            for name, value in envvars(folder).items():
                patch.setenv(name, value)
            gateway.tls_port = free_port()
            gateway.conf = lay_out(style, folder / "root", gateway.port, gateway.tls_port)
            patch.setenv("APACHE_LOG_DIR", str(folder / "root/var/log/apache2"))
            gateway.start()
        return running[style]

    yield start
    patch.undo()
    for gateway in running.values():
        gateway.stop()


@pytest.mark.parametrize("style", ["debian", "redhat", "apache22", "ibm-i"])
def test_files_and_programs_are_served(moved: Moved, style: str) -> None:
    gateway = moved(style)
    assert gateway.get("/").text == "home\n"
    assert gateway.get("/tools/hello/more").text == "hello /tools/hello /more\n"
    assert gateway.get("/none").status == 404


@pytest.mark.parametrize("style", ["debian", "redhat", "apache22"])
def test_files_that_were_hidden_stay_hidden(moved: Moved, style: str) -> None:
    assert moved(style).get("/.htsecret").status == 403


def test_debians_cgi_bin_is_served_when_the_module_is_enabled(moved: Moved) -> None:
    assert moved("debian").get("/cgi-bin/hello").text == "hello /cgi-bin/hello \n"


def test_a_password_that_apache_asked_for_is_asked_for(moved: Moved) -> None:
    gateway = moved("debian")
    assert gateway.get("/tools/hello/private", Host="www.example.org").status == 401
    credentials = b64encode(b"tester:secret").decode()
    allowed = gateway.get("/tools/hello/private", Host="www.example.org", Authorization=f"Basic {credentials}")
    assert allowed.text == "hello /tools/hello /private\n"


def test_the_error_document_and_the_logs_of_the_host_are_used(moved: Moved) -> None:
    gateway = moved("debian")
    answer = gateway.get("/not/there", Host="www.example.org", User_Agent="mover")
    assert (answer.status, answer.text) == (404, "it is not here\n")
    log = gateway.folder / "root/var/log/apache2/cgi-access.log"
    wait_for("the line", lambda: log.exists() and '"GET /not/there HTTP/1.1" 404 ' in log.read_text())
    assert '"mover"' in log.read_text()


def test_the_tls_host_is_served_encrypted(moved: Moved) -> None:
    gateway = moved("debian")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", gateway.tls_port, timeout=BOUND, context=context)
    try:
        connection.request("GET", "/", headers={"Host": "www.example.org"})
        assert read_answer(connection.getresponse()).text == "home\n"
    finally:
        connection.close()


def test_the_access_rules_of_apache_2_2_hold(moved: Moved) -> None:
    gateway = moved("apache22")
    assert gateway.get("/tools/hello", Host="www.example.org").status == 200
    assert gateway.get("/tools/hello/elsewhere", Host="www.example.org").status == 403


def test_programs_of_ibm_i_are_called_by_their_pattern(moved: Moved) -> None:
    gateway = moved("ibm-i")
    assert gateway.get("/cgi-bin/hello.pgm").text == "hello /cgi-bin/hello.pgm \n"
    assert gateway.get("/cgi-bin/hello.pgm/handle/rest").text == "hello /cgi-bin/hello.pgm /handle/rest\n"


@pytest.mark.needs("apache2")
def test_the_stock_debian_files_of_this_machine_serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = MovedGateway(tmp_path)
    for name, value in (envvars(tmp_path) | {"APACHE_LOG_DIR": str(tmp_path / "logs")}).items():
        monkeypatch.setenv(name, value)
    gateway.conf = installed_debian(tmp_path / "apache2", gateway.port)
    gateway.start()
    try:
        page: Answer = gateway.get("/")
        assert page.body == Path("/var/www/html/index.html").read_bytes()
        assert gateway.get("/icons/").status == 403  # folders are not listed
        assert gateway.get("/server-status?auto").text.startswith("ServerVersion: persistent-cgi/")
    finally:
        gateway.stop()
