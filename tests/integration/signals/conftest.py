"""A real NATS server with a stream of each test's own."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable

import pytest
from django.conf import settings

from signals_app.gateways.nats import SignalBus

MakeBus = Callable[..., SignalBus]


@pytest.fixture
def subject() -> str:
    """A subject nobody else uses, inside what the stream captures."""
    return f"signals.test.{uuid.uuid4().hex}"


@pytest.fixture
async def make_bus(subject: str) -> AsyncIterator[MakeBus]:
    """Make buses that share one stream and one durable; all are closed afterwards."""
    made: list[SignalBus] = []
    durable = f"durable-{uuid.uuid4().hex}"

    def make(
        *, url: str = "", stream: str = "TRADING", subjects: tuple[str, ...] = (), **options
    ) -> SignalBus:
        bus = SignalBus(
            url=url or settings.NATS_URL,
            stream=stream,
            subjects=subjects or (subject,),
            durable=durable,
            **options,
        )
        made.append(bus)
        return bus

    yield make
    for bus in made:
        await bus.close()
