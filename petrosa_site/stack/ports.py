"""Choose ports for private servers, and find out before a start which ports are taken."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import cycle

HOST = "127.0.0.1"
# Below 32768, where Linux takes the local ports of outgoing connections from: a connection of
# anybody's can sit on a port from there for as long as it likes.
FIRST, END, BLOCK = 20_000, 32_000, 200


class NoneFree(RuntimeError):
    """Every port that could be chosen is in use; the text holds the numbers."""


def is_free(port: int, host: str = HOST) -> bool:
    """Say whether a server could listen there now. It may be taken before one does."""
    return refusal(port, host) is None


def refusal(port: int, host: str = HOST) -> str | None:
    """Return the system's reason why no server can listen there, or None."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, OverflowError) as error:
        return getattr(error, "strerror", None) or str(error)
    return None


class Block:
    """Ports that one process may give to its servers and no other process will choose.

    The block's first port is listened on for as long as the process lives: that is what keeps
    others out. Test workers that run side by side therefore never race for a port.
    """

    def __init__(self) -> None:
        self.owner = os.getpid()
        self._claim, first = _claimed()
        self._ports = cycle(range(first + 1, first + BLOCK))

    def next(self) -> int:
        """Return a free port; the same one again only after all others had their turn."""
        for _ in range(BLOCK):
            if is_free(port := next(self._ports)):
                return port
        raise NoneFree(f"all {BLOCK} ports of this process's block are in use")

    def release(self) -> None:
        self._claim.close()


def _claimed() -> tuple[socket.socket, int]:
    """Return the first port of a block that no process has, and the socket that keeps it."""
    for first in range(FIRST, END, BLOCK):
        claim = socket.socket()
        try:
            claim.bind((HOST, first))
            claim.listen()
        except OSError:
            claim.close()
            continue
        return claim, first
    raise NoneFree(f"every block of {BLOCK} ports from {FIRST} to {END} is in use")


_block: Block | None = None


def free_port() -> int:
    """Return a free port of this process's own block."""
    global _block
    if _block is None or _block.owner != os.getpid():  # a fork has its parent's
        _block = Block()
    return _block.next()


def free_port_from(preferred: int, *, besides: Iterable[int] = (), tries: int = 100) -> int:
    """Return `preferred` or the next port above it that is free and not among `besides`."""
    others = set(besides)
    for port in range(preferred, preferred + tries):
        if port not in others and is_free(port):
            return port
    raise NoneFree(f"no port from {preferred} to {preferred + tries - 1} is free")


@dataclass(frozen=True)
class Listener:
    """A port somebody will listen on: process role, the variable that moves it, the address."""

    role: str
    variable: str
    host: str
    port: int

    def problem(self) -> str | None:
        """Return why nobody can listen there, with the fix, or None."""
        reason = refusal(self.port, self.host)
        return reason and (
            f"{self.variable}={self.port}: {self.role} cannot listen on "
            f"{self.host}:{self.port} ({reason}). "
            f"Stop what uses that port, or set {self.variable} to a free one."
        )


def problems(listeners: Iterable[Listener]) -> list[str]:
    return [text for listener in listeners if (text := listener.problem())]
