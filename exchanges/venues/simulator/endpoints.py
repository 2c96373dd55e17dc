"""The registry of endpoints: method and path to handler, weight and who may call.

A handler is a plain function: it reads its parameters, calls `call.ready()` (which refuses unknown
ones), acts, and returns the JSON reply or raises a VenueRefusal. It never awaits, so every
request is atomic. The WebSocket API calls the same handlers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from exchanges.venues.simulator.params import Params

if TYPE_CHECKING:
    from exchanges.matching import Engine
    from exchanges.matching.events import Event
    from exchanges.venues.simulator.venue import Venue


class Access(Enum):
    OPEN = "NONE"
    SIGNED = "USER_DATA"
    TRADE = "TRADE"

    @property
    def needs_signature(self) -> bool:
        return self is not Access.OPEN


@dataclass(slots=True)
class Call:
    """One request on its way through a handler. `status` and `headers` may be set by it."""

    venue: Venue
    params: Params
    account_id: str
    now_ms: int
    address: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cost: int | None = None  # overrides the endpoint's weight when set

    @property
    def engine(self) -> Engine:
        return self.venue.engine

    def ready(self) -> None:
        """Refuse parameters that no one has read. Raises -1104."""
        self.params.refuse_unread()

    def happened(self, events: tuple[Event, ...]) -> None:
        """Hand what an engine call caused to the store and the streams."""
        self.venue.absorb(events)


Handler = Callable[[Call], Any]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`free_when_done`: a successful call costs no weight (order entry since 2026-04)."""

    method: str
    path: str
    weight: int
    access: Access
    handler: Handler
    free_when_done: bool = False


class Registry:
    def __init__(self) -> None:
        self._endpoints: dict[tuple[str, str], Endpoint] = {}

    def add(
        self,
        method: str,
        path: str,
        *,
        weight: int,
        access: Access = Access.OPEN,
        free_when_done: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Register the decorated function under a method and path."""

        def register(handler: Handler) -> Handler:
            self._endpoints[method, path] = Endpoint(
                method, path, weight, access, handler, free_when_done
            )
            return handler

        return register

    def find(self, method: str, path: str) -> Endpoint | None:
        return self._endpoints.get((method, path))

    def all(self) -> Mapping[tuple[str, str], Endpoint]:
        return self._endpoints


REGISTRY = Registry()
