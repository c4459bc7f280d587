"""Real database servers for tests: from Debian's packages, in a folder, on a free port, stopped at the end.

    with folder_for_servers() as folder, mariadb(folder) as url:
        engine = sqlalchemy.create_engine(url)

As root the servers run as the user that their package made, through runuser, for both refuse to run as root or
should not. Where a server is not installed the test is skipped by name.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pymysql
import pytest

from tests.blackbox.harness import free_port, wait_for

NAME, WORD = "tests", "k9-words"  # the user and the database; the password
START = 60.0  # seconds for a server's start or end on a busy machine
MARIADB = f"""
CREATE DATABASE {NAME} CHARACTER SET utf8mb4;
CREATE USER {NAME}@'127.0.0.1' IDENTIFIED BY '{WORD}';
GRANT ALL ON *.* TO {NAME}@'127.0.0.1';
"""


@contextmanager
def folder_for_servers() -> Iterator[Path]:
    """A new folder that every user can reach (pytest's own are for one user), removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="databases-"))
    try:
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def mariadb(folder: Path) -> Iterator[str]:
    """Run a MariaDB server below a folder that all users can reach; the SQLAlchemy URL of an empty database.

    Its user may do everything, make databases and users included. Skips by name without the server.
    """
    server, install = found("mariadbd"), found("mariadb-install-db")
    place, port = _place(folder / "mariadb", "mysql"), free_port()
    data, first = place / "data", place / "first.sql"
    first.write_text(MARIADB)
    _run("mysql", place, install, "--no-defaults", f"--datadir={data}", "--skip-test-db",
         "--auth-root-authentication-method=normal")  # fmt: skip
    command = [server, "--no-defaults", f"--datadir={data}", f"--socket={place}/socket", f"--port={port}",
               "--bind-address=127.0.0.1", "--skip-name-resolve", f"--init-file={first}",
               f"--pid-file={place}/pid"]  # fmt: skip

    def ready() -> bool:
        try:
            pymysql.connect(host="127.0.0.1", port=port, user=NAME, password=WORD, database=NAME).close()
        except pymysql.Error:
            return False
        return True

    with _running("mysql", place, command, place / "pid", signal.SIGTERM, ready):
        yield f"mysql+pymysql://{NAME}:{WORD}@127.0.0.1:{port}/{NAME}?charset=utf8mb4"


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL server below a folder that all users can reach; the SQLAlchemy URL of an empty database.

    Its user may do everything, make databases and users included. Skips by name without the server.
    """
    server, install = found("postgres"), found("initdb")
    place, port = _place(folder / "postgresql", "postgres"), free_port()
    data, password = place / "data", place / "password"
    password.write_text(WORD)
    _run("postgres", place, install, f"--pgdata={data}", f"--username={NAME}", f"--pwfile={password}",
         "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")  # fmt: skip
    command = [server, "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", str(place)]
    address = f"{NAME}:{WORD}@127.0.0.1:{port}/"

    def ready() -> bool:
        try:
            with psycopg.connect(f"postgresql://{address}postgres", autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {NAME}")
        except psycopg.OperationalError:
            return False
        return True

    # SIGINT is the fast end: what is connected is rolled back (PostgreSQL, "Shutting Down the Server")
    with _running("postgres", place, command, data / "postmaster.pid", signal.SIGINT, ready):
        yield f"postgresql+psycopg://{address}{NAME}"


def found(tool: str) -> str:
    """A server's program, where Debian puts it. Skips by name where it is not installed."""
    folders = [os.environ.get("PATH", ""), "/usr/sbin", *_newest_postgresql()]
    path = shutil.which(tool, path=os.pathsep.join(folders))
    if path is None:
        pytest.skip(f"not installed here: {tool}")
    return path


def _newest_postgresql() -> list[str]:
    """Debian keeps PostgreSQL's programs out of PATH, a folder for each version."""
    versions = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdigit()]
    return [str(path) for path in sorted(versions, key=lambda path: -int(path.parent.name))]


def _place(path: Path, user: str) -> Path:
    """A folder of the server's own. Fails where its user could not reach it."""
    path.mkdir()
    if os.geteuid() == 0:
        closed = [above for above in path.parents if not above.stat().st_mode & 1]
        assert not closed, f"{user} cannot reach {closed[0]}: use folder_for_servers()"
        account = pwd.getpwnam(user)
        os.chown(path, account.pw_uid, account.pw_gid)
    return path


def _as(user: str, command: list[str]) -> list[str]:
    return ["runuser", "-u", user, "--", *command] if os.geteuid() == 0 else command


def _run(user: str, place: Path, *command: str) -> None:
    done = subprocess.run(
        _as(user, list(command)), cwd=place, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"


@contextmanager
def _running(
    user: str, place: Path, command: list[str], pid: Path, end: signal.Signals, ready: Callable[[], bool]
) -> Iterator[None]:
    """Run a server that writes a pid file; end it by this signal, and by SIGKILL if it does not end."""
    log = place / "log"
    with open(log, "wb") as output:
        process = subprocess.Popen(
            _as(user, command), cwd=place, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )

    def serves() -> bool:
        assert process.poll() is None, f"{command[0]} ended: {log.read_text()}"
        return ready()

    try:
        wait_for(f"{command[0]} to serve", serves, START)
        yield
    finally:
        _end(process, pid, end)


def _end(process: subprocess.Popen[bytes], pid: Path, end: signal.Signals) -> None:
    """The pid file's first line names the server: with runuser it is not the process that was started."""
    server = int(pid.read_text().split()[0]) if pid.exists() else process.pid
    for number in (end, signal.SIGKILL):
        try:
            os.kill(server, number)
            process.wait(START)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
        return
    process.wait(START)
