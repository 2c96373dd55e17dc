"""What a request is for, as a venue can tell: by its path, side and order types, never by ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from exchanges.matching.enums import STOP_TYPES, TRIGGER_TYPES, OrderType

Params = Mapping[str, str]
Predicate = Callable[[str, str, Params], bool]
LISTS = ("/api/v3/orderList/", "/api/v3/order/oco")
OCOS = ("/api/v3/orderList/oco", "/api/v3/order/oco")
STATUS_PATHS = ("/api/v3/order", "/api/v3/orderList", "/api/v3/openOrders", "/api/v3/openOrderList")


def side_of(params: Params) -> str | None:
    """Return the side of an order, or of the leg of a list that goes to work first."""
    return params.get("side") or params.get("workingSide")


def types_of(params: Params) -> frozenset[str]:
    """Return the types of an order or of all legs of a list."""
    return frozenset(v for name, v in params.items() if name == "type" or name.endswith("Type"))


def _is_list(method: str, path: str, _params: Params) -> bool:
    return method == "POST" and path.startswith(LISTS)


def _is_oco(method: str, path: str, _params: Params) -> bool:
    return method == "POST" and path in OCOS


def _is_single(method: str, path: str, params: Params) -> bool:
    return method == "POST" and "type" in params and not path.startswith(LISTS)


def _stop(method: str, path: str, params: Params) -> bool:
    """A lone stop, or a pair with one in it. A bracket's stop belongs to its entry."""
    if _is_oco(method, path, params):
        return True
    return _is_single(method, path, params) and params["type"] in STOP_TYPES


def _protection(method: str, path: str, params: Params) -> bool:
    if _is_oco(method, path, params):
        return True
    resting = {*TRIGGER_TYPES, OrderType.LIMIT_MAKER}
    is_single = _is_single(method, path, params)
    return is_single and side_of(params) == "SELL" and params["type"] in resting


def _single(type_: str, side: str) -> Predicate:
    def fits(method: str, path: str, params: Params) -> bool:
        is_single = _is_single(method, path, params)
        return is_single and params["type"] == type_ and side_of(params) == side

    return fits


ROLES: Mapping[str, Predicate] = {
    "stop": _stop,
    "protection": _protection,
    "market_buy": _single("MARKET", "BUY"),
    "market_sell": _single("MARKET", "SELL"),
    "limit_buy": _single("LIMIT", "BUY"),
    "limit_sell": _single("LIMIT", "SELL"),
    "list": _is_list,
    "bracket": lambda m, path, p: _is_list(m, path, p) and not _is_oco(m, path, p),
    "order": lambda m, path, p: _is_single(m, path, p) or _is_list(m, path, p),
    "cancel": lambda method, _path, _params: method == "DELETE",
    "query": lambda method, path, _params: method == "GET" and path in STATUS_PATHS,
}
