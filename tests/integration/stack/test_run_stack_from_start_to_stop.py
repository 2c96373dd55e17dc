"""`make run` as a person meets it: started, looked at, hurt, killed, started again, stopped.

Ten processes take their time to start, so two lives of one stack show everything.
"""

import os
import re
import socket
import stat
import subprocess
import sys
import urllib.request

import nats
import psutil
import pytest

from petrosa_site import env
from tests.integration.stack.stacks import Stack, running

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform != "linux", reason="needs PR_SET_PDEATHSIG"),
    pytest.mark.skipif((env.BASE_DIR / ".env").exists(), reason=".env wins over the stack"),
]
PROCESSES = {
    "simulator",
    "userstream",
    "market",
    "web",
    "worker",
    "analysis",
    "backtests",
    "exits",
    "exits2",
    "guard",
    "standby",
    "beat",
    "signals",
    "strategies",
}
PUBLISHED = b"not a signal at all"
NOT_GIVEN = ("REDIS_URL", "NATS_URL", "DATABASE_URL", "DJANGO_SECRET_KEY", "SIMULATOR_PORT")
ASK = "from django.conf import settings as s; print(s.REDIS_URL, s.FOUR_EYES, s.SIMULATOR_PORT)"


@pytest.fixture(autouse=True)
def _usual_umask():
    """Nothing may depend on the shell's: what a stack writes is for its owner alone."""
    before = os.umask(0o022)
    yield
    os.umask(before)


async def test_a_stack_lives_is_killed_starts_again_and_stops(tmp_path):
    stack = Stack(tmp_path)
    stack.variables["FOUR_EYES"] = "true"
    stack.start()
    try:
        await publish(stack.embedded_nats())
        it_greets_and_shows_what_its_processes_say(stack)
        a_command_beside_it_is_about_it(stack)
        a_killed_process_starts_again(stack)
        a_second_stack_on_the_folder_is_refused(stack)
        its_folder_is_for_its_owner_alone(stack)
    finally:
        children_die_with_their_supervisors(stack)

    loosen(stack.folder)
    with running(stack):
        assert open_to_others(stack.folder) == {}
        assert "password " not in stack.said
        assert await first_message(stack.embedded_nats()) == PUBLISHED
        family = stack.family()
        assert len(family) > len(PROCESSES)
    assert stack.process.returncode == 0, stack.said
    assert not [process for process in family if process.is_running()]
    a_command_after_it_is_about_the_defaults(stack)


def its_folder_is_for_its_owner_alone(stack):
    """It holds tokens and keys: no other user of the machine may read it."""
    assert (stack.folder / "petrosa.sqlite3").exists()
    assert (stack.folder / "log" / "web.log").exists()
    assert (stack.folder / "simulator" / "simulator.db").exists()
    assert open_to_others(stack.folder) == {}


def open_to_others(folder):
    """Return what group or others may touch in `folder`, itself included."""
    paths = [folder, *folder.rglob("*")]
    kept = [path for path in paths if path.exists() and not path.is_symlink()]
    return {
        str(path.relative_to(folder)): oct(stat.S_IMODE(path.lstat().st_mode))
        for path in kept
        if path.lstat().st_mode & 0o077
    }


def loosen(folder):
    """Give everything the modes an earlier version left behind."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


async def publish(url):
    """Publish once, without patience: whoever is told "ready" is heard."""
    client = await nats.connect(url)
    await client.jetstream().publish("signals.trading", PUBLISHED)
    await client.close()


async def first_message(url):
    """Return what was published first; strategies of the stack's own say more in their time."""
    client = await nats.connect(url)
    kept = await client.jetstream().get_msg("TRADING", seq=1)
    await client.close()
    return kept.data


def it_greets_and_shows_what_its_processes_say(stack):
    assert re.search(r"password +\S{20}", stack.said)
    with urllib.request.urlopen(f"{stack.site}/healthz") as answer:
        assert answer.status == 200
    lines = {line.split(" |")[0].strip() for line in stack.said.splitlines() if " |" in line}
    assert {"web", "simulator"} <= lines <= PROCESSES
    for name in ("secret_key", "stack.env"):
        assert (stack.folder / name).stat().st_mode & 0o777 == 0o600


def a_command_beside_it_is_about_it(stack):
    url, four_eyes, port = command(stack, "shell", "-v0", "-c", ASK).split()[-3:]
    assert url in stack.said
    assert (four_eyes, port) == ("True", stack.variables["SIMULATOR_PORT"])
    stack.wait_for(lambda: "nobody has looked" not in command(stack, "kill_switch", "status"))


def a_command_after_it_is_about_the_defaults(stack):
    assert not (stack.folder / "stack.env").exists()
    assert command(stack, "shell", "-v0", "-c", ASK).split()[-2:] == ["False", "8090"]


def command(stack, *words):
    """Run manage.py as in another terminal, where nothing but the folder is known."""
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        env=env.for_children(
            **dict.fromkeys(NOT_GIVEN, ""),
            PETROSA_VAR_DIR=str(stack.folder),
            PETROSA_IGNORE_DOTENV="false",
        ),
        cwd=env.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def a_killed_process_starts_again(stack):
    stack.child("listen_signals").kill()
    stack.wait_for(lambda: any("listen_signals" in " ".join(p.cmdline()) for p in alive(stack)))


def alive(stack):
    return [p for p in stack.family() if p.status() != psutil.STATUS_ZOMBIE]


def a_second_stack_on_the_folder_is_refused(stack):
    refusal = stack.refusal()
    assert f"A stack is running on {stack.folder} already" in refusal
    assert f"run_stack (process {stack.process.pid})" in refusal
    assert f"simulator (process {stack.child('run_simulator').pid})" in refusal


def children_die_with_their_supervisors(stack):
    """`kill -9` of the supervisors: no process goes on alone."""
    family = stack.family()
    stack.child("supervisor.supervisord").kill()
    stack.process.kill()
    stack.process.wait()
    try:
        stack.wait_for(lambda: not list(filter(works, family)))
    finally:
        for process in filter(works, family):
            process.kill()


def works(process):
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_taken_port_is_named_before_anything_starts(tmp_path):
    stack = Stack(tmp_path)
    with socket.socket() as web, socket.socket() as simulator, socket.socket() as strategies:
        for taken, name in (
            (web, "API_PORT"),
            (simulator, "SIMULATOR_PORT"),
            (strategies, "STRATEGIES_PORT"),
        ):
            taken.bind(("127.0.0.1", int(stack.variables[name])))
            taken.listen()
        refusal = stack.refusal()
    assert f"API_PORT={stack.variables['API_PORT']}: web cannot listen" in refusal
    assert f"SIMULATOR_PORT={stack.variables['SIMULATOR_PORT']}: simulator" in refusal
    assert f"STRATEGIES_PORT={stack.variables['STRATEGIES_PORT']}: strategies" in refusal
    assert not (tmp_path / "petrosa.sqlite3").exists()
