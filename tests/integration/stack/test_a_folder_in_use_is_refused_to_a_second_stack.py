"""Two stacks on one folder would fight: any living process of the first keeps the second out."""

import fcntl
import subprocess
from contextlib import contextmanager

import psutil
import pytest
from django.core.management import CommandError

from petrosa_site.stack import child_process, folder_lock
from tests.integration.stack.stacks import Stack


@contextmanager
def started(folder, name, *words):
    """Run a command as supervisord does: what it inherits is closed, its output is piped."""
    process = subprocess.Popen(
        child_process.bound(str(folder_lock.lock_path(folder)), name, words),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def test_a_process_that_was_left_behind_keeps_the_folder(tmp_path):
    with started(tmp_path, "simulator", "sh", "-c", "echo up; exec sleep 100") as process:
        assert process.stdout.readline() == "up\n"
        refusal = Stack(tmp_path).refusal()
    assert f"A stack is running on {tmp_path} already" in refusal
    assert f"simulator (process {process.pid})" in refusal
    assert not (tmp_path / "petrosa.sqlite3").exists()


def test_what_a_process_started_keeps_the_folder_too(tmp_path):
    with started(tmp_path, "worker", "sh", "-c", "sleep 100 >&- & echo $!") as process:
        grandchild = psutil.Process(int(process.stdout.readline()))
        process.wait()
        try:
            assert "already: process unknown" in Stack(tmp_path).refusal()
        finally:
            grandchild.kill()


def test_a_process_does_not_start_on_a_folder_that_somebody_has_alone(tmp_path):
    lock = folder_lock.lock_path(tmp_path)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = subprocess.run(
            child_process.bound(str(lock), "web", ("echo", "up")),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stdout == ""
    assert f"web does not start: another stack has {lock}" in done.stderr


def test_a_folder_is_free_when_its_last_process_is_gone(tmp_path):
    with started(tmp_path, "beat", "sh", "-c", "echo up; exec sleep 100") as process:
        assert process.stdout.readline() == "up\n"
        with pytest.raises(CommandError, match="beat"), folder_lock.only_one(tmp_path):
            pass
    with folder_lock.only_one(tmp_path):
        pass
