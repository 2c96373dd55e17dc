"""The signal bus: a JetStream stream and one durable pull consumer shared by every listener.

The library's own `fetch(n)` lingers for the whole timeout once a first message has come, so the
pull protocol is spoken here: one request stays open at the server, messages are handed over the
moment they arrive, and whatever is queued by then comes along as one batch.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.js import JetStreamContext, api
from nats.js.errors import APIError, NotFoundError

log = structlog.get_logger(__name__)

STREAM_SUBJECTS = ("signals.>", "tradeengine.>", "petrosa.dead.>")
DEAD_SUBJECT = "petrosa.dead.signals"
MSG_ID = "Nats-Msg-Id"
ACK_WAIT_SECONDS = 3.0
MAX_AGE_SECONDS = 7 * 24 * 3600.0
DUPLICATE_WINDOW_SECONDS = 300.0
MAX_STREAM_BYTES = 512 * 1024 * 1024
MAX_ACK_PENDING = 5_000
CONNECT_SECONDS = 5.0
REQUEST_SECONDS = 30.0
IDLE_HEARTBEAT_SECONDS = 5.0
_BROKEN = (NatsError, OSError, asyncio.TimeoutError)
_ENDED = frozenset({"404", "408"})  # the open request ran out: ask again
_STREAM_NAME_TAKEN = 10058


class BusUnavailable(ConnectionError):
    """The bus did not do what was asked; try again later, nothing has been lost."""


@dataclass(frozen=True, slots=True)
class PublishedAt:
    """Where the stream keeps a published message; `duplicate` when its id was known already."""

    stream: str
    sequence: int
    duplicate: bool


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """One delivery. `stored_at` is when the bus took the message, the same on every redelivery."""

    data: bytes
    subject: str
    msg_id: str  # the sender's Nats-Msg-Id, "" when it gave none
    stream: str
    stream_sequence: int
    delivered_count: int
    stored_at: datetime
    received_at: datetime
    _client: Client = field(repr=False, compare=False)
    _reply: str = field(repr=False, compare=False)

    async def ack(self) -> None:
        """Tell the bus the message is ours for good: call it after the commit."""
        await self._answer(b"")

    async def nak(self, delay: float = 0.0) -> None:
        """Ask for the message again after `delay` seconds."""
        wish = json.dumps({"delay": int(delay * 1e9)}).encode() if delay > 0 else b""
        await self._answer(b"-NAK " + wish)

    async def term(self) -> None:
        """Never deliver it again, though it stays in the stream."""
        await self._answer(b"+TERM")

    async def in_progress(self) -> None:
        """Start the acknowledgement wait over again."""
        await self._answer(b"+WPI")

    async def _answer(self, body: bytes) -> None:
        try:
            await self._client.publish(self._reply, body)
        except _BROKEN as error:
            raise BusUnavailable(f"cannot answer for message {self.stream_sequence}") from error


class SignalBus:
    """A connection that heals itself: every call sets up again what the server has lost."""

    def __init__(
        self,
        *,
        url: str,
        stream: str,
        subjects: Sequence[str],
        durable: str,
        ack_wait: float = ACK_WAIT_SECONDS,
        name: str = "petrosa",
    ) -> None:
        """`url` may be a comma list; `subjects` are what the durable consumer filters on."""
        self.servers = [part.strip() for part in url.split(",") if part.strip()]
        self.stream = stream
        self.subjects = _widest(subjects)
        self.durable = durable
        self.ack_wait = ack_wait
        self.name = name
        self._client: Client | None = None
        self._inbox: Subscription | None = None
        self._arrived: asyncio.Queue[Msg | None] = asyncio.Queue()
        self._connecting = asyncio.Lock()
        self._has_stream = False
        self._has_consumer = False
        self._refusal = ""
        self._credit = 0
        self._heard_at = 0.0
        self._asked_until = 0.0

    @property
    def is_connected(self) -> bool:
        return self._client is not None and self._client.is_connected

    async def open(self) -> None:
        """Connect and make sure stream and consumer exist; BusUnavailable when that fails."""
        try:
            client = await self._connected()
            await self._set_up(client)
        except _BROKEN as error:
            raise BusUnavailable(f"{self._shown_servers()}: {_words(error)}") from error

    async def fetch(self, batch: int = 100, timeout: float = 1.0) -> list[InboundMessage]:
        """Return 1 to `batch` messages as soon as any is there, none after `timeout` seconds."""
        if not self._has_consumer:
            await self.open()
        found = self._queued(batch)
        if found or self._refusal:
            return self._unless_refused(found)
        try:
            if self._credit <= 0 or time.monotonic() >= self._asked_until:
                await self._ask(batch)
            async with asyncio.timeout(timeout):
                first = await self._arrived.get()
        except TimeoutError:
            self._suspect_silence()
            return []
        except _BROKEN as error:
            self._look_again()
            raise BusUnavailable(_words(error)) from error
        found = [] if first is None else self._accepted(first)
        found += self._queued(batch - len(found))
        return self._unless_refused(found)

    async def publish(
        self, subject: str, data: bytes, *, msg_id: str = "", headers: dict[str, str] | None = None
    ) -> PublishedAt:
        """Publish with the stream's acknowledgement; a repeated `msg_id` is stored once."""
        sent = dict(headers or {}) | ({MSG_ID: msg_id} if msg_id else {})
        try:
            client = await self._connected()
            if not self._has_stream:
                await self._ensure_stream(client.jetstream())
            ack = await client.jetstream().publish(subject, data, headers=sent or None)
        except _BROKEN as error:
            raise BusUnavailable(f"cannot publish on {subject}: {_words(error)}") from error
        return PublishedAt(ack.stream, ack.seq, bool(ack.duplicate))

    async def waiting(self) -> int:
        """Return how many messages the durable has not had acknowledged yet."""
        try:
            client = await self._connected()
            info = await client.jetstream().consumer_info(self.stream, self.durable)
        except _BROKEN as error:
            raise BusUnavailable(f"cannot count what waits: {_words(error)}") from error
        return int(info.num_pending or 0) + int(info.num_ack_pending or 0)

    async def bury(self, message: InboundMessage, reason: str) -> None:
        """Set aside a message that cannot be stored: kept under DEAD_SUBJECT, delivered no more."""
        text = " ".join(reason.split())[:500].encode("ascii", "replace").decode()
        await self.publish(
            DEAD_SUBJECT,
            message.data,
            msg_id=f"dead:{message.stream}:{message.stream_sequence}",
            headers={"Petrosa-Subject": message.subject, "Petrosa-Reason": text},
        )
        await message.term()

    async def close(self) -> None:
        """Give back what was delivered but not handed out, send what is buffered, and leave."""
        client, self._client = self._client, None
        inbox, self._inbox = self._inbox, None
        if client is None or client.is_closed:
            return
        try:
            if inbox is not None:
                await inbox.unsubscribe()
            for message in self._queued(self._arrived.qsize()):
                await message.nak()
            if client.is_connected:
                await client.flush(timeout=2)
        except (BusUnavailable, *_BROKEN) as error:
            log.info("nats_goodbye_failed", error=_words(error))
        finally:
            await client.close()

    # --- connection ---------------------------------------------------------------------------

    async def _connected(self) -> Client:
        """Return the client; it reconnects for ever by itself once it has been connected."""
        async with self._connecting:
            if self._client is None or self._client.is_closed:
                self._look_again()
                self._inbox = None
                self._client = await self._new_connection()
                log.info("nats_connected", server=_without_password(self._client.connected_url))
            return self._client

    async def _new_connection(self) -> Client:
        client = Client()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await client.connect(
                    self.servers,
                    name=self.name,
                    connect_timeout=2,
                    reconnect_time_wait=0.5,  # type: ignore[arg-type]  # any number of seconds
                    max_reconnect_attempts=-1,
                    ping_interval=10,
                    max_outstanding_pings=2,
                    error_cb=self._on_error,
                    disconnected_cb=self._on_disconnected,
                    reconnected_cb=self._on_reconnected,
                )
        except BaseException:
            await client.close()
            raise
        return client

    async def _on_error(self, error: Exception) -> None:
        log.debug("nats_error", error=_words(error))

    async def _on_disconnected(self) -> None:
        if self._client is not None:  # else it was us who left
            log.warning("nats_disconnected", servers=self._shown_servers())

    async def _on_reconnected(self) -> None:
        # The server may have come back without its files: look at stream and consumer again.
        log.warning("nats_reconnected", servers=self._shown_servers())
        self._look_again()

    def _shown_servers(self) -> str:
        return ",".join(_without_password(urlsplit(server)) for server in self.servers)

    # --- stream and consumer ------------------------------------------------------------------

    async def _set_up(self, client: Client) -> None:
        jetstream = client.jetstream()
        await self._ensure_stream(jetstream)
        await self._ensure_consumer(jetstream)
        if self._inbox is None:
            self._inbox = await client.subscribe(client.new_inbox(), cb=self._on_message)
        self._credit = 0
        self._has_consumer = True
        log.info("signals_subscribed", stream=self.stream, durable=self.durable)

    async def _ensure_stream(self, jetstream: JetStreamContext) -> None:
        self.stream = await ensure_stream(jetstream, self.stream, self.subjects)
        self._has_stream = True

    async def _ensure_consumer(self, jetstream: JetStreamContext) -> None:
        wanted = api.ConsumerConfig(
            durable_name=self.durable,
            description="Petrosa: signals waiting to be stored",
            deliver_policy=api.DeliverPolicy.ALL,
            ack_policy=api.AckPolicy.EXPLICIT,
            ack_wait=self.ack_wait,
            # No end to deliveries: a database outage of hours must not lose a signal. Messages
            # that can never be stored are buried by the listener instead.
            max_deliver=-1,
            max_ack_pending=MAX_ACK_PENDING,
            filter_subjects=self.subjects,
        )
        try:
            await jetstream.add_consumer(self.stream, wanted)
        except APIError as error:
            # An operator's own settings of this durable win, as long as it exists.
            await jetstream.consumer_info(self.stream, self.durable)
            log.warning("nats_consumer_kept", durable=self.durable, error=_words(error))

    def _look_again(self) -> None:
        """Have the next call check stream and consumer before it relies on them."""
        self._has_stream = self._has_consumer = False
        self._credit = 0
        self._arrived.put_nowait(None)  # wakes a fetch that waits for an answer that never comes

    # --- pulling ------------------------------------------------------------------------------

    async def _ask(self, batch: int) -> None:
        if self._client is None or self._inbox is None:
            raise BusUnavailable("not connected")
        wish = {
            "batch": batch,
            "expires": int(REQUEST_SECONDS * 1e9),
            "idle_heartbeat": int(IDLE_HEARTBEAT_SECONDS * 1e9),
        }
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self.stream}.{self.durable}"
        await self._client.publish(subject, json.dumps(wish).encode(), reply=self._inbox.subject)
        self._credit = batch
        self._heard_at = time.monotonic()
        self._asked_until = self._heard_at + REQUEST_SECONDS

    async def _on_message(self, msg: Msg) -> None:
        self._arrived.put_nowait(msg)

    def _queued(self, limit: int) -> list[InboundMessage]:
        found: list[InboundMessage] = []
        while len(found) < limit and not self._arrived.empty():
            msg = self._arrived.get_nowait()
            if msg is not None:
                found += self._accepted(msg)
        return found

    def _accepted(self, msg: Msg) -> list[InboundMessage]:
        """Return the message, or nothing when it is the server talking about the request."""
        self._heard_at = time.monotonic()
        if msg.reply.startswith("$JS.ACK."):
            return [self._inbound(msg)]
        about = msg.headers or {}
        self._on_status(about.get("Status", ""), about.get("Description", ""))
        return []

    def _on_status(self, status: str, description: str) -> None:
        if status in {"", "100"}:  # idle heartbeat, or a stray message to our inbox
            return
        self._credit = 0
        if status not in _ENDED:
            self._refusal = f"pull refused: {status} {description.strip().partition(chr(10))[0]}"
            log.warning("nats_pull_refused", status=status, description=description.strip())
            self._look_again()

    def _unless_refused(self, found: list[InboundMessage]) -> list[InboundMessage]:
        """Return what was found; with nothing found, a refused request is an outage."""
        refusal, self._refusal = self._refusal, ""
        if refusal and not found:
            raise BusUnavailable(refusal)
        return found

    def _inbound(self, msg: Msg) -> InboundMessage:
        self._credit -= 1
        about = msg.metadata
        received_at = datetime.now(UTC)
        stored_at = about.timestamp.replace(tzinfo=UTC)
        return InboundMessage(
            data=msg.data,
            subject=msg.subject,
            msg_id=(msg.headers or {}).get(MSG_ID, ""),
            stream=about.stream,
            stream_sequence=about.sequence.stream,
            delivered_count=about.num_delivered,
            stored_at=stored_at,
            received_at=received_at,
            _client=msg._client,
            _reply=msg.reply,
        )

    def _suspect_silence(self) -> None:
        """Two missed heartbeats: the request, the consumer or the server is gone."""
        if time.monotonic() - self._heard_at > 2 * IDLE_HEARTBEAT_SECONDS:
            log.warning("nats_silent", durable=self.durable)
            self._look_again()


async def ensure_stream(jetstream: JetStreamContext, name: str, subjects: Sequence[str]) -> str:
    """Make sure a stream captures our subjects; returns its name.

    An existing stream keeps its settings and its subjects; ours are added. When another stream
    owns the signal subjects already, that one is used.
    """
    wanted = _widest([*STREAM_SUBJECTS, *subjects])
    try:
        info = await jetstream.stream_info(name)
    except NotFoundError:
        return await _create_stream(jetstream, name, wanted, subjects)
    present = list(info.config.subjects or [])
    missing = [ours for ours in wanted if not any(covers(theirs, ours) for theirs in present)]
    if missing:
        # A narrower subject of theirs under a wider one of ours would overlap: ours covers it.
        kept = [theirs for theirs in present if not any(covers(ours, theirs) for ours in missing)]
        info.config.subjects = kept + missing
        await jetstream.update_stream(info.config)
        log.warning("nats_stream_widened", stream=name, added=missing)
    return name


async def _create_stream(
    jetstream: JetStreamContext, name: str, wanted: list[str], subjects: Sequence[str]
) -> str:
    config = api.StreamConfig(
        name=name,
        description="Petrosa: trading signals",
        subjects=wanted,
        retention=api.RetentionPolicy.LIMITS,
        storage=api.StorageType.FILE,
        discard=api.DiscardPolicy.OLD,
        max_age=MAX_AGE_SECONDS,
        max_bytes=MAX_STREAM_BYTES,
        # Too large a signal must come in to be shown as refused: the server's own limit rules.
        max_msg_size=-1,
        duplicate_window=DUPLICATE_WINDOW_SECONDS,
    )
    try:
        await jetstream.add_stream(config)
    except APIError as error:
        if error.err_code == _STREAM_NAME_TAKEN:  # another listener was first
            return name
        owners = {await jetstream.find_stream_name_by_subject(subject) for subject in subjects}
        if len(owners) != 1:
            raise
        owner = owners.pop()
        log.warning("nats_stream_of_others_used", stream=owner, wanted=name, error=_words(error))
        return owner
    log.info("nats_stream_created", stream=name, subjects=wanted)
    return name


def covers(wide: str, narrow: str) -> bool:
    """Tell whether every subject that `narrow` matches is matched by `wide` too."""
    wide_parts, narrow_parts = wide.split("."), narrow.split(".")
    for position, part in enumerate(wide_parts):
        if part == ">":
            return len(narrow_parts) > position
        if position >= len(narrow_parts) or narrow_parts[position] == ">":
            return False
        if part not in ("*", narrow_parts[position]):
            return False
    return len(wide_parts) == len(narrow_parts)


def _widest(subjects: Sequence[str]) -> list[str]:
    """Return the subjects without those another one covers: the server refuses overlaps."""
    unique = list(dict.fromkeys(subjects))
    return [s for s in unique if not any(covers(other, s) for other in unique if other != s)]


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _without_password(url: object) -> str:
    host = getattr(url, "hostname", None)
    port = getattr(url, "port", None)
    return f"{host}:{port}" if host else ""
