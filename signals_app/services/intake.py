"""The one door for signals: stored and audited before anything else happens, repeats recognised.

Nothing here raises for a bad payload: it becomes a REJECTED row that keeps the bytes and the error.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

from audit import trail
from foundation import metrics
from foundation.statements import insert
from signals_app.models import Signal
from signals_app.payload import draft_json, wire
from signals_app.payload.draft import Action, PayloadError, SignalDraft

log = structlog.get_logger(__name__)
KEPT_BYTES = 64 * 1024
EXITS = (Action.SELL, Action.CLOSE)  # on spot a sell never opens anything
ACTED_ON = (Signal.Status.RECEIVED, Signal.Status.ROUTED)
# What a sender may word anew when it repeats itself: the time, its view of the market, its notes.
# Everything else decides what is traded.
_RETOLD = frozenset(
    {
        "emitted_at",
        "current_price",
        "environment",
        "schema",
        "timeframe",
        "rationale",
        "description",
        "indicators",
        "metadata",
        "notes",
    }
)
_BINDING = tuple(f.name for f in fields(SignalDraft) if f.name not in _RETOLD)


class NotReplayable(Exception):
    """The signal must not be sent again; the text says why."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """Bytes as they came.

    `dedupe_key` names the sending, `fallback_uid` serves senders without ids. `replay_of` is the
    id of an earlier signal that an operator sends again on purpose: the new one gets an identity
    and a time of its own.
    """

    source: str
    body: bytes
    received_at: datetime
    dedupe_key: str = ""
    fallback_uid: str = ""
    actor: str = ""
    subject: str = ""
    replay_of: int | None = None


@dataclass(frozen=True, slots=True)
class Clash:
    """A repeat by its id that asks for something else: `differs_in` names the fields."""

    is_by_key: bool  # the sending's key was used again, else the signal's own uid
    differs_in: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    signal_id: int
    uid: str
    status: str
    is_new: bool
    row: Signal = field(repr=False, compare=False)
    error: PayloadError | None = None
    clash: Clash | None = None

    @property
    def is_exit(self) -> bool:
        return self.row.action in EXITS


def store(inbound: Inbound) -> Stored:
    """Store one signal; a repeat gives the first one's row."""
    return store_many([inbound])[0]


def store_many(inbounds: Sequence[Inbound]) -> list[Stored]:
    """Store a batch in one transaction, in order; raises only when the database fails."""
    signals = [_understand(inbound) for inbound in inbounds]
    try:
        # Repeats are rare: insert first, and look for earlier rows only when the keys object.
        with transaction.atomic():
            return _write(signals, earlier={})
    except IntegrityError:
        return [_store_alone(signal) for signal in signals]


def replay(signal: Signal, *, actor: str, now: datetime) -> Stored:
    """Send a refused or denied signal's bytes through the door again, as a new signal of `actor`.

    Raise NotReplayable when it was acted on, itself or by an earlier replay: one signal leads to
    one entry, however often somebody clicks. Two clicks at once share a key, and so one signal.
    """
    earlier = list(Signal.objects.filter(replay_of=signal).values_list("uid", "status"))
    if signal.raw_length > len(signal.raw):
        raise NotReplayable("only its first bytes were kept")
    if signal.status == Signal.Status.SHADOW:
        raise NotReplayable("its strategy runs in shadow: put the strategy live instead")
    if signal.status in ACTED_ON:
        raise NotReplayable(f"it is {signal.get_status_display().lower()} already")
    for uid, status in earlier:
        if status in ACTED_ON:
            raise NotReplayable(f"it was sent again before, as {uid}")
    return store(
        Inbound(
            source="replay",
            body=bytes(signal.raw),
            received_at=now,
            dedupe_key=f"replay:{signal.pk}:{len(earlier)}",
            actor=actor,
            subject=signal.subject,
            replay_of=signal.pk,
        )
    )


def _store_alone(signal: Signal) -> Stored:
    for _ in range(3):
        signal.pk = None
        try:
            with transaction.atomic():
                return _write([signal], _find_earlier([signal]))[0]
        except IntegrityError:
            # Another listener stored it between our look and our write: look again.
            log.info("signal_stored_elsewhere", signal_uid=signal.uid)
    raise RuntimeError(f"signal {signal.uid} is refused by the database and yet not found in it")


def _write(signals: Sequence[Signal], earlier: dict[str, Signal]) -> list[Stored]:
    fresh: list[Signal] = []
    chosen: list[tuple[Signal, bool]] = []
    for signal in signals:
        first = earlier.get(signal.uid) or earlier.get(signal.dedupe_key or signal.uid)
        if first is None:
            fresh.append(signal)
            earlier[signal.uid] = signal
            if signal.dedupe_key:
                earlier[signal.dedupe_key] = signal
        chosen.append((first or signal, first is None))
    insert(fresh)
    trail.record(
        *(
            _entry(row, "signal.repeated" if not is_new else f"signal.{row.status}", sent)
            for sent, (row, is_new) in zip(signals, chosen, strict=True)
        )
    )
    for row, is_new in chosen:
        metrics.SIGNALS.labels(row.source, row.status if is_new else "repeated").inc()
    return [
        Stored(
            row.pk,
            row.uid,
            row.status,
            is_new,
            row,
            _error_of(row),
            None if is_new else _clash(sent, row),
        )
        for sent, (row, is_new) in zip(signals, chosen, strict=True)
    ]


def _find_earlier(signals: Sequence[Signal]) -> dict[str, Signal]:
    keys = [s.dedupe_key for s in signals if s.dedupe_key]
    query = Q(uid__in=[s.uid for s in signals])
    if keys:
        query |= Q(dedupe_key__in=keys)
    found: dict[str, Signal] = {}
    for row in Signal.objects.filter(query).defer("raw"):
        found[row.uid] = row
        if row.dedupe_key:
            found[row.dedupe_key] = row
    return found


def _understand(inbound: Inbound) -> Signal:
    signal = Signal(
        source=inbound.source,
        subject=inbound.subject[:100],
        actor=(inbound.actor or inbound.source)[:150],
        received_at=inbound.received_at,
        raw=inbound.body[:KEPT_BYTES],
        raw_length=len(inbound.body),
        raw_sha256=hashlib.sha256(inbound.body).hexdigest(),
        correlation_id=uuid.uuid4().hex,
        replay_of_id=inbound.replay_of,
    )
    try:
        draft = wire.parse(
            inbound.body, max_bytes=settings.SIGNAL_MAX_BYTES, received_at=inbound.received_at
        )
    except PayloadError as error:
        # A refused payload must not occupy the sender's ids: the corrected one may come with them.
        signal.uid = inbound.fallback_uid or uuid.uuid4().hex
        signal.status = Signal.Status.REJECTED
        signal.error_field = error.field[:100]
        signal.error_code = error.code[:64]
        signal.error_message = error.message[:500]
        return signal
    if inbound.replay_of is not None:
        draft = replace(
            draft,
            uid="",
            emitted_at=inbound.received_at,
            notes=(*draft.notes, f"replayed by {inbound.actor}"),
        )
    return _accept(signal, draft, inbound)


def _accept(signal: Signal, draft: SignalDraft, inbound: Inbound) -> Signal:
    signal.uid = draft.uid or inbound.fallback_uid or uuid.uuid4().hex
    signal.dedupe_key = inbound.dedupe_key or None
    is_shadow = _is_shadow(inbound, draft)
    signal.status = Signal.Status.SHADOW if is_shadow else Signal.Status.RECEIVED
    signal.strategy_id = draft.strategy_id
    signal.symbol = draft.symbol
    signal.action = draft.action.value
    signal.confidence = draft.confidence
    signal.emitted_at = draft.emitted_at
    signal.draft = draft_json.to_jsonable(draft)
    return signal


def _is_shadow(inbound: Inbound, draft: SignalDraft) -> bool:
    """Say whether nobody may trade this: it came where shadow signals go, or says so itself.

    Either is enough: a sender that puts one of the two wrong is watched, never traded.
    """
    came_as_one = f"{inbound.subject}.".startswith(f"{settings.NATS_SHADOW_SUBJECT}.")
    return came_as_one or draft.metadata.get("shadow") not in (None, False)


def _clash(sent: Signal, first: Signal) -> Clash | None:
    """Compare what was asked, not how it was written."""
    if not sent.draft or not first.draft:
        return None
    now, then = draft_json.from_jsonable(sent.draft), draft_json.from_jsonable(first.draft)
    differs = tuple(name for name in _BINDING if getattr(now, name) != getattr(then, name))
    if not differs:
        return None
    is_by_key = bool(sent.dedupe_key) and sent.dedupe_key == first.dedupe_key
    return Clash(is_by_key, tuple("signal_uid" if name == "uid" else name for name in differs))


def _error_of(row: Signal) -> PayloadError | None:
    if row.status != Signal.Status.REJECTED:
        return None
    return PayloadError(row.error_field, row.error_code, row.error_message)


def _entry(row: Signal, kind: str, sent: Signal) -> trail.Entry:
    data: dict[str, object] = {
        "source": sent.source,
        "strategy_id": row.strategy_id,
        "symbol": row.symbol,
        "action": row.action,
        "confidence": None if row.confidence is None else str(row.confidence),
    }
    if row.error_code:
        data |= {"field": row.error_field, "code": row.error_code, "message": row.error_message}
    if kind == "signal.repeated":
        data |= {"status": row.status, "payload_differs": sent.raw_sha256 != row.raw_sha256}
    return trail.Entry(
        kind=kind,
        actor=sent.actor,
        subject_type="signal",
        subject_id=str(row.pk),
        correlation_id=row.correlation_id,
        signal_uid=row.uid,
        data=data,
    )
