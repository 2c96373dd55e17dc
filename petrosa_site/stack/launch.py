"""Run the whole product on one machine: embedded servers and every process, supervised."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command, get_commands
from django.urls import reverse

from exchanges.venues.simulator import prices
from foundation import liveness
from petrosa_site import checks, env
from petrosa_site.stack import (
    child_process,
    env_file,
    folder_lock,
    ports,
    private,
    procfile,
    servers,
)
from petrosa_site.stack.console import Console
from petrosa_site.stack.supervision import Program, Supervisor, configuration, socket_path
from signals_app import heartbeat

SECONDS_UNTIL_READY = 240  # a busy machine starts ten processes slowly, but it does start them
ATTEMPTS = 5  # ports, for an embedded server
ENDED = {"BACKOFF", "EXITED", "FATAL"}
Say = Callable[[str], None]


@dataclass(frozen=True)
class Embedded:
    """A private server of the stack: its program, the variable that points at it, its port."""

    program: Program
    variable: str
    url: str
    port: int
    answers: Callable[[int], bool]


@dataclass(frozen=True)
class Plan:
    """Everything that will run, decided before anything starts."""

    embedded: tuple[Embedded, ...]
    programs: tuple[Program, ...]
    listeners: tuple[ports.Listener, ...]
    environment: dict[str, str]

    @property
    def names(self) -> list[str]:
        return [program.name for program in self.programs]


def plan() -> Plan:
    """Return what to run by the settings; writes the servers' configuration files only."""
    embedded = embedded_servers(settings.VAR_DIR)
    programs = tuple(
        Program(process.name, process.runnable(), settings.BASE_DIR)
        for process in procfile.read(settings.BASE_DIR / "Procfile")
        if exists(process) and (process.name != "simulator" or settings.SIMULATION_ENABLED)
    )
    names = {program.name for program in programs}
    listeners = (
        ports.Listener("web", "API_PORT", settings.API_HOST, settings.API_PORT),
        ports.Listener(
            "simulator", "SIMULATOR_PORT", settings.SIMULATOR_HOST, settings.SIMULATOR_PORT
        ),
        ports.Listener(
            "strategies", "STRATEGIES_PORT", settings.STRATEGIES_HOST, settings.STRATEGIES_PORT
        ),
    )
    return Plan(
        embedded=embedded,
        programs=programs,
        listeners=tuple(listener for listener in listeners if listener.role in names),
        environment=children_environment(embedded, [program.name for program in programs]),
    )


def exists(process: procfile.Process) -> bool:
    return process.management_command is None or process.management_command in get_commands()


def embedded_servers(folder: Path) -> tuple[Embedded, ...]:
    """Return the private servers that no variable replaces, on their own or the next free port."""
    found: list[Embedded] = []
    if not settings.REDIS_URL_GIVEN:
        port = free_port_from("EMBEDDED_REDIS_PORT")
        redis = servers.redis_server(folder / "redis", port=port)
        program = Program("redis", redis.command, folder)
        found.append(Embedded(program, "REDIS_URL", redis.url, port, redis.answers))
    if not settings.NATS_URL_GIVEN:
        port = free_port_from("EMBEDDED_NATS_PORT", besides=[server.port for server in found])
        nats = servers.nats_server(folder / "nats", port=port)
        program = Program("nats", nats.command, folder)
        found.append(Embedded(program, "NATS_URL", nats.url, port, nats.answers))
    return tuple(found)


def free_port_from(variable: str, besides: Iterable[int] = ()) -> int:
    """Return the port that `variable` names or the next free one; CommandError without any."""
    try:
        return ports.free_port_from(getattr(settings, variable), besides=besides)
    except ports.NoneFree as error:
        raise CommandError(f"Nothing was started. {variable}: {error}") from None


def children_environment(embedded: tuple[Embedded, ...], names: Iterable[str]) -> dict[str, str]:
    """Return the variables that every child gets on top of our own."""
    return {
        **{server.variable: server.url for server in embedded},
        "PROMETHEUS_MULTIPROC_DIR": str(metrics_folder()),
        "EXPECTED_PROCESSES": ",".join(name for name in names if name in liveness.WATCHED),
        "PETROSA_IGNORE_DOTENV": "true",  # we have read it, and they inherit what we read
        "PYTHONUNBUFFERED": "1",
        **({} if settings.LOG_FORMAT_GIVEN else {"LOG_FORMAT": "console"}),
    }


def metrics_folder() -> Path:
    return Path(settings.VAR_DIR / "metrics")


def run(say: Say) -> None:
    """Start everything, stay until SIGINT or SIGTERM, stop everything in order.

    CommandError before anything runs: a taken port, a second stack, embedded servers in
    production. CommandError after a clean stop: somebody was not ready in time.
    """
    refuse_embedded_where_it_counts()
    refuse_prices_that_are_none()
    close_to_others(say)
    with folder_lock.only_one(settings.VAR_DIR):
        decided = plan()
        if problems := ports.problems(decided.listeners):
            raise CommandError("\n".join(["Nothing was started.", *problems]))
        prepare_folders()
        say("Updating the database ...")
        call_command("migrate", interactive=False, verbosity=0)
        with stop_signals_interrupt():
            supervise(decided, say)


def refuse_embedded_where_it_counts() -> None:
    missing = [
        name
        for name, given in (
            ("REDIS_URL", settings.REDIS_URL_GIVEN),
            ("NATS_URL", settings.NATS_URL_GIVEN),
        )
        if not given
    ]
    if missing and (where := checks.strict()):
        raise CommandError(
            f"Embedded servers are not for use {where}: set {' and '.join(missing)}."
        )


def refuse_prices_that_are_none() -> None:
    if settings.SIMULATION_ENABLED and (wrong := prices.problem(settings.SIMULATOR_PRICES)):
        raise CommandError(f"Nothing was started. SIMULATOR_PRICES: {wrong}")


def close_to_others(say: Say) -> None:
    """Close what earlier versions left readable: tokens and keys stand in it."""
    left = private.close(settings.VAR_DIR)
    left += private.close_database(settings.SIMULATOR_STATE_FILE)
    if settings.USES_SQLITE:
        left += private.close_database(Path(settings.DATABASES["default"]["NAME"]))
    if left:
        more = f" and {len(left) - 1} more" if len(left) > 1 else ""
        say(f"Other users of this machine may read {left[0]}{more}: run chmod -R go= on it.")


def prepare_folders() -> None:
    """Make the folders, and forget the counters of processes that are gone."""
    shutil.rmtree(metrics_folder(), ignore_errors=True)
    for folder in (metrics_folder(), logs_folder(), settings.STATIC_ROOT):
        folder.mkdir(parents=True, exist_ok=True)


def logs_folder() -> Path:
    return Path(settings.VAR_DIR / "log")


@contextmanager
def stop_signals_interrupt() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into the KeyboardInterrupt that Ctrl-C is.

    SIGINT too: a shell that starts us in the background of a script has it ignored.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise KeyboardInterrupt

    before = {
        number: signal.signal(number, interrupt)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def supervise(decided: Plan, say: Say) -> None:
    rpc = socket_path()
    supervisor = Supervisor(rpc.with_name("supervisord.conf"), rpc)
    console = Console(logs_folder(), decided.names)
    console.start()
    try:
        decided = start_servers(supervisor, decided, say)
        addresses = {server.variable: server.url for server in decided.embedded}
        with env_file.told(settings.VAR_DIR, addresses):
            start_processes(supervisor, decided, say)
            wait_until_ready(supervisor, decided)
            say(welcome(decided))
            while supervisor.alive:
                time.sleep(0.5)
        raise CommandError(f"supervisord ended by itself: see {logs_folder()}/supervisord.log")
    except KeyboardInterrupt:
        say("\nStopping ...")
    finally:
        with nobody_interrupts():
            supervisor.stop()
            console.close()
            shutil.rmtree(rpc.parent, ignore_errors=True)
        say("Everything is stopped. Your data stays in " + str(settings.VAR_DIR))


def start_servers(supervisor: Supervisor, decided: Plan, say: Say) -> Plan:
    """Start supervisord and the embedded servers; return the plan they run by.

    Its ports differ from `decided` when somebody took one between the look and the start.
    """
    for attempt in range(ATTEMPTS):
        write_configuration(supervisor, decided)
        supervisor.start()
        for server in decided.embedded:
            supervisor.run(server.program.name)
        try:
            for server in decided.embedded:
                wait_for(supervisor, server)
        except servers.PortTaken as error:
            supervisor.stop()
            if attempt == ATTEMPTS - 1:
                raise CommandError(f"{error} Tried {ATTEMPTS} ports.") from None
            say(f"{error} Choosing another.")
            decided = plan()
        else:
            return decided
    raise AssertionError("ATTEMPTS must be at least 1")


def write_configuration(supervisor: Supervisor, decided: Plan) -> None:
    programs = [bound(server.program) for server in decided.embedded]
    programs += [bound(program) for program in decided.programs]
    supervisor.config.write_text(
        configuration(
            programs, logs=logs_folder(), rpc=supervisor.rpc, environment=decided.environment
        )
    )


def bound(program: Program) -> Program:
    """Return the program with its life tied to its supervisor's and to the folder's lock."""
    lock = str(folder_lock.lock_path(settings.VAR_DIR).resolve())
    return replace(program, words=child_process.bound(lock, program.name, program.words))


@contextmanager
def nobody_interrupts() -> Iterator[None]:
    """Let an impatient second Ctrl-C not leave children behind."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def start_processes(supervisor: Supervisor, decided: Plan, say: Say) -> None:
    """Start what others lean on first: simulator and web, then the rest."""
    if not get_user_model().objects.exists():
        say(first_operator(decided.environment))
    early = [name for name in decided.names if name in {"simulator", "web"}]
    for name in early:
        supervisor.run(name)
    for listener in decided.listeners:
        if listener.role in early:
            wait_for_listener(supervisor, listener)
    for name in decided.names:
        if name not in early:
            supervisor.run(name)


def wait_for_listener(supervisor: Supervisor, listener: ports.Listener) -> None:
    """Return when somebody listens there; CommandError after SECONDS_UNTIL_READY."""
    deadline = time.monotonic() + SECONDS_UNTIL_READY
    while listener.problem() is None:
        if time.monotonic() > deadline:
            raise CommandError(
                f"{listener.role} did not start: see {logs_folder()}/{listener.role}.log"
            )
        time.sleep(0.1)
    refuse_ports_taken_meanwhile(supervisor, [listener])


def refuse_ports_taken_meanwhile(
    supervisor: Supervisor, listeners: Iterable[ports.Listener]
) -> None:
    """Raise CommandError when a process ended and somebody else listens in its place."""
    states = supervisor.states()
    ended = [listener for listener in listeners if states[listener.role] in ENDED]
    if problems := ports.problems(ended):
        raise CommandError("\n".join(problems))


def wait_for(supervisor: Supervisor, server: Embedded, timeout: float = 60) -> None:
    """Return when it answers; PortTaken when it ended and somebody else has its port."""
    name = server.program.name
    deadline = time.monotonic() + timeout
    while not server.answers(server.port):
        if supervisor.states()[name] in ENDED and not ports.is_free(server.port):
            raise servers.PortTaken(f"{name}: port {server.port} was taken before it started.")
        if time.monotonic() > deadline:
            raise CommandError(f"{name} did not start: see {logs_folder()}/{name}.log")
        time.sleep(0.05)


def first_operator(environment: dict[str, str]) -> str:
    """Return what `first_operator` prints; run as a child, so it uses the stack's own Redis."""
    done = subprocess.run(
        [sys.executable, "manage.py", "first_operator"],
        cwd=settings.BASE_DIR,
        env=env.for_children(**environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CommandError(f"The first operator could not be created:\n{done.stderr}")
    return done.stdout.rstrip()


def site_url() -> str:
    host = "127.0.0.1" if settings.API_HOST in {"0.0.0.0", "::"} else settings.API_HOST  # noqa: S104
    return f"http://{host}:{settings.API_PORT}"


def strategies_url() -> str:
    wide = settings.STRATEGIES_HOST in {"0.0.0.0", "::"}  # noqa: S104
    host = "127.0.0.1" if wide else settings.STRATEGIES_HOST
    return f"http://{host}:{settings.STRATEGIES_PORT}"


def wait_until_ready(supervisor: Supervisor, decided: Plan) -> None:
    """Return when everybody is ready for people and signals; CommandError names who is not."""
    deadline = time.monotonic() + SECONDS_UNTIL_READY
    late = decided.names
    while time.monotonic() < deadline and supervisor.alive:
        late = not_ready(supervisor, decided)
        if not late:
            return
        refuse_ports_taken_meanwhile(supervisor, decided.listeners)
        time.sleep(0.2)
    raise CommandError(
        f"Not ready within {SECONDS_UNTIL_READY} s: {', '.join(late)}. "
        f"See the files in {logs_folder()}."
    )


def not_ready(supervisor: Supervisor, decided: Plan) -> list[str]:
    """Return who does not run; else the web while it does not answer; else a deaf listener."""
    states = supervisor.states()
    if late := [name for name in decided.names if states[name] != "RUNNING"]:
        return late
    if not healthy(f"{site_url()}/healthz"):
        return ["web does not answer"]
    if "signals" in decided.names and not listens(supervisor, decided.environment):
        return ["signals does not listen"]
    if "strategies" in decided.names and not healthy(f"{strategies_url()}/ready"):
        return ["strategies is not ready"]
    return []


def listens(supervisor: Supervisor, environment: dict[str, str]) -> bool:
    """Return whether our own listener says that it listens: by then its stream takes signals."""
    told = heartbeat.last(redis_url=environment.get("REDIS_URL", settings.REDIS_URL)) or {}
    return told.get("state") == "listening" and told["pid"] == supervisor.pids().get("signals")


def healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def welcome(decided: Plan) -> str:
    """Return where to look, one line each."""
    site = site_url().replace("127.0.0.1", "localhost")
    lines: list[tuple[str, Any]] = [
        ("desk", site + reverse("desk")),
        ("admin", site + reverse("admin:index")),
        ("API", site + reverse("docs")),
        ("metrics", site + reverse("metrics")),
    ]
    if "simulator" in decided.names:
        lines.append(("simulator", settings.SIMULATOR_REST_URL))
    lines += [(server.program.name, server.url) for server in decided.embedded]
    lines += [("logs", logs_folder()), ("data", settings.VAR_DIR)]
    lines.append(("venue", f"{settings.VENUE_ENVIRONMENT} for new accounts"))
    body = "\n".join(f"  {name:<10} {value}" for name, value in lines)
    return f"\nPetrosa is ready. Ctrl-C stops everything.\n{body}\n"
