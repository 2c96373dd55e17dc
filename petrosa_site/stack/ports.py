"""Find out, before anything starts, which ports are taken and whose they would be."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Listener:
    """A port somebody will listen on: process role, the variable that moves it, the address."""

    role: str
    variable: str
    host: str
    port: int

    def problem(self) -> str | None:
        """Return why nobody can listen there, with the fix, or None."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((self.host, self.port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            return (
                f"{self.variable}={self.port}: {self.role} cannot listen on "
                f"{self.host}:{self.port} ({reason}). "
                f"Stop what uses that port, or set {self.variable} to a free one."
            )
        return None


def problems(listeners: Iterable[Listener]) -> list[str]:
    return [text for listener in listeners if (text := listener.problem())]
