"""Certificates and keys on disk: checked when a directives file is read, loaded when it is served."""

import os
import ssl
from collections.abc import Iterator

from gateway.directives import encryption, table
from gateway.directives.directive import Directive
from gateway.directives.hosts import Configuration
from gateway.directives.problems import Problem
from gateway.directives.settings import Settings

_CERTIFICATE, _KEY = b"-----BEGIN CERTIFICATE-----", b"PRIVATE KEY-----"
_VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
_FILES = (table.SSLCertificateFile, table.SSLCertificateKeyFile, table.SSLCertificateChainFile)


class BadCertificate(ValueError):
    """A certificate or key that cannot be served; `row` is the directive that names it."""

    def __init__(self, row: Directive[str | None], expected: str, found: str) -> None:
        super().__init__(f"{row.name}: expected {expected}, found {found}")
        self.row = row


def problems(configuration: Configuration) -> Iterator[Problem]:
    """What cannot be served, each pair of files once."""
    seen = set()
    hosts = (configuration.server, *configuration.hosts)
    used = {
        host
        for listener in configuration.listeners
        if listener.scheme == "https"
        for host in encryption.hosts_of(listener, configuration.server, configuration.hosts)
    }
    for host in hosts:
        files = tuple(host.settings[row] for row in _FILES)
        if files[0] is None or files in seen or not (host in used or encryption.wanted(host)):
            continue
        seen.add(files)
        try:
            context(host.settings)
        except BadCertificate as error:
            yield Problem(host.settings.place(error.row), str(error))


def context(settings: Settings) -> ssl.SSLContext:
    """What a connection of this host is encrypted with. Raises BadCertificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    versions = [_VERSIONS[name] for name in settings[table.SSLProtocol]]
    made.minimum_version, made.maximum_version = min(versions), max(versions)
    made.options |= ssl.OP_NO_RENEGOTIATION
    made.set_alpn_protocols(["http/1.1"])
    _load(made, settings)
    return made


def _load(made: ssl.SSLContext, settings: Settings) -> None:
    certificate = _content(settings, table.SSLCertificateFile, _CERTIFICATE, "a certificate in PEM form")
    own = settings[table.SSLCertificateKeyFile] is not None
    row = table.SSLCertificateKeyFile if own else table.SSLCertificateFile
    key = _content(settings, row, _KEY, "a key in PEM form")
    if settings[table.SSLCertificateChainFile] is not None:
        chain = _content(settings, table.SSLCertificateChainFile, _CERTIFICATE, "certificates in PEM form")
        certificate += b"\n" + chain

    def refuse() -> str:
        raise BadCertificate(row, "a key without a pass phrase", "an encrypted one")

    with _Memory(certificate) as first, _Memory(key) as second:
        try:
            made.load_cert_chain(first, second, refuse)
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                raise BadCertificate(row, "the key of the certificate", "another one") from error
            text = error.reason or str(error)
            raise BadCertificate(table.SSLCertificateFile, "a certificate and its key", text) from error


def _content(settings: Settings, row: Directive[str | None], mark: bytes, expected: str) -> bytes:
    path = settings[row]
    assert path is not None
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise BadCertificate(row, expected, f"{error.strerror} at {path}") from error
    if mark not in content:
        raise BadCertificate(row, expected, f"none in {path}")
    return content


class _Memory:
    """A file in memory for OpenSSL, which takes paths only; a key never lies in a second file on disk."""

    def __init__(self, content: bytes) -> None:
        self._descriptor = os.memfd_create("pem")
        os.write(self._descriptor, content)

    def __enter__(self) -> str:
        return f"/proc/self/fd/{self._descriptor}"

    def __exit__(self, *error: object) -> None:
        os.close(self._descriptor)
