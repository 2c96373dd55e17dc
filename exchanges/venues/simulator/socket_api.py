"""The WebSocket API (`/ws-api/v3`): requests over a socket, and the user data stream.

Requests that exist on REST run the same endpoints. Subscriptions need no login: each carries key,
timestamp and signature of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from exchanges.matching.refusals import VenueRefusal, missing
from exchanges.venues.simulator import refusals, signing
from exchanges.venues.simulator.front import Answer, Front, Request
from exchanges.venues.simulator.peers import Peer
from exchanges.venues.simulator.refusals import Refusal

REST_TWINS: Mapping[str, tuple[str, str]] = {
    "ping": ("GET", "/api/v3/ping"),
    "time": ("GET", "/api/v3/time"),
    "exchangeInfo": ("GET", "/api/v3/exchangeInfo"),
    "depth": ("GET", "/api/v3/depth"),
    "trades.recent": ("GET", "/api/v3/trades"),
    "trades.aggregate": ("GET", "/api/v3/aggTrades"),
    "klines": ("GET", "/api/v3/klines"),
    "avgPrice": ("GET", "/api/v3/avgPrice"),
    "ticker.24hr": ("GET", "/api/v3/ticker/24hr"),
    "ticker.price": ("GET", "/api/v3/ticker/price"),
    "ticker.book": ("GET", "/api/v3/ticker/bookTicker"),
    "order.place": ("POST", "/api/v3/order"),
    "order.test": ("POST", "/api/v3/order/test"),
    "order.status": ("GET", "/api/v3/order"),
    "order.cancel": ("DELETE", "/api/v3/order"),
    "order.cancelReplace": ("POST", "/api/v3/order/cancelReplace"),
    "order.amend.keepPriority": ("PUT", "/api/v3/order/amend/keepPriority"),
    "openOrders.status": ("GET", "/api/v3/openOrders"),
    "openOrders.cancelAll": ("DELETE", "/api/v3/openOrders"),
    "allOrders": ("GET", "/api/v3/allOrders"),
    "orderList.place.oco": ("POST", "/api/v3/orderList/oco"),
    "orderList.place.oto": ("POST", "/api/v3/orderList/oto"),
    "orderList.place.otoco": ("POST", "/api/v3/orderList/otoco"),
    "orderList.status": ("GET", "/api/v3/orderList"),
    "orderList.cancel": ("DELETE", "/api/v3/orderList"),
    "openOrderLists.status": ("GET", "/api/v3/openOrderList"),
    "allOrderLists": ("GET", "/api/v3/allOrderList"),
    "account.status": ("GET", "/api/v3/account"),
    "account.commission": ("GET", "/api/v3/account/commission"),
    "account.rateLimits.orders": ("GET", "/api/v3/rateLimit/order"),
    "myTrades": ("GET", "/api/v3/myTrades"),
}
CONNECT_WEIGHT = 2
SUBSCRIBE_WEIGHT = 2


class SocketApi:
    """One connection to the WebSocket API."""

    def __init__(self, front: Front, peer: Peer) -> None:
        self._front = front
        self._venue = front.venue
        self._peer = peer

    async def serve(self) -> None:
        """Answer requests until the connection ends."""
        venue = self._venue
        venue.limits.spend(self._peer.address, CONNECT_WEIGHT, venue.clock.now_ms())
        venue.socket_peers.add(self._peer)
        try:
            await self._peer.serve(self._on_text)
        finally:
            venue.socket_peers.discard(self._peer)
            venue.users.forget(self._peer)

    async def _on_text(self, text: str) -> None:
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict) or not isinstance(message.get("method"), str):
            bad = Refusal(-1135, "Invalid JSON Request.")
            self._reply(None, Answer(400, refusals.body_of(bad)))
            return
        answer = await self._answer(message["method"], message.get("params") or {})
        if answer.broken:
            self._peer.hang_up()
        else:
            self._reply(message.get("id"), answer)

    async def _answer(self, method: str, params: Any) -> Answer:
        if not isinstance(params, dict):
            return _refused(Refusal(-1135, "Invalid JSON Request."))
        if method in REST_TWINS:
            return await self._front.answer(self._request(method, params))
        own = {
            "userDataStream.subscribe.signature": self._subscribe,
            "userDataStream.unsubscribe": self._unsubscribe,
            "session.subscriptions": self._subscriptions,
        }.get(method)
        try:
            if own is None:
                raise Refusal(-1000, f"Unknown method {method!r}.", 404)
            return Answer(200, own(params))
        except VenueRefusal as refusal:
            return _refused(refusal)

    def _request(self, method: str, params: Mapping[str, Any]) -> Request:
        verb, path = REST_TWINS[method]
        values = {
            name: orjson.dumps(value).decode()
            if isinstance(value, list)
            else signing.as_text(value)
            for name, value in params.items()
        }
        return Request(
            method=verb,
            path=path,
            params=values,
            payload=signing.socket_payload(params),
            api_key=values.get("apiKey"),
            address=self._peer.address,
        )

    def _subscribe(self, params: Mapping[str, Any]) -> Any:
        venue = self._venue
        values = {name: signing.as_text(value) for name, value in params.items()}
        if not values.get("apiKey"):
            raise missing("apiKey")
        account = venue.keys.get(signing.check_key_shape(values["apiKey"]))
        if account is None:
            raise refusals.unknown_key()
        signing.check_window(values, venue.clock.shown_ms())
        payload = signing.socket_payload(params)
        signing.check_signature(account.api_secret, payload, values.get("signature"))
        venue.limits.spend(self._peer.address, SUBSCRIBE_WEIGHT, venue.clock.now_ms())
        return {"subscriptionId": venue.users.subscribe(self._peer, account.account_id)}

    def _unsubscribe(self, params: Mapping[str, Any]) -> Any:
        number = params.get("subscriptionId")
        if number is not None and not isinstance(number, int):
            raise refusals.bad_data("subscriptionId")
        self._venue.users.unsubscribe(self._peer, number)
        return {}

    def _subscriptions(self, _params: Mapping[str, Any]) -> Any:
        return [{"subscriptionId": n} for n in self._venue.users.subscriptions(self._peer)]

    def _reply(self, request_id: Any, answer: Answer) -> None:
        reply: dict[str, Any] = {"id": request_id, "status": answer.status}
        if answer.status == 200:
            reply["result"] = answer.content
        else:
            error = dict(answer.content) if isinstance(answer.content, dict) else {}
            if "Retry-After" in answer.headers:
                now_ms = self._venue.clock.shown_ms()
                seconds = int(answer.headers["Retry-After"])
                error["data"] = {"serverTime": now_ms, "retryAfter": now_ms + seconds * 1000}
            reply["error"] = error
        reply["rateLimits"] = self._limits(answer)
        self._peer.send_json(reply)

    def _limits(self, answer: Answer) -> list[dict[str, Any]]:
        venue = self._venue
        now_ms = venue.clock.now_ms()
        rows = venue.limits.allowance.announced()
        counts: list[Any] = [venue.limits.spend(self._peer.address, 0, now_ms)]
        counts += [
            answer.headers.get("X-MBX-ORDER-COUNT-10S"),
            answer.headers.get("X-MBX-ORDER-COUNT-1D"),
        ]
        return [
            {**row, "count": int(count)}
            for row, count in zip(rows, counts, strict=False)
            if count is not None
        ]


def _refused(refusal: VenueRefusal) -> Answer:
    return Answer(
        refusal.http_status, refusals.body_of(refusal), dict(refusals.headers_of(refusal))
    )
