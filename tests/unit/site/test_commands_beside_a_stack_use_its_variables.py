"""What a command takes from the stack that runs in its folder, and what it does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from petrosa_site import env
from petrosa_site.stack import env_file


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for names in (*env.TOGETHER, {"REDIS_URL", "NATS_URL", "NATS_SERVERS", "FOUR_EYES"}):
        for name in names:
            monkeypatch.delenv(name, raising=False)
    return tmp_path


def write(folder: Path, *lines: str, pid: int | None = None, life: str | None = None) -> None:
    pid = os.getpid() if pid is None else pid
    head = f"# {pid} {env.life_of(pid) if life is None else life}"
    env.stack_file(folder).write_text("\n".join([head, *lines]) + "\n")


def asked(folder: Path, name: str, **given: str) -> str:
    """Ask as a new process does, and return the value it sees."""
    kept = {n: v for n, v in os.environ.items() if n in ("PATH", "HOME", "PYTHONPATH")}
    words = f"from petrosa_site import env; env.load_dotenv(); print(env.text({name!r}))"
    done = subprocess.run(
        [sys.executable, "-c", words],
        env=kept | {"PETROSA_VAR_DIR": str(folder)} | given,
        cwd=env.BASE_DIR,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return done.stdout.strip()


def test_what_nobody_else_gives_is_taken_over(folder):
    write(folder, "PETROSA_TRIAL=a=b c")

    assert asked(folder, "PETROSA_TRIAL") == "a=b c"


def test_the_environment_wins(folder):
    write(folder, "PETROSA_TRIAL=stack")

    assert asked(folder, "PETROSA_TRIAL", PETROSA_TRIAL="mine") == "mine"
    assert asked(folder, "PETROSA_TRIAL", PETROSA_TRIAL="") == "stack"


def test_those_who_read_no_dotenv_read_no_stack_either(folder):
    write(folder, "PETROSA_TRIAL=stack")

    assert asked(folder, "PETROSA_TRIAL", PETROSA_IGNORE_DOTENV="true") == ""


def test_an_older_name_of_ours_wins_too(folder, monkeypatch):
    monkeypatch.setattr(env, "_stack", {"NATS_URL": "nats://stack:1"})
    assert env.text("NATS_URL", aliases=("NATS_SERVERS",)) == "nats://stack:1"
    monkeypatch.setenv("NATS_SERVERS", "nats://mine:1")
    with pytest.warns(DeprecationWarning, match="use NATS_URL"):
        assert env.text("NATS_URL", aliases=("NATS_SERVERS",)) == "nats://mine:1"


def test_it_is_no_value_of_our_own(monkeypatch, folder):
    monkeypatch.setattr(env, "_stack", {"REDIS_URL": "redis://stack:1"})

    assert not env.is_set("REDIS_URL")


def test_another_database_of_ours_is_not_mixed_with_the_stack_s(folder, monkeypatch):
    write(folder, "DATABASE_URL=postgres://stack/x", "FOUR_EYES=true")
    monkeypatch.setenv("DATABASE_PATH", "mine.sqlite3")

    assert env.of_stack(folder) == {"FOUR_EYES": "true"}


def test_the_file_of_a_stack_that_is_gone_is_no_file(folder):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    write(folder, "FOUR_EYES=true", pid=gone.pid, life="alive")

    assert env.of_stack(folder) == {}


@pytest.mark.skipif(sys.platform != "linux", reason="nothing else tells when a process began")
def test_a_later_process_of_the_same_number_is_not_the_stack(folder):
    write(folder, "FOUR_EYES=true", life="12345")

    assert env.of_stack(folder) == {}


@pytest.mark.parametrize("text", ["", "FOUR_EYES=true\n", "# x y\nFOUR_EYES=true\n"])
def test_a_file_that_is_not_whole_is_no_file(folder, text):
    env.stack_file(folder).write_text(text)

    assert env.of_stack(folder) == {}


def test_secrets_are_neither_written_nor_read(folder, monkeypatch):
    for name in ("BINANCE_API_KEY", "BINANCE_API_SECRET", "SOME_TOKEN", "A_PASSWORD"):
        monkeypatch.setenv(name, "hush")
        env.text(name)
    with env_file.told(folder, {}):
        assert "hush" not in env.stack_file(folder).read_text()
    write(folder, "BINANCE_API_KEY=hush")
    assert env.of_stack(folder) == {}


def test_what_was_asked_for_is_written_while_it_runs_and_only_for_us_to_read(folder, monkeypatch):
    monkeypatch.setenv("FOUR_EYES", "true")
    env.flag("FOUR_EYES", False)
    with env_file.told(folder, {"REDIS_URL": "redis://127.0.0.1:7"}):
        told = env.of_stack(folder)
        assert env.stack_file(folder).stat().st_mode & 0o777 == 0o600
    assert (told["FOUR_EYES"], told["REDIS_URL"]) == ("true", "redis://127.0.0.1:7")
    assert not {"PETROSA_VAR_DIR", "PETROSA_IGNORE_DOTENV", "ENVIRONMENT"} & set(told)
    assert not env.stack_file(folder).exists()
