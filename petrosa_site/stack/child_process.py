"""Start a command that dies with its supervisor and keeps the folder's lock while it lives.

    python -I -S child.py LOCK NAME COMMAND ...

The command takes this process's place, so supervisord's signals reach it. Whatever it starts
inherits the lock too. Only the standard library is used: a process must not start slower for it.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1


def bound(lock: str, name: str, words: Sequence[str]) -> tuple[str, ...]:
    """Return the command that runs `words` by way of this file."""
    return (sys.executable, "-I", "-S", os.path.abspath(__file__), lock, name, *words)


def die_with_parent(number: signal.Signals) -> None:
    """Ask Linux for signal `number` when our parent is gone, even by SIGKILL; nothing elsewhere."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def hold(lock: str, name: str) -> None:
    """Share the lock from now on, through exec and forks; SystemExit when another stack has it."""
    # Opened here because supervisord closes what it inherits before it starts a child.
    descriptor = os.open(lock, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        raise SystemExit(f"{name} does not start: another stack has {lock}") from None
    os.write(descriptor, f"{os.getpid()} {name}\n".encode())
    os.set_inheritable(descriptor, True)


def main(lock: str, name: str, *words: str) -> None:
    parent = os.getppid()
    # Servers and supervisor are gone in the same moment: an orderly stop would wait for nobody.
    die_with_parent(signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit(f"{name} does not start: its supervisor is gone")
    hold(lock, name)
    os.execvp(words[0], words)  # noqa: S606


if __name__ == "__main__":
    main(*sys.argv[1:])
