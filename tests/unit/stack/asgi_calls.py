"""A fake ASGI server with verbs: it feeds request parts and keeps what was sent."""

from __future__ import annotations

import asyncio
from typing import Any


def scope(path: str = "/x", headers: tuple[tuple[bytes, bytes], ...] = (), **extra: Any) -> dict:
    return {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"a=1",
        "http_version": "1.1",
        "headers": list(headers),
        **extra,
    }


class Connection:
    def __init__(self, *parts: bytes, cut_short: bool = False, leaves: bool = False) -> None:
        last = len(parts) - 1
        self.incoming: list[dict] = [
            {"type": "http.request", "body": p, "more_body": cut_short or i < last}
            for i, p in enumerate(parts)
        ]
        if cut_short or leaves:
            self.incoming.append({"type": "http.disconnect"})
        self.sent: list[dict] = []

    async def receive(self) -> dict:
        if self.incoming:
            return self.incoming.pop(0)
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async def send(self, message: dict) -> None:
        await asyncio.sleep(0)
        self.sent.append(dict(message))

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(m.get("body", b"") for m in self.sent[1:])
