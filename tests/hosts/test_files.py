"""The program's file and what lies beside it: modules, edited, broken, missing and closed files."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.blackbox.harness import wait_for
from tests.blackbox.users import NOBODY, OpenGateway, as_root, open_folder
from tests.hosts.languages import LANGUAGES, over
from tests.hosts.script import Script

OLD, NEW = b"revision-one", b"revision-two"

# How a module beside the script is written; names that standard modules have, and the host's own
PYTHONS = ("beside", "ahead", "codes", "pages", "zygote", "html", "json", "wsgiref", "zipapp")
MODULES = {
    "python": ("{}.py", "mark = 'beside'\n", PYTHONS),
    "perl": ("{}.pm", "package {0}; our $mark = 'beside'; 1;\n", ("Beside", "CGI", "POSIX", "Storable")),
}


@over("use")
def test_modules_beside_the_script_are_found_standard_names_too(script: Script) -> None:
    name, text, modules = MODULES[script.language.name]
    alone = script.alone("modules")
    for module in modules:
        (alone.folder / name.format(module)).write_text(text.format(module))
        verb = f"use={module}"
        assert alone.once(verb).text == f"{module}=beside\n"
        session = alone.begin()
        assert session.call(verb).text == session.call(verb).text == f"{module}=beside\n"


@over("use")
def test_the_helper_library_is_on_the_path_of_a_hosted_script(script: Script) -> None:
    name, _, (module, *_) = MODULES[script.language.name]
    alone = script.alone("helper")
    text = {
        "python": "import htsession\nmark = htsession.handle()\n",
        "perl": f"package {module}; use HTSession; our $mark = HTSession::handle(); 1;\n",
    }
    (alone.folder / name.format(module)).write_text(text[script.language.name])
    session = alone.begin()
    assert session.call(f"use={module}").text == f"{module}={session.url.rpartition('/')[2]}\n"


@over("use")
def test_modules_of_one_scripts_folder_are_not_anothers(script: Script) -> None:
    name, text, (module, *_) = MODULES[script.language.name]
    alone, other = script.alone("one"), script.alone("other")
    (alone.folder / name.format(module)).write_text(text.format(module))
    assert alone.once(f"use={module}").text == f"{module}=beside\n"
    assert other.once(f"use={module}").status == 502


@over("revision")
def test_an_edited_program_is_for_new_sessions_living_ones_keep_theirs(script: Script) -> None:
    alone = script.alone("edited")
    before = alone.begin("revision")
    alone.edit(OLD, NEW)
    after = alone.begin("revision")
    assert (before.first.body, after.first.body) == (OLD + b"\n", NEW + b"\n")
    assert (before.call("revision").body, after.call("revision").body) == (OLD + b"\n", NEW + b"\n")
    assert alone.once("revision").body == NEW + b"\n"


@over("revision")
def test_an_edit_counts_although_size_and_time_of_the_file_stay(script: Script) -> None:
    """Of a file that was not touched for some seconds a warm host may remember what it has compiled."""
    old = Script(script.gateway, script.language, script.start, "old")
    state = old.path.stat()
    wait_for("the file to be of some age", lambda: time.time() - state.st_ctime > 2.5)
    living = old.begin("revision")
    assert {old.once("revision").body for _ in range(3)} == {OLD + b"\n"}
    old.path.write_bytes(old.path.read_bytes().replace(OLD, NEW))
    os.utime(old.path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert old.once("revision").body == NEW + b"\n"
    assert living.call("revision").body == OLD + b"\n"


@over("revision", "count")
def test_a_program_written_over_in_its_place_leaves_living_sessions_alone(script: Script) -> None:
    alone = script.alone("over")
    session = alone.begin()
    text = alone.path.read_bytes()
    alone.path.write_bytes(text.replace(OLD, NEW))
    assert session.call("revision", "count").text.startswith("revision-one\ncount=2 ")
    assert alone.once("revision").body == NEW + b"\n"
    alone.path.write_bytes(b"")
    assert session.call("count", "revision").text.endswith("\nrevision-one\n")


@over("revision")
def test_a_program_whose_file_is_gone_is_404_its_session_lives(script: Script) -> None:
    alone = script.alone("gone")
    session = alone.begin()
    alone.path.unlink()
    assert alone.once("revision").status == 404
    assert session.call("revision").body == OLD + b"\n"


@over("count")
def test_a_file_that_is_no_program_is_502_and_the_log_says_where(script: Script) -> None:
    alone = script.alone("broken")
    alone.path.write_text("if (((\n")
    assert alone.once("count").status == 502
    script.gateway.wait_log(rf"\[cgi:error\] .*{alone.path}")


@over("count")
def test_an_empty_file_is_answered_by_502(script: Script) -> None:
    alone = script.alone("empty")
    alone.path.write_bytes(b"")
    assert alone.once("count").status == 502


@over("count")
def test_strange_names_of_files_and_folders(script: Script) -> None:
    alone = script.alone("a folder's $HOME; (ä) \udcff")
    alone.url = alone.url.replace("a folder's $HOME; (ä) \udcff", "a%20folder's%20$HOME;%20(%C3%A4)%20%FF")
    session = alone.begin("count")
    assert session.call("count").number("count") == 2


@as_root
def test_a_program_that_the_gateways_user_may_not_read_is_403() -> None:
    files = [f"closed{Path(language.file).suffix}" for language in LANGUAGES]
    with open_folder() as folder:
        groups = "".join(f"CGIActivationGroup {one.host} {Path(one.file).suffix}\n" for one in LANGUAGES)
        gateway = OpenGateway(
            folder / "gateway", f"User {NOBODY}\nStartCGI 1\n{groups}", dict.fromkeys(files, "")
        )
        for file in files:
            (gateway.cgi_bin / file).chmod(0o600)
        gateway.start()
        assert [gateway.get(f"/cgi-bin/{file}").status for file in files] == [403] * len(files)
