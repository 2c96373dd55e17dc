"""Take signals from NATS into the database, for ever."""

from __future__ import annotations

import asyncio
import signal
from argparse import ArgumentParser
from typing import Any

import structlog
from celery import current_app
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connections

from foundation import cancellation, liveness, metrics
from signals_app import heartbeat, tasks
from signals_app.gateways.nats import BusUnavailable, SignalBus
from signals_app.listener import BATCH, Listener
from signals_app.nats_control import ControlDoor
from signals_app.services import intake
from trading.services.control import circuit_breakers

log = structlog.get_logger(__name__)
COUNT_EVERY_SECONDS = 2.0


class Command(BaseCommand):
    help = "Store signals from NATS and hand them to the workers. Run as many as you like."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch", type=int, default=BATCH, help="most signals per commit")

    def handle(self, *args: Any, **options: Any) -> None:
        asyncio.run(_listen(batch=options["batch"]))


async def _listen(*, batch: int) -> None:
    bus = SignalBus(
        url=settings.NATS_URL,
        stream=settings.NATS_STREAM,
        subjects=(
            settings.NATS_SIGNAL_SUBJECT,
            settings.NATS_LEGACY_SUBJECT,
            settings.NATS_SHADOW_SUBJECT,
        ),
        durable=settings.NATS_DURABLE,
        name="petrosa-signals",
    )
    door = ControlDoor(url=settings.NATS_URL, subject=settings.NATS_CONTROL_SUBJECT)
    listener = Listener(
        bus=bus,
        store=_store,
        enqueue=_enqueue,
        count=lambda outcome: metrics.NATS_MESSAGES.labels(outcome).inc(),
        ignored=frozenset({settings.NATS_HEARTBEAT_SUBJECT}),
        batch=batch,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, listener.stop)
    beside = [
        asyncio.create_task(heartbeat.keep(listener.status, redis_url=settings.REDIS_URL)),
        asyncio.create_task(liveness.keep("signals", lambda: listener.status() is not None)),
        asyncio.create_task(_count_what_waits(bus)),
        asyncio.create_task(door.run()),
    ]
    try:
        await listener.run()
    finally:
        await cancellation.ended(*beside)


async def _count_what_waits(bus: SignalBus) -> None:
    """Tell the circuit breakers how many signals wait to be stored."""
    while True:
        await asyncio.sleep(COUNT_EVERY_SECONDS)
        try:
            waiting = await bus.waiting()
        except BusUnavailable as error:
            log.debug("backlog_not_counted", error=str(error))
            continue
        await asyncio.to_thread(circuit_breakers.note_backlog, waiting)


def _store(inbounds: list[intake.Inbound]) -> list[intake.Stored]:
    try:
        return intake.store_many(inbounds)
    except Exception:
        # A connection that broke must not be used again; the listener decides what happens next.
        connections.close_all()
        raise


def _enqueue(signal_ids: list[int], are_exits: bool) -> None:
    """Publish tasks for the signals on one broker connection; raise at once when there is none."""
    with current_app.producer_or_acquire() as producer:
        if are_exits:
            for signal_id in signal_ids:
                tasks.act_on_exit.apply_async((signal_id,), producer=producer, retry=False)
            return
        for parcel in tasks.parcels(signal_ids):
            tasks.act_on_some.apply_async((parcel,), producer=producer, retry=False)
