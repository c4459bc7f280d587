"""TLS: which hosts are served encrypted, and with which certificate."""

from __future__ import annotations

from gateway.directives.directive import Directive, directive
from gateway.directives.readers import values, versions
from gateway.directives.readers.versions import Versions

SSLEngine: Directive[str] = directive(
    "SSLEngine",
    values.Choice(("On", "Off")),
    default="Off",
    contexts="SV",
    origin="Apache",
    help="TLS on the addresses of this host, as `https` behind Listen turns it on. All hosts of an address are "
    "encrypted or none is; clients name the one they want (SNI), the first is for those that do not.",
)
SSLCertificateFile: Directive[str | None] = directive(
    "SSLCertificateFile",
    values.Path("file"),
    default=None,
    contexts="SV",
    origin="Apache",
    paths=values.path_itself,
    help="The certificate in PEM form, those that vouch for it behind it; the key may be there too. A reload "
    "(HUP) takes a renewed one for new connections.",
)
SSLCertificateKeyFile: Directive[str | None] = directive(
    "SSLCertificateKeyFile",
    values.Path("file"),
    default=None,
    contexts="SV",
    origin="Apache",
    paths=values.path_itself,
    help="The key of the certificate in PEM form, without a pass phrase.",
)
SSLCertificateChainFile: Directive[str | None] = directive(
    "SSLCertificateChainFile",
    values.Path("file"),
    default=None,
    contexts="SV",
    origin="Apache",
    paths=values.path_itself,
    help="Certificates that vouch for the one of SSLCertificateFile, where they are not in that file.",
)
SSLProtocol: Directive[Versions] = directive(
    "SSLProtocol",
    versions.VersionsReader(),
    default=versions.SERVED,
    contexts="SV",
    origin="Apache",
    help="The versions of TLS that are spoken, of TLSv1.2 and TLSv1.3. Older ones can be named and are never "
    "spoken.",
)
