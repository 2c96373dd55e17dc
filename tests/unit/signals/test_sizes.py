"""One size per signal, in base or in quote units."""

from decimal import Decimal

import pytest

from tests.unit.signals.payloads import parse, refused, v1, v2, without


@pytest.mark.parametrize("name", ["quantity", "base_amount", "amount"])
def test_base_sizes_are_one_thing_under_three_names(name):
    draft = parse(v1({name: 0.002}))
    assert (draft.quantity, draft.quote_quantity) == (Decimal("0.002"), None)


@pytest.mark.parametrize("name", ["quote_quantity", "quote_amount"])
def test_quote_sizes_are_one_thing_under_two_names(name):
    draft = parse(without(v2(**{name: 100}), "quantity"))
    assert (draft.quantity, draft.quote_quantity) == (None, Decimal(100))


def test_no_size_is_fine():
    draft = parse(v1({}))
    assert (draft.quantity, draft.quote_quantity) == (None, None)


def test_the_same_size_said_twice_is_fine():
    assert parse(v2(meta={"base_amount": "0.0010"})).quantity == Decimal("0.001")


def test_two_base_sizes_that_differ_are_refused_naming_both():
    error = refused(v2(quantity=0.001, meta={"base_amount": 0.002}))
    assert (error.field, error.code) == ("quantity", "SIZE_AMBIGUOUS")
    assert "meta.base_amount" in error.message


def test_a_base_and_a_quote_size_together_are_refused():
    assert refused(v2(quantity=0.001, quote_quantity=50)).code == "SIZE_AMBIGUOUS"


def test_a_size_of_zero_is_not_taken_for_no_size():
    assert refused(v1({"base_amount": 0})).field == "meta.base_amount"
