"""User data streams: who listens to which account, and the events on their way to them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from exchanges.matching.events import (
    BalanceAdjusted,
    BalancesChanged,
    Event,
    ListChanged,
    MarketTraded,
    OrderChanged,
)
from exchanges.venues.simulator import rendering
from exchanges.venues.simulator.clock import Clock
from exchanges.venues.simulator.faults import FaultBook
from exchanges.venues.simulator.peers import Peer
from exchanges.venues.simulator.refusals import Refusal

PrivateEvent = OrderChanged | ListChanged | BalancesChanged | BalanceAdjusted
REORDER_PATIENCE_SECONDS = 2.0  # an event held back alone is sent after this


class UserStreams:
    """Subscriptions by account. One account may be watched by many connections."""

    def __init__(self, clock: Clock, faults: FaultBook) -> None:
        self._clock = clock
        self._faults = faults
        self._subscriptions: dict[Peer, dict[int, str]] = {}
        self._next: dict[Peer, int] = {}
        self._held: list[tuple[str, dict[str, Any]]] = []

    def subscribe(self, peer: Peer, account_id: str) -> int:
        """Return the subscription id. Raises -2035 when this connection already watches it."""
        mine = self._subscriptions.setdefault(peer, {})
        if account_id in mine.values():
            raise Refusal(-2035, "Subscription is already active on this connection.")
        number = self._next.get(peer, 0)
        self._next[peer] = number + 1
        mine[number] = account_id
        return number

    def unsubscribe(self, peer: Peer, number: int | None) -> None:
        """End one subscription, or all of this connection. Raises -2036 for an unknown id."""
        mine = self._subscriptions.get(peer, {})
        if number is not None and number not in mine:
            raise Refusal(-2036, "Subscription is not active on this connection.")
        for ended in [number] if number is not None else list(mine):
            del mine[ended]
            peer.send_json(
                {
                    "subscriptionId": ended,
                    "event": {"e": "eventStreamTerminated", "E": self._clock.shown_ms()},
                }
            )

    def subscriptions(self, peer: Peer) -> list[int]:
        return sorted(self._subscriptions.get(peer, {}))

    def forget(self, peer: Peer) -> None:
        self._subscriptions.pop(peer, None)
        self._next.pop(peer, None)

    def peers(self) -> list[Peer]:
        return list(self._subscriptions)

    def announce_shutdown(self) -> None:
        """Tell every connection that the server is about to go: reconnect now."""
        notice = {"event": {"e": "serverShutdown", "E": self._clock.shown_ms()}}
        for peer in self._subscriptions:
            peer.send_json(notice)

    def publish(self, events: Iterable[Event]) -> None:
        """Send the user-visible ones of an engine call's events, in their order."""
        if not self._subscriptions:
            return
        for event in events:
            if not isinstance(event, MarketTraded):
                self._route(event.account_id, self._render(event))

    def _render(self, event: PrivateEvent) -> dict[str, Any]:
        shown_ms = self._clock.shown_ms()
        if isinstance(event, OrderChanged):
            return rendering.execution_report(event, shown_ms)
        if isinstance(event, BalancesChanged):
            return rendering.account_position(event, shown_ms)
        if isinstance(event, ListChanged):
            return rendering.list_status(event, shown_ms)
        return rendering.balance_update(event, shown_ms)

    def _route(self, account_id: str, message: dict[str, Any]) -> None:
        fault = self._faults.for_event("user", message["e"], message.get("s"), message.get("x"))
        if fault is None:
            self._deliver(account_id, message)
            self._release_held()
        elif fault.kind == "stream_duplicate":
            self._deliver(account_id, message)
            self._deliver(account_id, message)
        elif fault.kind == "stream_delay":
            wait = fault.effect["delay_ms"] / 1000
            asyncio.get_running_loop().call_later(wait, self._deliver, account_id, message)
        elif fault.kind == "stream_reorder":
            self._held.append((account_id, message))
            asyncio.get_running_loop().call_later(REORDER_PATIENCE_SECONDS, self._release_held)
        # stream_drop and stream_silence: nobody hears of it

    def _release_held(self) -> None:
        held, self._held = self._held, []
        for account_id, message in held:
            self._deliver(account_id, message)

    def _deliver(self, account_id: str, message: dict[str, Any]) -> None:
        for peer, mine in self._subscriptions.items():
            for number, watched in mine.items():
                if watched == account_id:
                    peer.send_json({"subscriptionId": number, "event": message})
