"""A signal says whose prices it was made of, in any spelling; a word that is none is refused."""

from __future__ import annotations

import pytest

from exchanges.domain.venues import Environment
from signals_app.payload import environments
from tests.unit.signals.payloads import parse, refused, v1, v2, without


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("simulator", "simulator"),
        (" Simulator", "simulator"),
        ("SIM", "simulator"),
        ("paper", "simulator"),
        ("paper-trading", "simulator"),
        ("TESTNET", "testnet"),
        ("test net", "testnet"),
        ("Demo", "demo"),
        ("mainnet", "mainnet"),
        ("live", "mainnet"),
        ("production", "mainnet"),
    ],
)
@pytest.mark.parametrize("place", ["top", "meta", "metadata"])
def test_it_is_read_wherever_it_stands(said, meant, place):
    if place == "top":
        body = v2(environment=said)
    elif place == "meta":
        body = v1({"base_amount": 0.001, "environment": said})
    else:
        body = v2(metadata={"environment": said})
    draft = parse(body)
    assert draft.environment == meant
    assert draft.metadata["environment"] == said


def test_every_environment_can_be_said():
    assert set(environments.SPELLINGS.values()) == set(Environment)


@pytest.mark.parametrize("said", ["staging", "binance", 7, True, ["simulator"], {"name": "sim"}])
def test_what_is_none_is_refused_with_those_there_are(said):
    error = refused(v2(metadata={"environment": said}))
    assert (error.field, error.code) == ("metadata.environment", "UNKNOWN_ENVIRONMENT")
    assert "simulator, testnet, demo, mainnet" in error.message


@pytest.mark.parametrize("said", [None, "", "  "])
def test_nothing_said_is_nothing(said):
    assert parse(v2(metadata={"environment": said})).environment == ""


def test_two_places_must_agree():
    assert parse(v2(environment="sim", metadata={"environment": "paper"})).environment
    error = refused(v2(environment="mainnet", metadata={"environment": "simulator"}))
    assert error.code == "CONFLICTING_VALUES"


@pytest.mark.parametrize("word", ["env", "Environment", "ENVIRONMENT", "trading_environment"])
def test_another_name_for_it_is_refused(word):
    error = refused(v2(**{word: "simulator"}))
    assert "'environment'" in error.message


def test_an_exit_leaves_whatever_it_says():
    body = without(v2(action="close", metadata={"environment": "staging"}), "quantity", "price")
    draft = parse(body)
    assert draft.environment == ""
    assert any("staging" in note for note in draft.notes)
