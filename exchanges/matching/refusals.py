"""Refusals in the venue's numbers and words: one exception, one constructor per story."""

from __future__ import annotations


class VenueRefusal(Exception):
    """The venue says no. `reject_reason` is the word streams carry in their `r` field."""

    def __init__(
        self, code: int, msg: str, http_status: int = 400, reject_reason: str = "NONE"
    ) -> None:
        self.code = code
        self.msg = msg
        self.http_status = http_status
        self.reject_reason = reject_reason
        super().__init__(f"[{code}] {msg}")


def filter_failure(name: str) -> VenueRefusal:
    return VenueRefusal(-1013, f"Filter failure: {name}")


def missing(parameter: str) -> VenueRefusal:
    return VenueRefusal(
        -1102,
        f"Mandatory parameter '{parameter}' was not sent, was empty/null, or malformed.",
    )


def missing_either(first: str, second: str) -> VenueRefusal:
    return VenueRefusal(
        -1102, f"Param '{first}' or '{second}' must be sent, but both were empty/null!"
    )


def not_required(parameter: str) -> VenueRefusal:
    return VenueRefusal(-1106, f"Parameter '{parameter}' sent when not required.")


def too_precise(parameter: str) -> VenueRefusal:
    return VenueRefusal(-1111, f"Parameter '{parameter}' has too much precision.")


def illegal_characters(parameter: str, legal: str) -> VenueRefusal:
    return VenueRefusal(
        -1100, f"Illegal characters found in parameter '{parameter}'; legal range is '{legal}'."
    )


def unknown_symbol() -> VenueRefusal:
    return VenueRefusal(-1121, "Invalid symbol.")


def bad_combination(text: str = "Combination of optional parameters invalid.") -> VenueRefusal:
    return VenueRefusal(-1128, text)


def rejected(text: str, reject_reason: str = "NONE") -> VenueRefusal:
    """Build -2010: the matching engine refused a new order."""
    return VenueRefusal(-2010, text, reject_reason=reject_reason)


def insufficient_balance() -> VenueRefusal:
    return rejected(
        "Account has insufficient balance for requested action.", "INSUFFICIENT_BALANCES"
    )


def duplicate_order() -> VenueRefusal:
    return rejected("Duplicate order sent.", "DUPLICATE_ORDER")


def market_closed() -> VenueRefusal:
    return rejected("Market is closed.", "MARKET_CLOSED")


def would_trigger() -> VenueRefusal:
    # The error table of the docs still says "Order would trigger immediately."; the live venue
    # has answered with these words since late 2020, and clients match on them.
    return rejected("Stop price would trigger immediately.", "STOP_PRICE_WOULD_TRIGGER_IMMEDIATELY")


def would_take() -> VenueRefusal:
    return rejected("Order would immediately match and take.", "WOULD_MATCH_IMMEDIATELY")


def bad_oco_prices() -> VenueRefusal:
    return rejected(
        "The relationship of the prices for the orders is not correct.", "OCO_BAD_PRICES"
    )


def may_not_trade() -> VenueRefusal:
    return rejected("This account may not place or cancel orders.", "ACCOUNT_CANNOT_SETTLE")


def unknown_to_cancel() -> VenueRefusal:
    return VenueRefusal(-2011, "Unknown order sent.", reject_reason="UNKNOWN_ORDER")


def restricted_cancel() -> VenueRefusal:
    return VenueRefusal(-2011, "Order was not canceled due to cancel restrictions.")


def no_such_order() -> VenueRefusal:
    return VenueRefusal(-2013, "Order does not exist.")


def no_such_list() -> VenueRefusal:
    return VenueRefusal(-2013, "Order list does not exist.")


def ids_disagree() -> VenueRefusal:
    return VenueRefusal(
        -2039, "Client order ID is not correct for this order ID.", reject_reason="UNKNOWN_ORDER"
    )


def too_many_orders(limit: int, interval: str) -> VenueRefusal:
    return VenueRefusal(
        -1015, f"Too many new orders; current limit is {limit} orders per {interval}.", 429
    )


def amend_refused(text: str) -> VenueRefusal:
    return VenueRefusal(-2038, text)
