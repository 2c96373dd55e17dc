"""Every command of docker-compose.yml comes up as in its container: with its own environment, an
empty folder, and (where the test may, as root) nothing else to write to."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests
import yaml

from petrosa_site.stack import ports, servers

ROOT = Path(__file__).resolve().parents[3]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())[
    "services"
]
SERVERS = ("postgres", "redis", "nats")
PROCESSES = [name for name in SERVICES if name not in (*SERVERS, "migrate")]
GIVEN = {"DJANGO_SECRET_KEY": "9fJq2mXv7LwT4cZr8KbN1hYd6SgP3eUa0RiQ5oWx", "POSTGRES_PASSWORD": "x"}
VARIABLE = re.compile(r"\$\{(\w+)(?::[-?]([^}]*))?\}")
SECONDS_UNTIL_UP = 300  # a quiet machine takes thirty
READ_ONLY = (  # a mount namespace of its own: all but the folder is read-only
    'mount --make-rprivate / && mount --bind "$0" "$0" && mount -o remount,ro,bind / && exec "$@"'
)


def may_isolate() -> bool:
    if os.getuid() != 0 or shutil.which("unshare") is None:
        return False
    script = ["unshare", "-m", "sh", "-c", READ_ONLY, "/var/tmp", "true"]
    return subprocess.run(script, capture_output=True, check=False).returncode == 0


@dataclass
class Host:
    """This machine in the place of the containers'."""

    folder: Path
    is_isolating: bool
    ports: dict[int, int] = field(default_factory=dict)
    started: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def port(self, number: int) -> int:
        return self.ports.setdefault(number, ports.free_port())

    def translated(self, text: str) -> str:
        """Put our folder, addresses and ports in the place of a container's."""
        text = VARIABLE.sub(lambda m: GIVEN.get(m[1], m[2] or ""), text)
        text = re.sub(r"postgres://.*", f"sqlite:///{self.folder}/lib/petrosa.sqlite3", text)
        text = re.sub(r"(?<=//)(redis|nats|simulator)(?=:)", "127.0.0.1", text)
        text = text.replace("/var/lib/petrosa", f"{self.folder}/lib")
        text = text.replace("/tmp/", f"{self.folder}/tmp/")
        text = text.replace("$$HOSTNAME", os.uname().nodename)
        known = "6379|4222|8222|8090|8000|8092"
        return re.sub(rf"(?<!\d)({known})(?!\d)", lambda m: str(self.port(int(m[1]))), text)

    def environment(self, name: str) -> dict[str, str]:
        given = {k: self.translated(str(v)) for k, v in SERVICES[name]["environment"].items()}
        return {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PETROSA_IGNORE_DOTENV": "true",
            "TMPDIR": f"{self.folder}/tmp",
            "SIMULATOR_PORT": str(self.port(8090)),
            "STRATEGIES_PORT": str(self.port(8092)),
            **given,
        }

    def words(self, name: str) -> list[str]:
        words = [self.translated(str(word)) for word in SERVICES[name]["command"]]
        return self.isolated([python_of(words[0]), *words[1:]])

    def isolated(self, words: list[str]) -> list[str]:
        if not self.is_isolating:
            return words
        return ["unshare", "-m", "sh", "-c", READ_ONLY, str(self.folder), *words]

    def start(self, name: str, words: list[str], environment: dict[str, str]) -> None:
        with (self.folder.parent / f"{name}.log").open("wb") as log:
            self.started[name] = subprocess.Popen(
                words, env=environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
            )

    def log(self, name: str) -> str:
        return (self.folder.parent / f"{name}.log").read_text(errors="replace")[-3000:]

    def is_healthy(self, name: str) -> bool:
        kind, *words = SERVICES[name]["healthcheck"]["test"]
        words = [self.translated(word) for word in words]
        shell = ["sh", "-c", *words] if kind == "CMD-SHELL" else [python_of(words[0]), *words[1:]]
        done = subprocess.run(
            shell, env=self.environment(name), cwd=ROOT, capture_output=True, check=False
        )
        return done.returncode == 0

    def stop(self) -> None:
        for process in self.started.values():
            process.terminate()
        for process in self.started.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def python_of(word: str) -> str:
    return sys.executable if word == "python" else word


@contextmanager
def infrastructure(host: Host) -> Iterator[None]:
    """Run the commands of redis and nats with this machine's programs."""
    folder, plain = host.folder, dict(os.environ)
    redis, nats = (SERVICES[name]["command"] for name in ("redis", "nats"))
    port, data = str(host.port(6379)), ["--dir", str(folder / "redis")]
    words = [servers.redis_executable(), *redis[1:], "--port", port, *data]
    host.start("redis", host.isolated(words), plain)
    config = folder.parent / "petrosa.conf"
    text = host.translated((ROOT / "deploy/nats.conf").read_text())
    config.write_text(text.replace('"/data"', f'"{folder}/nats"').replace("0.0.0.0", "127.0.0.1"))
    words = [str(config) if word == "/etc/nats/petrosa.conf" else word for word in nats]
    host.start("nats", host.isolated([servers.nats_executable(), *words]), plain)
    time.sleep(1)
    for name in ("redis", "nats"):
        assert host.started[name].poll() is None, f"{name} ended:\n{host.log(name)}"
    yield


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """An empty folder with the volumes and the tmpfs of the containers, and running servers."""
    folder = tmp_path / "container"
    for name in ("tmp", "redis", "nats", "lib/metrics", "lib/simulator"):  # what is mounted
        (folder / name).mkdir(parents=True)
    host = Host(folder, may_isolate())
    try:
        with infrastructure(host):
            yield host
    finally:
        host.stop()


@pytest.mark.slow  # a dozen processes
@pytest.mark.timeout(900)
def test_every_service_comes_up_and_none_is_missed(host):
    migrate = subprocess.run(
        host.words("migrate"), env=host.environment("migrate"), cwd=ROOT, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert migrate.returncode == 0, migrate.stderr
    for name in PROCESSES:
        host.start(name, host.words(name), host.environment(name))

    deadline = time.monotonic() + SECONDS_UNTIL_UP
    waiting = list(PROCESSES)
    while waiting and time.monotonic() < deadline:
        for name in waiting:
            assert host.started[name].poll() is None, f"{name} ended:\n{host.log(name)}"
        waiting = [name for name in waiting if not host.is_healthy(name)]
    assert waiting == [], "\n".join(f"{name}:\n{host.log(name)}" for name in waiting)

    deadline = time.monotonic() + SECONDS_UNTIL_UP
    problems = ["not asked"]
    while problems and time.monotonic() < deadline:
        answer = requests.get(f"http://127.0.0.1:{host.port(8000)}/health", timeout=20)
        problems = orjson.loads(answer.content)["problems"]
        time.sleep(1)
    assert problems == []
