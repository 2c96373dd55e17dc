"""Which of our errors each of the venue's refusals becomes."""

from __future__ import annotations

import time

import orjson
import pytest

from exchanges.domain import errors
from exchanges.venues.binance import error_mapping
from exchanges.venues.binance.error_mapping import Reply


def refusal(status: int, code: int, text: str = "words", **headers: str) -> Reply:
    return Reply(status, orjson.dumps({"code": code, "msg": text}), headers)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, -1013, errors.FilterFailed),
        (400, -1102, errors.Rejected),
        (400, -1111, errors.Rejected),
        (400, -1121, errors.Rejected),
        (400, -1165, errors.Rejected),
        (400, -2010, errors.Rejected),
        (400, -2011, errors.Rejected),
        (400, -1020, errors.Rejected),
        (500, -1001, errors.OutcomeUnknown),
        (500, -1006, errors.OutcomeUnknown),
        (408, -1007, errors.OutcomeUnknown),
        (504, -1007, errors.OutcomeUnknown),
        (400, -1007, errors.OutcomeUnknown),
        (500, -1013, errors.OutcomeUnknown),
        (503, -1008, errors.NotSent),
        (429, -1008, errors.NotSent),
        (503, -1016, errors.NotSent),
        (400, -1021, errors.NotSent),
        (400, -1034, errors.NotSent),
        (400, -1022, errors.CredentialsRefused),
        (401, -2014, errors.CredentialsRefused),
        (401, -2015, errors.CredentialsRefused),
        (401, -1002, errors.CredentialsRefused),
        (429, -1003, errors.RateLimited),
        (418, -1003, errors.RateLimited),
        (429, -1015, errors.RateLimited),
    ],
)
def test_a_refused_write_is_named_by_what_to_do_next(
    status: int, code: int, expected: type[errors.VenueError]
) -> None:
    verdict = error_mapping.on_write(refusal(status, code))

    assert type(verdict) is expected
    assert (verdict.code, verdict.status, verdict.text) == (code, status, "words")


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (
            -2010,
            "Account has insufficient balance for requested action.",
            errors.InsufficientBalance,
        ),
        (-2010, "Order would trigger immediately.", errors.WouldTrigger),
        (-2010, "Stop price would trigger immediately.", errors.WouldTrigger),
        (-2010, "Duplicate order sent.", errors.Rejected),
        (-1013, "Filter failure: MAX_NUM_ALGO_ORDERS", errors.TooManyConditional),
        (-1013, "Filter failure: EXCHANGE_MAX_NUM_ALGO_ORDERS", errors.TooManyConditional),
        (-1013, "Filter failure: MAX_NUM_ORDERS", errors.FilterFailed),
        (-1013, "Filter failure: NOTIONAL", errors.FilterFailed),
    ],
)
def test_a_refusal_has_a_type_and_its_name(
    code: int, text: str, expected: type[errors.Rejected]
) -> None:
    verdict = error_mapping.on_write(refusal(400, code, text))

    assert type(verdict) is expected
    assert verdict.reason_code == getattr(expected, "NAME", str(code))


def test_every_typed_refusal_keeps_the_venues_number() -> None:
    typed = {kind.NAME: code for code, _, kind in error_mapping.REFUSALS if hasattr(kind, "NAME")}

    assert typed == errors.CODES_OF_TYPED_REFUSALS


def test_an_unknown_error_on_the_venues_side_may_have_executed() -> None:
    text = "An unknown error occurred while processing the request."

    assert type(error_mapping.on_write(refusal(400, -1000, text))) is errors.OutcomeUnknown
    assert type(error_mapping.on_write(refusal(500, -1000, text))) is errors.OutcomeUnknown


def test_the_same_code_with_clear_words_and_status_is_final() -> None:
    verdict = error_mapping.on_write(refusal(400, -1000, "The symbol is not open for trading."))

    assert type(verdict) is errors.Rejected


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, -2013, errors.OrderNotFound),
        (400, -2018, errors.OrderNotFound),
        (400, -2026, errors.OrderNotFound),
        (400, -1121, errors.Rejected),
        (500, -1000, errors.NotSent),
        (408, -1007, errors.NotSent),
        (401, -2015, errors.CredentialsRefused),
        (429, -1003, errors.RateLimited),
    ],
)
def test_a_refused_read_changes_nothing_and_says_what_to_do(
    status: int, code: int, expected: type[errors.VenueError]
) -> None:
    assert type(error_mapping.on_read(refusal(status, code))) is expected


def test_a_not_found_on_a_write_is_a_refusal_of_the_write() -> None:
    assert type(error_mapping.on_write(refusal(400, -2013))) is errors.Rejected


def test_the_firewalls_page_makes_reads_wait() -> None:
    verdict = error_mapping.on_read(Reply(403, b"<html>blocked</html>", {}))

    assert isinstance(verdict, errors.RateLimited)
    assert verdict.scope == "ban"


@pytest.mark.parametrize(
    ("status", "code", "scope"), [(429, -1003, "weight"), (429, -1015, "orders"), (418, 0, "ban")]
)
def test_a_limit_says_which_one_and_for_how_long(status: int, code: int, scope: str) -> None:
    verdict = error_mapping.on_write(refusal(status, code, **{"Retry-After": "17"}))

    assert isinstance(verdict, errors.RateLimited)
    assert (verdict.scope, verdict.retry_after) == (scope, 17.0)


def test_a_limit_without_a_body_is_known_by_its_status() -> None:
    verdict = error_mapping.on_write(Reply(429, b"<html>slow down</html>", {}))

    assert isinstance(verdict, errors.RateLimited)
    assert verdict.retry_after > 0


def test_the_end_of_a_ban_is_read_from_its_text() -> None:
    until = int((time.time() + 90) * 1000)
    text = f"Way too much request weight used; IP banned until {until}. Please use WebSocket."

    verdict = error_mapping.on_write(refusal(418, -1003, text))

    assert isinstance(verdict, errors.RateLimited)
    assert 80 < verdict.retry_after <= 90
