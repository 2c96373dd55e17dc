"""The door of the public market streams: `/ws/<stream>`, `/stream?streams=a/b`, SUBSCRIBE."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from exchanges.venues.simulator.market_streams import UnknownStream
from exchanges.venues.simulator.peers import Peer
from exchanges.venues.simulator.venue import Venue

MOST_STREAMS = 1024
UNKNOWN_REQUEST = "Invalid request: unknown variant"


class StreamDoor:
    """One connection to the market streams. `wrapped` frames say which stream they are of."""

    def __init__(self, venue: Venue, peer: Peer, *, wrapped: bool) -> None:
        self._venue = venue
        self._peer = peer
        self._wrapped = wrapped

    async def serve(self, first: Iterable[str]) -> None:
        """Stream `first` and whatever is subscribed later, until the connection ends."""
        self._venue.market_peers.add(self._peer)
        try:
            for name in first:
                # The venue is silent about unknown names in the address, too.
                self._subscribe_quietly(name)
            await self._peer.serve(self._on_text)
        finally:
            self._venue.market_peers.discard(self._peer)
            self._venue.streams.forget(self._peer)

    def _subscribe_quietly(self, name: str) -> None:
        try:
            self._venue.streams.subscribe(self._peer, name, wrapped=self._wrapped)
        except UnknownStream:
            return

    async def _on_text(self, text: str) -> None:
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError as broken:
            self._refuse(f"Invalid JSON: {broken}")
            return
        if not isinstance(message, dict):
            self._refuse("Invalid request: request must be an object")
            return
        request_id = message.get("id")
        method, params = message.get("method"), message.get("params") or []
        if method == "LIST_SUBSCRIPTIONS":
            names = self._venue.streams.names_of(self._peer)
            self._peer.send_json({"result": names, "id": request_id})
        elif method in ("SUBSCRIBE", "UNSUBSCRIBE"):
            self._change(str(method), params, request_id)
        elif method in ("SET_PROPERTY", "GET_PROPERTY"):
            self._property(str(method), params, request_id)
        else:
            self._refuse(f"{UNKNOWN_REQUEST} `{method}`", request_id)

    def _change(self, method: str, names: Any, request_id: Any) -> None:
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            self._refuse("Invalid request: params must be a list of streams", request_id)
            return
        streams = self._venue.streams
        if method == "UNSUBSCRIBE":
            for name in names:
                streams.unsubscribe(self._peer, name)
        elif len(streams.names_of(self._peer)) + len(names) > MOST_STREAMS:
            self._refuse("Invalid request: too many streams", request_id)
            return
        else:
            for name in names:
                self._subscribe_quietly(name)
        self._peer.send_json({"result": None, "id": request_id})

    def _property(self, method: str, params: list[Any], request_id: Any) -> None:
        if method == "GET_PROPERTY":
            self._peer.send_json({"result": self._wrapped, "id": request_id})
            return
        self._wrapped = bool(params[1]) if len(params) > 1 else self._wrapped
        for name in self._venue.streams.names_of(self._peer):
            self._venue.streams.subscribe(self._peer, name, wrapped=self._wrapped)
        self._peer.send_json({"result": None, "id": request_id})

    def _refuse(self, text: str, request_id: Any = None) -> None:
        self._peer.send_json({"error": {"code": 2, "msg": text}, "id": request_id})
