"""Write a supervisord configuration and talk to the supervisord that runs it."""

from __future__ import annotations

import getpass
import http.client
import os
import shlex
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from petrosa_site.stack import private
from petrosa_site.stack.servers import die_with_parent

# Started from the top down and stopped from the bottom up: what takes in work stops first.
START_ORDER = (
    "redis",
    "nats",
    "simulator",
    "userstream",
    "market",
    "web",
    "exits",
    "exits2",
    "guard",
    "standby",
    "worker",
    "analysis",
    "backtests",
    "beat",
    "signals",
    "strategies",
)
LOG_BYTES = "10MB"
LOG_FILES_KEPT = 5
SECONDS_TO_STOP = 20
STOPPABLE = {"STARTING", "RUNNING", "BACKOFF"}
STOPPED = {"STOPPED", "EXITED", "FATAL", "UNKNOWN"}


@dataclass(frozen=True)
class Program:
    """A supervised process: name, command words, and where it runs."""

    name: str
    words: Sequence[str]
    folder: Path


def configuration(
    programs: Iterable[Program], *, logs: Path, rpc: Path, environment: Mapping[str, str]
) -> str:
    """Return supervisord.conf; `environment` is added to every program's own."""
    settings = ",".join(f'{name}="{escaped(value)}"' for name, value in environment.items())
    head = [
        "[unix_http_server]",
        f"file={escaped(str(rpc))}",
        "chmod=0700",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
        "[supervisord]",
        "nodaemon=true",
        "silent=true",
        f"umask={private.UMASK:03o}",
        f"logfile={escaped(str(logs / 'supervisord.log'))}",
        f"logfile_maxbytes={LOG_BYTES}",
        f"logfile_backups={LOG_FILES_KEPT}",
        f"pidfile={escaped(str(rpc.parent / 'supervisord.pid'))}",
        f"environment={settings}",
    ]
    if os.getuid() == 0:
        head.append(f"user={getpass.getuser()}")  # said aloud, or supervisord warns
    parts = ["\n".join(head), *(section(program, logs) for program in programs)]
    return "\n\n".join(parts) + "\n"


def section(program: Program, logs: Path) -> str:
    return "\n".join(
        [
            f"[program:{program.name}]",
            f"command={escaped(shlex.join(program.words))}",
            f"directory={escaped(str(program.folder))}",
            f"priority={priority(program.name)}",
            "autostart=false",
            "autorestart=true",
            "startsecs=2",
            "startretries=1000",
            f"stopwaitsecs={SECONDS_TO_STOP}",
            "stopsignal=TERM",
            "killasgroup=true",
            "redirect_stderr=true",
            f"stdout_logfile={escaped(str(logs / f'{program.name}.log'))}",
            f"stdout_logfile_maxbytes={LOG_BYTES}",
            f"stdout_logfile_backups={LOG_FILES_KEPT}",
        ]
    )


def priority(name: str) -> int:
    place = START_ORDER.index(name) if name in START_ORDER else len(START_ORDER)
    return (place + 1) * 10


def escaped(text: str) -> str:
    return text.replace("%", "%%")


@dataclass
class Supervisor:
    """One running supervisord, reached through a socket that only its owner may open."""

    config: Path
    rpc: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start supervisord and wait until it answers; RuntimeError with its words otherwise."""
        words = self.rpc.with_name("output")
        with words.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "supervisor.supervisord", "-c", str(self.config)],
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C must reach it through us, for an orderly stop
                preexec_fn=die_with_parent,
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            if self.rpc.exists():
                return
            time.sleep(0.05)
        self.process.kill()
        self.process.wait()
        raise RuntimeError(f"supervisord did not start:\n{words.read_text(errors='replace')}")

    def _call(self, method: str, *args: Any) -> Any:
        transport = SupervisorTransport(  # type: ignore[no-untyped-call]
            None, None, f"unix://{self.rpc}"
        )
        with xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport) as proxy:
            return getattr(proxy.supervisor, method)(*args)

    def run(self, name: str) -> None:
        """Start the program `name`; it is not waited for."""
        self._call("startProcess", name, False)

    def states(self) -> dict[str, str]:
        """Return name -> RUNNING, STARTING, BACKOFF, EXITED, FATAL, STOPPED."""
        return {p["name"]: p["statename"] for p in self._call("getAllProcessInfo")}

    def pids(self) -> dict[str, int]:
        return {p["name"]: p["pid"] for p in self._call("getAllProcessInfo") if p["pid"]}

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Stop every program in order, then supervisord itself; waits for all of them."""
        if self.process is None:
            return
        if self.alive:
            with suppress(OSError, http.client.HTTPException, xmlrpc.client.Error):
                self._stop_programs()
            self.process.terminate()
            try:
                self.process.wait(len(START_ORDER) * SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        self.process = None

    def _stop_programs(self) -> None:
        """Stop and forget each program: supervisord, left to itself, takes a second for each."""
        for name in sorted(self.states(), key=priority, reverse=True):
            if self.states()[name] in STOPPABLE:
                self._call("stopProcess", name, False)
            deadline = time.monotonic() + SECONDS_TO_STOP + 5
            while self.states()[name] not in STOPPED and time.monotonic() < deadline:
                time.sleep(0.05)
            self._call("removeProcessGroup", name)


def socket_path() -> Path:
    """Return a path short enough for a Unix socket, in a folder of our own."""
    return Path(tempfile.mkdtemp(prefix="petrosa-")) / "rpc"
