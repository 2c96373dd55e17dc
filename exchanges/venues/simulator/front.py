"""The front door: limits, identity, faults, then the endpoint; HTTP and WebSocket API share it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import orjson

from exchanges.matching.enums import ExpiryReason
from exchanges.matching.refusals import VenueRefusal
from exchanges.matching.results import BookView
from exchanges.venues.simulator import (
    endpoints_account,
    endpoints_lists,
    endpoints_market,
    endpoints_orders,
    liquidity,
    refusals,
    roles,
    signing,
)
from exchanges.venues.simulator.endpoints import REGISTRY, Access, Call, Endpoint
from exchanges.venues.simulator.faults import Fault
from exchanges.venues.simulator.params import Params
from exchanges.venues.simulator.prices.sink import Level
from exchanges.venues.simulator.venue import Venue

# Importing them is what fills the registry.
ENDPOINT_MODULES = (endpoints_account, endpoints_lists, endpoints_market, endpoints_orders)
CORS = {"Access-Control-Allow-Origin": "*"}


@dataclass(slots=True)
class Request:
    """One request, whatever door it came by. `payload` is the text that was signed."""

    method: str
    path: str
    params: Mapping[str, str]
    payload: str
    api_key: str | None
    address: str


@dataclass(slots=True)
class Answer:
    """What goes back. `broken` means the line is cut instead of answering."""

    status: int
    content: Any
    headers: dict[str, str] = field(default_factory=dict)
    text: str | None = None  # sent as it is instead of JSON
    broken: bool = False

    def raw(self) -> bytes:
        return self.text.encode() if self.text is not None else orjson.dumps(self.content)


class Front:
    def __init__(self, venue: Venue) -> None:
        self.venue = venue

    async def answer(self, request: Request) -> Answer:
        """Take one request to its answer, through latency and faults."""
        fault = self._fault_for(request)
        latency = self.venue.config.latency_ms / 2000
        if latency:
            await asyncio.sleep(latency)
        if fault is not None:
            answer = await self._faulty(request, fault)
        else:
            answer = self._executed(request)
        if latency:
            await asyncio.sleep(latency)
        return answer

    def _fault_for(self, request: Request) -> Fault | None:
        if not self.venue.config.faults:
            return None
        account = self._account_of(request)
        fault = self.venue.faults.for_request(request, account)
        if fault is not None and self.venue.log is not None:
            asked = request.method, request.path, request.params
            self.venue.log.hit(self.venue.clock.now_ms(), account or "", asked, fault)
        return fault

    def _account_of(self, request: Request) -> str | None:
        account = self.venue.keys.get(request.api_key or "")
        return account.account_id if account else None

    async def _faulty(self, request: Request, fault: Fault) -> Answer:
        effect = fault.effect
        if effect.get("delay_before_ms"):
            await asyncio.sleep(effect["delay_before_ms"] / 1000)
        if not effect["execute"]:
            answer = Answer(200, {})
            if "late_ms" in effect:
                # Stuck on its way: its window is looked at when it gets there.
                late = effect["late_ms"] / 1000
                asyncio.get_running_loop().call_later(late, self._executed, request)
        elif "parts" in effect:
            answer = self._filled_in_parts(request, effect)
        else:
            answer = self._executed(request)
        if effect["execute"] and "hide_seconds" in effect:
            self.venue.hidden.hide(request.params, answer.content, effect["hide_seconds"])
        if effect.get("delay_ms"):
            await asyncio.sleep(effect["delay_ms"] / 1000)
        if effect.get("ending") == "hang":
            await asyncio.sleep(float(effect["seconds"]))
        if effect.get("ending"):
            answer.broken = True
            return answer
        if "retry_after" in effect:
            answer.headers["Retry-After"] = str(effect["retry_after"])
        if "text" in effect:
            return Answer(int(effect["status"]), None, answer.headers, text=str(effect["text"]))
        if "body" in effect:
            return Answer(int(effect.get("status", 400)), effect["body"], answer.headers)
        if "code" in effect:
            content = {"code": int(effect["code"]), "msg": str(effect["msg"])}
            return Answer(int(effect["status"]), content, answer.headers)
        return answer

    def _filled_in_parts(self, request: Request, effect: Mapping[str, Any]) -> Answer:
        """Run an order against a book that has only a part of what it wants, at `parts` prices.

        What may not rest expires. What may rest is filled by the depth that returns at once or
        later, or expires too. Of a list, the working leg is meant.
        """
        venue, params = self.venue, request.params
        symbol = params.get("symbol", "")
        wanted = params.get("quantity") or params.get("workingQuantity")
        rules = venue.engine.symbols.get(symbol)
        if rules is None or wanted is None:
            return self._executed(request)
        outside = venue.engine.outside(symbol)
        size = Decimal(wanted) * Decimal(str(effect["filled"]))
        side = roles.side_of(params)
        facing = outside.bids if side == "SELL" else outside.asks
        thin = liquidity.in_parts(facing, size, int(effect["parts"]), rules.lot.step)
        self._face(symbol, side, outside, thin)
        answer = self._executed(request)
        number = _placed(answer)
        if effect["rest"] == "expires" and number is not None:
            self._expire_rest(request, number)
        if effect["rest"] != "later" or not params.get("price", params.get("workingPrice")):
            self._face(symbol, side, outside, facing)
            return answer
        # Until then others meet the depth beyond this order's limit only: its rest stays.
        limit = Decimal(params.get("price") or params["workingPrice"])
        beyond = [row for row in facing if (row[0] < limit if side == "SELL" else row[0] > limit)]
        self._face(symbol, side, outside, beyond)
        since = venue.engine.outside(symbol).update_id
        asyncio.get_running_loop().call_later(
            effect["rest_ms"] / 1000, self._bring_back, symbol, side, outside, since
        )
        return answer

    def _face(
        self, symbol: str, side: str | None, outside: BookView, facing: Iterable[Level]
    ) -> None:
        """Set the book that an order of this side meets."""
        bids = facing if side == "SELL" else outside.bids
        asks = outside.asks if side == "SELL" else facing
        venue = self.venue
        venue.absorb(venue.engine.set_book(symbol, bids, asks, venue.clock.now_ms()))

    def _bring_back(self, symbol: str, side: str | None, outside: BookView, since: int) -> None:
        if self.venue.engine.outside(symbol).update_id != since:
            return  # the price source has told a newer book
        self._face(symbol, side, outside, outside.bids if side == "SELL" else outside.asks)

    def _expire_rest(self, request: Request, number: int) -> None:
        venue, account = self.venue, self._account_of(request)
        reason = ExpiryReason.EXECUTION_RULE_PRICE_RANGE_EXCEEDED
        symbol, now_ms = request.params["symbol"], venue.clock.now_ms()
        # A market order's rest has expired by itself.
        with suppress(VenueRefusal):
            venue.absorb(venue.engine.expire(account or "", symbol, number, reason, now_ms))

    def _executed(self, request: Request) -> Answer:
        """Run the request now, in one piece."""
        endpoint = REGISTRY.find(request.method, request.path)
        if endpoint is None:
            refusal = refusals.unknown_method(request.path)
            return Answer(refusal.http_status, refusals.body_of(refusal))
        venue = self.venue
        told = venue.hidden.refusal(request.method, request.path, request.params)
        if told is not None:
            return Answer(400, {"code": -2013, "msg": told})
        now_ms = venue.clock.now_ms()
        call = Call(venue, Params(request.params), "", now_ms, address=request.address)
        weight = endpoint.weight
        try:
            venue.limits.admit(request.address, weight, now_ms)
            call.account_id = self._identify(request, endpoint)
            content = endpoint.handler(call)
            weight = 0 if endpoint.free_when_done else call.cost or weight
            content = venue.hidden.without(request.method, request.path, content)
            answer = Answer(call.status, content, call.headers)
        except VenueRefusal as refusal:
            if endpoint.access is Access.TRADE and venue.log is not None:
                asked = request.method, request.path, request.params
                venue.log.refused(now_ms, self._account_of(request) or "", asked, refusal)
            answer = Answer(refusal.http_status, refusals.body_of(refusal))
            answer.headers.update(refusals.headers_of(refusal))
            if refusal.http_status == 429 and "Retry-After" not in answer.headers:
                span = 86_400 if refusal.msg.endswith("DAY.") else 10
                answer.headers["Retry-After"] = str(span - now_ms // 1000 % span)
        self._add_headers(answer, request, endpoint, call, weight)
        return answer

    def _add_headers(
        self, answer: Answer, request: Request, endpoint: Endpoint, call: Call, weight: int
    ) -> None:
        used = self.venue.limits.spend(request.address, weight, call.now_ms)
        answer.headers["X-MBX-USED-WEIGHT"] = str(used)
        answer.headers["X-MBX-USED-WEIGHT-1M"] = str(used)
        if endpoint.access is Access.TRADE and call.account_id and answer.status == 200:
            for row in self.venue.engine.order_counts(call.account_id, call.now_ms):
                answer.headers[f"X-MBX-ORDER-COUNT-{row.header_suffix}"] = str(row.count)

    def _identify(self, request: Request, endpoint: Endpoint) -> str:
        """Return the account behind a signed request, empty for an open endpoint."""
        if not endpoint.access.needs_signature:
            return ""
        account = self.venue.keys.get(signing.check_key_shape(request.api_key))
        if account is None:
            raise refusals.unknown_key()
        signing.check_window(request.params, self.venue.clock.shown_ms())
        signing.check_signature(
            account.api_secret, request.payload, request.params.get("signature")
        )
        return account.account_id


def _placed(answer: Answer) -> int | None:
    """Return the number of the order, or of the working leg, that a request placed."""
    content = answer.content
    if answer.status != 200 or not isinstance(content, dict):
        return None
    first = content.get("orders", [content])[0]
    number = first.get("orderId")
    return None if number is None else int(number)
