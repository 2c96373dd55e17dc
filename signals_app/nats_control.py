"""Stopping trading over NATS: one request, one reply, on a connection of its own.

Signals may flood: commands come over another connection, are carried out in a thread of their own
and never wait for a signal. All listeners share the subject; one of them answers.
"""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections, connections
from django.utils import timezone
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from trading.services.control import commands

log = structlog.get_logger(__name__)
QUEUE = "petrosa-control"
TRY_AGAIN_SECONDS = 1.0
MOST_BYTES = 16 * 1024
_BROKEN = (NatsError, OSError, asyncio.TimeoutError)


class ControlDoor:
    """Hears commands on `subject` until it is closed; connects again for as long as it takes."""

    def __init__(self, *, url: str, subject: str) -> None:
        self.servers = [part.strip() for part in url.split(",") if part.strip()]
        self.subject = subject
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="control-database")
        self._client: Client | None = None

    async def run(self) -> None:
        """Open the door and keep it open until cancelled."""
        try:
            while not await self._open():
                await asyncio.sleep(TRY_AGAIN_SECONDS)
            await asyncio.Event().wait()  # the client connects again by itself
        finally:
            await self._close()

    async def _open(self) -> bool:
        client = Client()
        try:
            await client.connect(
                self.servers,
                name="petrosa-control",
                connect_timeout=2,
                reconnect_time_wait=0.5,  # type: ignore[arg-type]  # any number of seconds
                max_reconnect_attempts=-1,
                ping_interval=10,
                max_outstanding_pings=2,
                error_cb=_on_error,
            )
            await client.subscribe(self.subject, queue=QUEUE, cb=self._hear)
            await client.flush(timeout=2)
        except _BROKEN as error:
            log.warning("control_door_not_open", subject=self.subject, error=str(error))
            await client.close()
            return False
        self._client = client
        log.info("control_door_open", subject=self.subject)
        return True

    async def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()
        self._thread.shutdown(wait=True)

    async def _hear(self, message: Msg) -> None:
        loop = asyncio.get_running_loop()
        reply = await loop.run_in_executor(self._thread, _obey_afresh, message.data)
        if message.reply:
            try:
                await message.respond(json.dumps(reply).encode())
            except _BROKEN as error:  # it holds all the same
                log.warning("control_reply_lost", error=str(error))


def _obey_afresh(body: bytes) -> dict[str, Any]:
    close_old_connections()  # commands are rare: the server may have hung up meanwhile
    return obey(body)


async def _on_error(error: Exception) -> None:
    log.debug("control_door_error", error=str(error))


def obey(body: bytes) -> dict[str, Any]:
    """Carry out one command and return the reply.

    A connection that broke meanwhile is replaced and the command tried once more: stopping twice
    does no harm.
    """
    for is_last in (False, True):
        try:
            return _obey(body)
        except (OperationalError, InterfaceError) as error:
            connections.close_all()
            log.error("control_command_failed", error=str(error), again=not is_last)
        except Exception:
            connections.close_all()
            log.exception("control_command_failed")
            break
    text = "it failed here: nothing was stopped; try again, or stop on the desk"
    return {"ok": False, "error": {"field": "", "message": text}}


def _obey(body: bytes) -> dict[str, Any]:
    actor = "unknown (nats)"
    try:
        payload = _parse(body)
        if isinstance(payload, dict) and isinstance(payload.get("by"), str):
            actor = f"{payload['by'].strip()[: commands.LONGEST_NAME] or 'unknown'} (nats)"
        word, _, asked = commands.read(payload)
    except commands.Refused as error:
        text = body[: commands.KEPT_CHARACTERS].decode("utf-8", "replace").replace("\x00", "?")
        data = {"payload": text, "field": error.field, "why": error.message}
        commands.note("control.refused", actor=actor.replace("\x00", "?"), data=data)
        return {"ok": False, "error": {"field": error.field, "message": error.message}}
    if asked is None:
        commands.note("control.asked", actor=actor, data={"command": word})
        return {"ok": True, **commands.status(timezone.now())}
    state = commands.stop(asked, actor=actor)
    holds = commands.status(timezone.now())
    return {"ok": True, "state": commands.facts(state), **holds}


def _parse(body: bytes) -> Any:
    if len(body) > MOST_BYTES:
        raise commands.Refused("command", f"at most {MOST_BYTES} bytes")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise commands.Refused("command", "this is no JSON") from None
