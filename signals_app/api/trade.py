"""POST /trade: one signal in, what it came to out."""

from __future__ import annotations

import redis
import structlog
from django.http import HttpResponse
from django.http.request import RawPostDataException
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from kombu.exceptions import OperationalError
from rest_framework.request import Request
from rest_framework.views import APIView

from foundation.api.permissions import needs
from foundation.api.problems import Problem
from signals_app import tasks as signal_tasks
from signals_app.api import answers
from signals_app.api.trade_docs import TRADE
from signals_app.models import Signal
from signals_app.services import intake, routing
from signals_app.services.intake import Inbound, Stored
from signals_app.services.routing import Outcome
from trading import tasks

log = structlog.get_logger(__name__)
MAX_KEY_CHARS = 128
QUEUE_IT = "petrosa.queue_it"  # set by the server when no thread is free for entries


class TradeView(APIView):
    """Take a signal, decide, trade, answer. The hot path: nothing here touches a serializer."""

    permission_classes = [needs("trading.trade")]
    throttle_scope = "trade"

    @extend_schema(**TRADE)
    def post(self, request: Request) -> HttpResponse:
        stored = intake.store(
            Inbound(
                source="rest",
                body=body_of(request),
                received_at=timezone.now(),
                dedupe_key=_dedupe_key(request),
                actor=request.user.get_username(),
            )
        )
        if request.META.get(QUEUE_IT) and _may_wait(stored):
            return _queue(stored)
        return carry_out(stored)


def _may_wait(stored: Stored) -> bool:
    return stored.status == Signal.Status.RECEIVED and stored.clash is None and not stored.is_exit


def _queue(stored: Stored) -> HttpResponse:
    """Leave an entry to the workers: every thread that may enter waits for the venue."""
    try:
        signal_tasks.act_on.delay(stored.signal_id)
    except (redis.RedisError, OperationalError) as error:
        # Stored all the same: the sweep enqueues what is left waiting.
        log.error("signal_not_enqueued", signal_uid=stored.uid, error=str(error))
    return answers.of_outcome(routing.outcome_of(stored.row), is_repeat=not stored.is_new)


def carry_out(stored: Stored) -> HttpResponse:
    """Act on a stored signal and answer its sender."""
    if stored.error is not None:
        return answers.of_payload_error(stored.error, stored.uid).response()
    if stored.clash is not None:
        return answers.of_clash(stored.clash, stored.uid).response()
    outcome = _act_on(stored)
    for position_id in outcome.positions:
        tasks.want_protection(position_id)
    return answers.of_outcome(outcome, is_repeat=not stored.is_new)


def _act_on(stored: Stored) -> Outcome:
    try:
        return routing.act_on_stored(stored.row)
    except Exception as error:
        # The signal is stored, so a sweeper may still act on it: its sender must learn its name.
        log.exception("signal_not_carried_out", signal_uid=stored.uid)
        raise Problem(
            500,
            "NOT_CARRIED_OUT",
            "The signal is stored, but acting on it failed. It is tried again while it is fresh: "
            "follow it, and do not send it as a new signal.",
            signal_uid=stored.uid,
            follow=answers.story_url(stored.uid),
        ) from error


def body_of(request: Request) -> bytes:
    """Return the body as it came; a form is not one."""
    try:
        return bytes(request.body)
    except RawPostDataException:
        raise Problem(
            415, "UNSUPPORTED_MEDIA_TYPE", "Send the signal as application/json."
        ) from None


def _dedupe_key(request: Request) -> str:
    """Read the Idempotency-Key: unique per user, printable, at most 128 characters."""
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return ""
    if len(key) > MAX_KEY_CHARS or not key.isascii() or not key.isprintable():
        raise Problem(
            400,
            "INVALID_IDEMPOTENCY_KEY",
            f"Idempotency-Key: at most {MAX_KEY_CHARS} printable ASCII characters.",
            field="Idempotency-Key",
        )
    return f"rest:{request.user.pk}:{key}"
