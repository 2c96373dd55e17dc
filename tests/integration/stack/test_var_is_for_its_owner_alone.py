"""What a stack writes holds tokens and keys: no other user of the machine may read it."""

import os
import stat

import pytest

from tests.integration.stack.stacks import Stack, running

pytestmark = pytest.mark.timeout(400)


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


@pytest.fixture
def stack(tmp_path):
    made = Stack(tmp_path / "var")
    made.output = tmp_path / "console.txt"
    before = os.umask(0o022)  # the usual one: nothing may depend on the shell's
    yield made
    os.umask(before)


def test_a_new_folder_and_one_of_an_earlier_version_are_closed(stack):
    with running(stack):
        assert (stack.folder / "petrosa.sqlite3").exists()
        assert (stack.folder / "log" / "web.log").exists()
        assert (stack.folder / "simulator" / "simulator.db").exists()
        assert open_to_others(stack.folder) == {}
    loosen(stack.folder)
    with running(stack):
        assert open_to_others(stack.folder) == {}
