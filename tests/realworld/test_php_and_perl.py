"""Uploads: php-cgi, and CGI.pm's own example in taint mode; man2html with words as arguments."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from tests.realworld.conftest import Start
from tests.realworld.served import GATEWAY_ONLY, SERVERS, Served, needs_file, recipe

pytestmark = [pytest.mark.realworld, pytest.mark.needs("curl")]
EXAMPLE = "/usr/share/doc/libcgi-pm-perl/examples/file_upload.cgi"
LARGE = 12 << 20  # bytes
UPLOAD_PHP = """\
#!/usr/bin/php-cgi
<?php
session_save_path(__DIR__);
session_start();
$_SESSION["calls"] = ($_SESSION["calls"] ?? 0) + 1;
header("X-Calls: " . $_SESSION["calls"]);
if (isset($_FILES["file"])) {
    $file = $_FILES["file"];
    echo $file["error"], " ", $file["name"], " ", $file["type"], " ", $file["size"], " ",
        md5_file($file["tmp_name"]), " ", $_POST["note"];
} else {
    echo $_SERVER["REQUEST_METHOD"], " ", $_SERVER["SCRIPT_NAME"], " ", $_SERVER["PATH_INFO"] ?? "-", " ",
        $_SERVER["PHP_SELF"], " ", $_GET["q"] ?? "-", " ", $_SERVER["PHP_AUTH_USER"] ?? "-", " ", file_get_contents("php://input");
}
"""


@pytest.fixture(scope="module", params=SERVERS)
def uploads(request: pytest.FixtureRequest, start: Start) -> Served:
    directives = recipe("PHP") + "SetEnv PHPRC /srv/php\n"
    return start(request.param, directives + recipe("Perl with CGI.pm") + recipe("Manual pages"), _prepare)


def _prepare(served: Served) -> None:
    served.program("php/index.php", UPLOAD_PHP)
    (served.data / "php/php.ini").write_text("upload_max_filesize = 16M\npost_max_size = 16M\n")
    if Path(EXAMPLE).exists():
        served.program("perl/file_upload", Path(EXAMPLE).read_text())


def _file(served: Served, content: bytes) -> Path:
    path = served.new("file")
    path.write_bytes(content)
    return path


@pytest.mark.needs("php-cgi")
def test_php_takes_a_form_with_a_file(uploads: Served) -> None:
    content = os.urandom(LARGE)
    path = _file(uploads, content)
    file, note = f"file=@{path};type=text/x-odd;filename=a b.bin", "gr\u00fc\u00df & more"
    said = uploads.curl("/php/", "-F", file, "-F", f"note={note}")
    assert said == f"0 a b.bin text/x-odd {LARGE} {hashlib.md5(content).hexdigest()} {note}"


@pytest.mark.needs("php-cgi")
@pytest.mark.parametrize("uploads", GATEWAY_ONLY, indirect=True)
def test_php_takes_a_chunked_form_with_a_file(uploads: Served) -> None:
    """Apache passes no length of a chunked body on, and PHP then sees an empty one."""
    path = _file(uploads, b"x" * 100_000)
    chunked = ("-H", "Transfer-Encoding: chunked")
    said = uploads.curl("/php/index.php", *chunked, "-F", f"file=@{path}", "-F", "note=n")
    assert said.split()[3] == "100000"


@pytest.mark.needs("php-cgi")
def test_php_refuses_a_file_that_is_too_large_by_itself(uploads: Served) -> None:
    path = _file(uploads, b"x" * (17 << 20))
    assert "POST /php/index.php" in uploads.curl("/php/index.php", "-F", f"file=@{path}", "-F", "note=n")


@pytest.mark.needs("php-cgi")
def test_php_has_its_paths_its_query_and_its_input(uploads: Served) -> None:
    said = uploads.curl("/php/index.php/a%20b/c?q=x%2By", "-X", "PUT", "--data-binary", "raw")
    assert said == "PUT /php/index.php /a b/c /php/index.php/a b/c x+y - raw"


@pytest.mark.needs("php-cgi")
def test_php_checks_a_login_itself_with_CGIPassAuth(uploads: Served) -> None:
    assert uploads.curl("/php/", "-u", "bob:word") == "GET /php/index.php - /php/index.php - bob "


@pytest.mark.needs("php-cgi")
def test_a_session_of_php_lives_in_its_cookie(uploads: Served) -> None:
    jar = str(uploads.new("jar"))
    found = [uploads.curl("/php/", "-i", "-c", jar, "-b", jar) for _ in range(3)]
    assert ["x-calls: 3" in page.lower() for page in found] == [False, False, True]


@pytest.mark.needs("php-cgi")
def test_the_source_of_a_php_page_is_never_shown(uploads: Served) -> None:
    paths = ("/index.php", "//index.php", "/./index.php/", "/index%2Ephp", "/index.php?-s", "/index.PHP")
    for path in paths:
        assert "session_start" not in uploads.get(f"/php{path}").text


@needs_file(EXAMPLE, "libcgi-pm-perl")
@needs_file("/usr/lib/x86_64-linux-gnu/perl5/5.36/Template.pm", "libtemplate-perl")
def test_the_example_of_CGI_pm_counts_what_was_uploaded(uploads: Served) -> None:
    text = b"one line of five words\n" * 300_000
    path = _file(uploads, text)
    counts = [part for word in ("lines", "words", "chars") for part in ("-F", f"count=count {word}")]
    said = uploads.curl("/perl/file_upload", "-F", f"filename=@{path};type=text/plain", *counts)
    assert "<b>Lines: </b>300000<br />" in said
    assert f"<b>Characters: </b>{len(text)}<br />" in said


@needs_file("/usr/lib/cgi-bin/man/man2html", "man2html")
@needs_file("/usr/share/man/man1/man2html.1.gz", "man2html-base")
def test_man2html_takes_its_page_as_arguments(uploads: Served) -> None:
    page = uploads.get("/cgi-bin/man/man2html?1+man2html")
    assert page.status == 200 and "format a manual page in html" in page.text
    assert "Manual" in uploads.get("/cgi-bin/man/man2html").text
