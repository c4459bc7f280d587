"""docs/moving-from-ibm-i.md: programs in the original's style run under the native host."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import bcrypt
import pytest

from gateway.configuration.load import load
from gateway.directives import table
from tests.blackbox.conftest import Serve
from tests.blackbox.credentials import basic
from tests.blackbox.harness import Gateway
from tests.docs.examples import examples, page

PAGE = "moving-from-ibm-i.md"
EXAMPLES = examples(PAGE)
GROUPS = re.search(r"^```apache groups\n(.*?)^```$", page(PAGE), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    """A gateway with the groups of the page, and its stand-in for the service program."""
    assert GROUPS
    gateway = serve_shared(GROUPS[1])
    (gateway.cgi_bin / "qzhbcgi.c").write_text(EXAMPLES["qzhbcgi.c"].text)
    return gateway


def test_every_program_of_the_page_is_tested() -> None:
    assert sorted(EXAMPLES) == ["ported-cob.cob", "ported.c", "qzhbcgi.c"]


@pytest.mark.parametrize(
    "file",
    [
        pytest.param("ported.c", marks=pytest.mark.needs("cc")),
        pytest.param("ported-cob.cob", marks=pytest.mark.needs("cobc", "cc")),
    ],
)
def test_a_program_in_the_originals_style_stays(gateway: Gateway, file: str) -> None:
    path = EXAMPLES[file].put(gateway)
    link, seen = path, []
    for number in (1, 2, 3):
        answer = gateway.get(link)
        assert answer.status == 200 and f"<p>Visit {number}." in answer.text
        found = re.search(r'href="([^"]+)"', answer.text)
        assert found and found[1].startswith(f"{path}/")
        link = found[1]
        seen.append(link)
    assert len(set(seen)) == 3  # a new handle each time, as the original recommends
    assert gateway.reason(seen[0]) == "replaced"


@pytest.mark.needs("cc")
def test_the_example_of_a_directives_file_keeps_a_program_under_its_old_url(
    serve: Serve, tmp_path: Path
) -> None:
    after = re.search(r"^```apache after\n.*?(ScriptAliasMatch .*?)^```$", page(PAGE), re.DOTALL | re.MULTILINE)
    assert after
    folder = tmp_path / "programs"
    folder.mkdir()
    users = tmp_path / "users"
    users.write_text("fred:" + bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode() + "\n")
    text = after[1].replace("/srv/www/webserver/programs", str(folder)).replace("conf/users", str(users))
    gateway = serve(text.replace("^/cgi-bin/", "^/old/"))  # the gateway of the tests has an alias of that name
    for file in ("ported.c", "qzhbcgi.c"):
        (folder / file).write_text(EXAMPLES[file].text)
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-o", "orders.so", "ported.c", "qzhbcgi.c"], cwd=folder, check=True
    )
    link = "/old/orders.pgm"
    for number in (1, 2, 3):
        answer = gateway.get(link, Authorization=basic("fred", "secret"))
        assert answer.status == 200 and f"<p>Visit {number}." in answer.text
        found = re.search(r'href="(/old/orders\.pgm/[^"]+)"', answer.text)
        assert found
        link = found[1]
    assert gateway.get(link).status == 401


def test_StartCGI_with_a_user_works_and_says_that_the_user_is_ignored(gateway: Gateway) -> None:
    conf = gateway.folder / "conf" / "start.conf"
    conf.write_text("Listen 127.0.0.1:8080\nDocumentRoot htdocs\nStartCGI 5 QTMHHTTP1\n")
    configuration = load(str(conf))
    assert configuration.server.settings[table.StartCGI].number == 5
    [notice] = [one.text for one in configuration.notices if one.place.line == 3]
    assert "QTMHHTTP1" in notice
