"""URL path -> program, file or refusal, on a small site."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from urllib.parse import quote_from_bytes

from gateway.configuration.load import Configuration, load
from gateway.mapping.found import ClientRedirect, Folder, FolderRedirect, Found, OwnPage, Refused, StaticFile
from gateway.mapping.programs import Programs
from gateway.program import Program
from gateway.protocol.paths import BadPath, parse_path
from tests.fuzz.target import Target

_CONF = """
Listen 127.0.0.1:1
DocumentRoot htdocs
ScriptAlias /cgi-bin/ cgi-bin/
ScriptAliasMatch ^/~([a-z]+)/cgi/(.*) cgi-bin/$2
Alias /icons/ htdocs/sub/
<Directory htdocs/mixed>
Options +ExecCGI
AddHandler cgi-script .cgi
DirectoryIndex index.cgi index.html
</Directory>
<Location /status>
SetHandler server-status
</Location>
Redirect /old /new
<Files secret.txt>
Require all denied
</Files>
<LocationMatch "^/cgi-bin/prog/.*x">
SetEnv X y
</LocationMatch>
"""
_FILES = [
    "cgi-bin/prog", "cgi-bin/sub/deep", "cgi-bin/a b", "htdocs/index.html", "htdocs/secret.txt",
    "htdocs/sub/page.html", "htdocs/mixed/index.cgi", "htdocs/mixed/run.cgi", "htdocs/mixed/run.cgi.txt",
    "outside/private", "htdocs/\xff",
]  # fmt: skip


@cache
def _site() -> tuple[Path, Configuration, Programs]:
    folder = Path(tempfile.mkdtemp(prefix="gateway-fuzz-")).resolve()
    atexit.register(shutil.rmtree, folder)
    for name in _FILES:
        path = os.fsencode(folder) + b"/" + name.encode("latin-1")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write("#!/bin/true\n")
        os.chmod(path, 0o755)
    (folder / "htdocs" / "link").symlink_to("../outside")
    (folder / "conf").mkdir()
    (folder / "conf" / "gateway.conf").write_text(_CONF)
    configuration = load(str(folder / "conf" / "gateway.conf"), environ={})
    return folder, configuration, Programs(configuration)


def check(data: bytes) -> None:
    """A path is refused, or what it means lies where the directives say; it means the same in other words."""
    try:
        path = parse_path(data)
    except BadPath as error:
        assert error.status in (400, 404) and str(error)
        return
    decoded = path.decoded
    assert decoded.startswith(b"/") and b"//" not in decoded and b"\0" not in decoded
    assert not {b".", b".."} & set(decoded.split(b"/")) and 0 <= path.slash_at <= len(decoded)
    assert parse_path(quote_from_bytes(decoded).encode()).decoded == decoded
    for name, segment in path.splits():
        assert decoded.startswith(name + b"/" + segment) and len(name) < path.slash_at
    folder, configuration, programs = _site()
    try:
        found = programs.find(configuration.server, path)
    except BadPath:
        return
    _check_found(found, decoded, os.fsencode(folder))
    known = programs.known(configuration.server, path)
    programs._trails.clear()
    assert known is None or known is found is programs.find(configuration.server, path), "remembered rightly"


def _check_found(found: Found, decoded: bytes, folder: bytes) -> None:
    if isinstance(found, Folder):
        _check_found(found.index, found.path.decoded, folder)
    elif isinstance(found, Program):
        name = found.cgi_name
        real = os.path.realpath(os.fsencode(found.file))
        assert real.startswith((folder + b"/cgi-bin/", folder + b"/htdocs/mixed/")) and os.path.isfile(real)
        assert decoded == name or decoded.startswith(name + b"/")
        _, configuration, programs = _site()
        again = programs.by_name(configuration.server.key, name)
        assert again is not None and (again.name, again.file) == (found.name, found.file)
    elif isinstance(found, StaticFile):
        real = os.path.realpath(os.fsencode(found.path))
        assert real.startswith(folder + b"/htdocs/") and not real.endswith(b".cgi"), real
    elif isinstance(found, FolderRedirect):
        assert found.location == decoded + b"/"
    elif isinstance(found, Refused):
        assert found.error.status >= 400
    else:
        assert isinstance(found, (ClientRedirect, OwnPage))


SEEDS = [
    b"/cgi-bin/prog/handle/rest", b"/cgi-bin/sub/deep", b"/cgi-bin/a%20b/x%2fy", b"/", b"/index.html",
    b"/mixed/",
    b"/mixed/run.cgi/info", b"/~me/cgi/prog/x", b"/icons/page.html", b"/link/private", b"/secret.txt",
    b"/old/a",
    b"/status", b"/cgi-bin/../cgi-bin/%2e%2e/htdocs/", b"/%FF", b"/cgi-bin//prog/./a/../b",
]  # fmt: skip
WORDS = [
    b"/", b"//", b"/.", b"/..", b"%2f", b"%2F", b"%2e", b"%00", b"%", b"%zz", b"%25", b"cgi-bin", b"prog",
    b"sub", b"deep",
    b"mixed", b"run.cgi", b"index.cgi", b"link", b"private", b"htdocs", b"~me/cgi/", b"icons", b"~", b"%ff",
    b"\xff", b"\0",
]  # fmt: skip
TARGET = Target("URL paths", check, SEEDS, WORDS)
