"""Directives files as others have them, laid out below a folder that stands for `/`."""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Mapping
from pathlib import Path

import trustme

DATA = Path(__file__).with_name("data")
MAIN_FILES = {
    "debian": "etc/apache2/apache2.conf",
    "redhat": "etc/httpd/conf/httpd.conf",
    "apache22": "etc/httpd/conf/httpd.conf",
    "ibm-i": "www/webserver/conf/httpd.conf",
}
_FOLDERS = (
    "etc/ssl/certs etc/ssl/private etc/httpd/logs usr/share/apache2/icons usr/lib/cgi-bin var/log/apache2 "
    "var/www/html var/www/tools var/www/cgi-bin www/webserver/htdocs www/webserver/logs qsys.lib/mylib.lib"
)
_PROGRAMS = (
    "usr/lib/cgi-bin/hello var/www/tools/hello var/www/cgi-bin/hello qsys.lib/mylib.lib/hello "
    "qsys.lib/mylib.lib/hello.pgm"
)
_PROGRAM = '#!/bin/sh\nprintf \'Content-Type: text/plain\\n\\nhello %s %s\\n\' "$SCRIPT_NAME" "$PATH_INFO"\n'


def lay_out(style: str, root: Path, port: int, tls_port: int) -> Path:
    """The main file of a style, with all that it names; `root` stands for `/`."""
    for folder in _FOLDERS.split():
        (root / folder).mkdir(parents=True)
    for folder in ("var/www/html", "www/webserver/htdocs"):
        (root / folder / "index.html").write_text("home\n")
        (root / folder / "missing.html").write_text("it is not here\n")
        (root / folder / ".htsecret").write_text("secret\n")
    for program in _PROGRAMS.split():
        (root / program).write_text(_PROGRAM)
        (root / program).chmod(0o755)
    main = root / MAIN_FILES[style]
    top = main.parent if style == "debian" else main.parent.parent
    shutil.copytree(DATA / style, top, dirs_exist_ok=True)
    filling = {"@root@": str(root), "@port@": str(port), "@tlsport@": str(tls_port)}
    for file in top.rglob("*"):
        if file.is_file():
            file.write_text(filled(file.read_text(), filling))
    _certificate(root / "etc/ssl")
    (root / "etc/apache2").mkdir(exist_ok=True)
    # tester: secret (SHA-1, htpasswd -s)
    (root / "etc/apache2/htpasswd").write_text("tester:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n")
    return main


def filled(text: str, filling: Mapping[str, str]) -> str:
    """The text with each key replaced."""
    for key, value in filling.items():
        text = text.replace(key, value)
    return text


def _certificate(folder: Path) -> None:
    made = trustme.CA().issue_cert("www.example.org")
    made.cert_chain_pems[0].write_to_path(folder / "certs/snakeoil.pem")
    made.private_key_pem.write_to_path(folder / "private/snakeoil.key")


def envvars(root: Path) -> dict[str, str]:
    """What Debian's envvars exports, for whoever runs the tests."""
    user = pwd.getpwuid(os.geteuid()).pw_name
    return {
        "APACHE_RUN_USER": user,
        "APACHE_RUN_GROUP": f"#{os.getegid()}",
        "APACHE_PID_FILE": f"{root}/run/apache2.pid",
        "APACHE_RUN_DIR": f"{root}/run",
        "APACHE_LOCK_DIR": f"{root}/lock",
        "APACHE_LOG_DIR": f"{root}/var/log/apache2",
    }


def installed_debian(target: Path, port: int) -> Path:
    """A copy of this machine's /etc/apache2 that listens on a port of the loopback; its links are kept."""
    shutil.copytree("/etc/apache2", target, symlinks=True)
    for file in [target / "ports.conf", *(target / "sites-available").iterdir()]:
        text = file.read_text()
        file.write_text(
            filled(
                text, {"Listen 80": f"Listen 127.0.0.1:{port}", "<VirtualHost *:80>": f"<VirtualHost *:{port}>"}
            )
        )
    return target / "apache2.conf"
