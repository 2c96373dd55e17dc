"""A `manage.py` command in another terminal is about the stack that runs, whatever its ports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from petrosa_site import env
from tests.integration.stack.stacks import Stack, running

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.skipif((env.BASE_DIR / ".env").exists(), reason=".env wins over the stack"),
]
NOT_GIVEN = ("REDIS_URL", "NATS_URL", "DATABASE_URL", "DJANGO_SECRET_KEY", "SIMULATOR_PORT")
ASK = "from django.conf import settings as s; print(s.REDIS_URL, s.FOUR_EYES, s.SIMULATOR_PORT)"


def command(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        env=env.for_children(
            **dict.fromkeys(NOT_GIVEN, ""),
            PETROSA_VAR_DIR=str(folder),
            PETROSA_IGNORE_DOTENV="false",
        ),
        cwd=env.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_sees_the_stack_s_redis_and_switches_and_the_defaults_afterwards(tmp_path):
    stack = Stack(tmp_path)
    stack.variables["FOUR_EYES"] = "true"
    with running(stack):
        url, four_eyes, port = command(tmp_path, "shell", "-v0", "-c", ASK).split()[-3:]
        assert url in stack.said
        assert (four_eyes, port) == ("True", stack.variables["SIMULATOR_PORT"])
        stack.wait_for(
            lambda: "nobody has looked" not in command(tmp_path, "kill_switch", "status")
        )
        assert (tmp_path / "stack.env").stat().st_mode & 0o777 == 0o600

    assert not (tmp_path / "stack.env").exists()
    assert command(tmp_path, "shell", "-v0", "-c", ASK).split()[-2:] == ["False", "8090"]
