"""`/control`: faults and drills, mounted only when the simulator was started with faults on.

POST faults     {"kind": ..., "count": n, "for_seconds": s, "share": 0.1, "method", "path",
                 "symbol", "account", "side": "SELL", "role": "stop"|"market_sell"|...,
                 "hide_seconds": n, ...}
GET, DELETE faults
POST clock      {"skew_ms": n}
POST price      {"symbol", "price"}
POST liquidity  {"symbol", "levels": n, "factor": "0.1", "side": "bids"|"asks"}
                or {"symbol", "restore": true}
POST account    {"account"?, "maker_rate"?, "taker_rate"?, "bnb_burn"?, "can_trade"?}
POST balances   {"account"?, "balances": {"USDT": "1000"}}        free amounts
POST order      {"account"?, "symbol", "side", "type", ...}        by hand, as on the web page
POST cancel     {"account"?, "symbol", "orderId"}                  by hand
POST symbol     {"symbol", "status": "HALT"}
POST sockets    {"action": "drop"|"shutdown"|"terminate", "target": "user"|"market"|"all"}
POST wipe       {}                                                 as a testnet reset
POST reset      {}                                                 no drill ever happened
POST batch      {"steps": [["cancel", {...}], ["order", {...}]]}   with nothing in between
POST limits     {"forgive": true} or {"ban": address, "seconds": n}
GET  ledger     ?account=ID                                        every order, list, trade, balance
GET  events     ?after=N                                           the venue's diary, oldest first
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson
from aiohttp import web

from exchanges.matching.refusals import VenueRefusal
from exchanges.venues.simulator import endpoints_orders, rendering
from exchanges.venues.simulator.endpoints import Call, Handler
from exchanges.venues.simulator.faults import BadFault
from exchanges.venues.simulator.liquidity import Thinning
from exchanges.venues.simulator.params import Params
from exchanges.venues.simulator.peers import Peer
from exchanges.venues.simulator.prices.base import CannotMovePrice
from exchanges.venues.simulator.rendering import money
from exchanges.venues.simulator.venue import Venue

Wish = dict[str, Any]
Action = Callable[[Wish], Any]
EVERYTHING = 10**9


class BadWish(ValueError):
    """The request does not say what a drill needs to know."""


class Control:
    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._actions: dict[str, Action] = {}

    def mount(self, app: web.Application) -> None:
        """Add the control addresses to an application."""
        self._actions |= {
            "faults": self.add_fault,
            "clock": self.set_clock,
            "price": self.set_price,
            "liquidity": self.set_liquidity,
            "account": self.set_account,
            "balances": self.set_balances,
            "order": self.place_by_hand,
            "cancel": self.cancel_by_hand,
            "symbol": self.set_symbol,
            "sockets": self.act_on_sockets,
            "wipe": self.wipe,
            "reset": self.reset,
            "limits": self.set_limits,
            "batch": self.act_at_once,
        }
        for name, action in self._actions.items():
            app.router.add_post(f"/control/{name}", _door(action))
        app.router.add_get("/control/faults", self._faults)
        app.router.add_delete("/control/faults", self._clear_faults)
        app.router.add_get("/control/ledger", self._ledger)
        app.router.add_get("/control/events", self._events)

    # --- faults ---------------------------------------------------------------------------------

    def add_fault(self, wish: Wish) -> Any:
        return self._venue.faults.add(wish).described()

    async def _faults(self, _request: web.Request) -> web.Response:
        return _json(self._venue.faults.described())

    async def _clear_faults(self, _request: web.Request) -> web.Response:
        self._venue.faults.clear()
        self._venue.hidden.clear()
        return _json([])

    # --- market ---------------------------------------------------------------------------------

    def set_clock(self, wish: Wish) -> Any:
        self._venue.clock.skew_ms = int(wish.get("skew_ms", 0))
        return {"skew_ms": self._venue.clock.skew_ms}

    def set_price(self, wish: Wish) -> Any:
        symbol, price = self._symbol(wish), _figure(wish, "price")
        if self._venue.log is not None:
            self._venue.log.priced(self._venue.clock.now_ms(), symbol, money(price))
        self._venue.source.jump(symbol, price, self._venue)
        return {"symbol": symbol, "price": money(price)}

    def set_liquidity(self, wish: Wish) -> Any:
        venue, symbol = self._venue, self._symbol(wish)
        if wish.get("restore"):
            venue.liquidity.restore(symbol)
            return {"symbol": symbol, "thinned": False}
        thinning = Thinning(
            levels=None if wish.get("levels") is None else int(wish["levels"]),
            factor=_figure(wish, "factor") if "factor" in wish else Decimal(1),
            side=wish.get("side"),
        )
        venue.liquidity.thin(symbol, thinning)
        book = venue.engine.depth(symbol, 20)
        # The present book is thinned at once; later ones as they come from the source.
        venue.book(symbol, book.bids, book.asks)
        return {"symbol": symbol, "thinned": True}

    def set_symbol(self, wish: Wish) -> Any:
        symbol, status = self._symbol(wish), str(wish.get("status", "TRADING"))
        self._venue.engine.set_symbol_status(symbol, status)
        return {"symbol": symbol, "status": status}

    # --- accounts -------------------------------------------------------------------------------

    def set_account(self, wish: Wish) -> Any:
        account_id = self._account(wish)
        self._venue.engine.set_rates(
            account_id,
            maker_rate=_figure(wish, "maker_rate") if "maker_rate" in wish else None,
            taker_rate=_figure(wish, "taker_rate") if "taker_rate" in wish else None,
            bnb_burn=wish.get("bnb_burn"),
            can_trade=wish.get("can_trade"),
        )
        self._venue.keep_account(account_id)
        return {"account": account_id}

    def set_balances(self, wish: Wish) -> Any:
        venue, account_id = self._venue, self._account(wish)
        wanted = wish.get("balances")
        if not isinstance(wanted, dict):
            raise BadWish("balances must be an object of asset: amount")
        now = {asset: free for asset, free, _ in venue.engine.account(account_id).balances}
        for asset in wanted:
            delta = _figure(wanted, asset) - now.get(asset, Decimal(0))
            if delta:
                now_ms = venue.clock.now_ms()
                venue.absorb(venue.engine.adjust_balance(account_id, asset, delta, now_ms))
        return self._balances(account_id)

    def place_by_hand(self, wish: Wish) -> Any:
        """Place an order as a person does on the venue's own page: the id is the venue's."""
        assert self._venue.log is not None, "kept whenever /control is open"
        with self._venue.log.by_hand():
            return self._act(wish, endpoints_orders.place)

    def cancel_by_hand(self, wish: Wish) -> Any:
        """Cancel any order of an account, whoever placed it."""
        return self._act(wish, endpoints_orders.cancel)

    def _act(self, wish: Wish, handler: Handler) -> Any:
        venue, account_id = self._venue, self._account(wish)
        params = Params({name: str(v) for name, v in wish.items() if name != "account"})
        return handler(Call(venue, params, account_id, venue.clock.now_ms()))

    def _balances(self, account_id: str) -> list[dict[str, str]]:
        return [
            {"asset": asset, "free": money(free), "locked": money(locked)}
            for asset, free, locked in self._venue.engine.account(account_id).balances
        ]

    def wipe(self, _wish: Wish) -> Any:
        self._venue.wipe()
        return {"wiped": True}

    def reset(self, _wish: Wish) -> Any:
        """Undo every drill and start anew: what a test wants to find."""
        venue = self._venue
        venue.faults.clear()
        venue.hidden.clear()
        venue.clock.skew_ms = 0
        venue.limits.forgive()
        venue.liquidity.restore()
        venue.source.calm()
        venue.wipe()
        return {"reset": True}

    async def _events(self, request: web.Request) -> web.Response:
        number = request.query.get("after", "0")
        if not number.isdigit():
            return _json({"error": "after must be the number of an event"}, status=400)
        assert self._venue.log is not None, "kept whenever /control is open"
        return _json(self._venue.log.after(int(number)))

    async def _ledger(self, request: web.Request) -> web.Response:
        try:
            account_id = self._account(dict(request.query))
        except BadWish as bad:
            return _json({"error": str(bad)}, status=400)
        return _json(self._ledger_of(account_id))

    def _ledger_of(self, account_id: str) -> dict[str, Any]:
        engine = self._venue.engine
        orders, trades = [], []
        for symbol in engine.symbols:
            found = engine.all_orders(account_id, symbol, from_order_id=0, limit=EVERYTHING)
            orders += [
                {
                    **rendering.query(order),
                    # What the client called it, whatever a cancel renamed it to.
                    "placedAs": order.original_client_order_id or order.client_order_id,
                }
                for order in found
            ]
            mine = engine.trades(account_id, symbol, from_id=0, limit=EVERYTHING)
            trades += [rendering.my_trade(trade) for trade in mine]
        lists = engine.all_order_lists(account_id, from_id=0, limit=EVERYTHING)
        return {
            "account": account_id,
            "orders": orders,
            "trades": trades,
            "lists": [rendering.order_list(entry) for entry in lists],
            "balances": self._balances(account_id),
        }

    # --- connections ----------------------------------------------------------------------------

    def act_on_sockets(self, wish: Wish) -> Any:
        action, target = wish.get("action"), wish.get("target", "all")
        peers = self._peers(str(target))
        if action == "drop":
            for peer in peers:
                peer.hang_up()
        elif action == "shutdown":
            if target in ("user", "all"):
                self._venue.users.announce_shutdown()
            if target in ("market", "all"):
                self._venue.streams.announce_shutdown()
        elif action == "terminate":
            for peer in self._venue.users.peers():
                self._venue.users.unsubscribe(peer, None)
        else:
            raise BadWish("action must be drop, shutdown or terminate")
        return {"action": action, "connections": len(peers)}

    def _peers(self, target: str) -> list[Peer]:
        user, market = list(self._venue.socket_peers), list(self._venue.market_peers)
        chosen = {"user": user, "market": market, "all": [*user, *market]}.get(target)
        if chosen is None:
            raise BadWish("target must be user, market or all")
        return chosen

    def set_limits(self, wish: Wish) -> Any:
        limits = self._venue.limits
        if wish.get("forgive"):
            limits.forgive()
        elif "ban" in wish:
            now_ms = self._venue.clock.now_ms()
            limits.ban(str(wish["ban"]), float(wish.get("seconds", 120)), now_ms)
        else:
            raise BadWish("say forgive or ban")
        return {"done": True}

    def act_at_once(self, wish: Wish) -> Any:
        """Do several things with no request of anybody in between. Ends at the first refusal."""
        steps = wish.get("steps")
        if not isinstance(steps, list):
            raise BadWish("steps must be a list of [action, wish]")
        return [self._actions[name](dict(its_wish)) for name, its_wish in steps]

    # --- reading wishes -------------------------------------------------------------------------

    def _symbol(self, wish: Wish) -> str:
        symbol = wish.get("symbol")
        if symbol not in self._venue.engine.symbols:
            raise BadWish(f"no symbol is called {symbol!r}")
        return str(symbol)

    def _account(self, wish: Wish) -> str:
        account_id = wish.get("account", self._venue.config.accounts[0].account_id)
        if not self._venue.engine.has_account(account_id):
            raise BadWish(f"no account is called {account_id!r}")
        return str(account_id)


def _figure(wish: Wish, name: str) -> Decimal:
    try:
        return Decimal(str(wish[name]))
    except (KeyError, InvalidOperation):
        raise BadWish(f"{name} must be a figure") from None


def _door(action: Action) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Make a request handler of an action: JSON in, JSON out, 400 with the reason."""

    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        try:
            wish = orjson.loads(body) if body else {}
            if not isinstance(wish, dict):
                raise BadWish("send a JSON object")
            return _json(action(wish))
        except orjson.JSONDecodeError as broken:
            return _json({"error": f"not JSON: {broken}"}, status=400)
        except (BadWish, BadFault, CannotMovePrice, VenueRefusal, ValueError) as bad:
            return _json({"error": str(bad)}, status=400)

    return handle


def _json(content: Any, *, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(content), status=status, content_type="application/json")
