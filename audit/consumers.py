"""The live socket of the desk: committed events, at most ten messages a second, people only."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from importlib import import_module
from typing import Any

import orjson
from channels.auth import get_user
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.utils import timezone

from audit import relay

NOT_LOGGED_IN = 4401
PAUSE_SECONDS = 0.1  # ten messages a second, whatever happens
BEAT_SECONDS = 3.0  # a quiet socket still shows that it is alive
RECHECK_SECONDS = 60.0


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Send JSON messages: {"events": [...], "live": bool, "resync": true} or {"beat": time}.

    Nothing a client sends is looked at. A socket whose user logs out or is deactivated is closed
    with 4401 within a minute.
    """

    channel_layer_alias = ""  # news comes through the relay: a layer would cost a subscription each
    recheck_seconds = RECHECK_SECONDS
    sending: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        # A refused handshake reaches scripts as 1006 whatever the reason. Accepting first lets the
        # page read 4401 and send its user to the login form; nothing else is ever sent before.
        await self.accept()
        if not await self._may_watch():
            await self.close(NOT_LOGGED_IN)
            return
        self.sending = asyncio.create_task(self._send_news())

    async def disconnect(self, code: int) -> None:  # noqa: ARG002
        if self.sending is not None:
            self.sending.cancel()
            with suppress(asyncio.CancelledError):
                await self.sending

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Ignore what clients say."""

    async def _send_news(self) -> None:
        loop = asyncio.get_running_loop()
        check_at = loop.time() + self.recheck_seconds
        beat = min(BEAT_SECONDS, self.recheck_seconds)
        with relay.of_this_loop().mailbox() as mailbox:
            while True:
                delivery = await mailbox.take(timeout=beat)
                if loop.time() >= check_at:
                    check_at = loop.time() + self.recheck_seconds
                    if not await self._may_watch():
                        await self.close(NOT_LOGGED_IN)
                        return
                await self.send(text_data=message(delivery))
                await asyncio.sleep(PAUSE_SECONDS)

    async def _may_watch(self) -> bool:
        """Read session and user anew: the ones of the handshake may be gone by now."""
        session = self.scope.get("session")
        key = getattr(session, "session_key", None)
        if not key:
            return False
        store = import_module(settings.SESSION_ENGINE).SessionStore(key)
        user: Any = await get_user({"session": store})
        return bool(user.is_authenticated and user.is_active)


def message(delivery: relay.Delivery | None) -> str:
    """Write one message; the events are JSON texts already."""
    if delivery is None:
        return orjson.dumps({"beat": timezone.now()}).decode()
    parts = [f'"events":[{",".join(delivery.events)}]']
    if delivery.is_live is not None:
        parts.append(f'"live":{"true" if delivery.is_live else "false"}')
    if delivery.must_resync:
        parts.append('"resync":true')
    return "{" + ",".join(parts) + "}"
