"""`kill -9` of the supervisors: no process goes on alone, and the same folder starts again."""

import sys

import psutil
import pytest

from tests.integration.stack.stacks import Stack, running

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.skipif(sys.platform != "linux", reason="needs PR_SET_PDEATHSIG"),
]


def test_every_child_dies_with_its_supervisor_and_the_folder_starts_again(tmp_path):
    stack = Stack(tmp_path)
    stack.start()
    stack.move()
    refusal = stack.refusal()
    assert f"A stack is running on {tmp_path} already" in refusal
    assert f"run_stack (process {stack.process.pid})" in refusal
    assert f"simulator (process {stack.child('run_simulator').pid})" in refusal

    family = stack.family()
    stack.child("supervisor.supervisord").kill()
    stack.process.kill()
    stack.process.wait()
    try:
        stack.wait_for(lambda: not list(filter(works, family)), seconds=10)
    finally:
        for process in filter(works, family):
            process.kill()

    with running(stack):
        assert "password " not in stack.said


def works(process):
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
