"""Our own strategies' way to the bus: one emission, one message, however often it is said.

Live ones go where any strategy's signals go, shadow ones to a subject of their own that nobody
trades. The message id is the emission's uid: the bus keeps the first and drops repeats.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings

from signals_app.gateways.nats import PublishedAt, SignalBus
from signals_app.strategies.emission import Emission


@dataclass(frozen=True, slots=True)
class Said:
    """An emission with where it comes from: the settings it was made under and whose market."""

    emission: Emission
    is_shadow: bool
    settings_version: int
    environment: str
    heard_ms: int | None = None  # of a recording: when it was replayed, by our clock

    @property
    def told_ms(self) -> int:
        """When it was said, by our day: what its age is reckoned from."""
        return self.emission.at_ms if self.heard_ms is None else self.heard_ms

    @property
    def subject(self) -> str:
        name: str = settings.NATS_SHADOW_SUBJECT if self.is_shadow else settings.NATS_SIGNAL_SUBJECT
        return name

    def message(self) -> bytes:
        return self.emission.payload(
            params_version=self.settings_version,
            heard_ms=self.heard_ms,
            environment=self.environment,
            **({"shadow": True} if self.is_shadow else {}),
        )


def bus(name: str) -> SignalBus:
    """Return a connection to publish on; it consumes nothing."""
    return SignalBus(
        url=settings.NATS_URL,
        stream=settings.NATS_STREAM,
        subjects=(settings.NATS_SIGNAL_SUBJECT,),
        durable=settings.NATS_DURABLE,
        name=name,
    )


async def publish(bus: SignalBus, said: Said) -> PublishedAt:
    """Publish one with the stream's acknowledgement. Raise BusUnavailable."""
    return await bus.publish(said.subject, said.message(), msg_id=said.emission.uid)


def publish_all(every: Iterable[Said], *, name: str) -> list[PublishedAt]:
    """Publish over a connection of our own, for callers without a loop. Raise BusUnavailable; what
    was published by then is dropped by the bus as a repeat when all is said again."""

    async def go() -> list[PublishedAt]:
        mine = bus(name)
        try:
            return [await publish(mine, said) for said in every]
        finally:
            await mine.close()

    return asyncio.run(go())
