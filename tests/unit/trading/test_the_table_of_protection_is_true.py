from __future__ import annotations

from itertools import product

import pytest

from tests.unit.trading import protection_table
from tests.unit.trading.protection_table import LIVE, UNKNOWN, WORLD, in_words, plan


def test_the_page_shows_what_the_plan_says():
    assert protection_table.written() == protection_table.table(), (
        "write it anew: python -m tests.unit.trading.protection_table"
    )


CELLS = list(product(LIVE, UNKNOWN, WORLD))


@pytest.mark.parametrize(("live", "unknown", "world"), CELLS)
def test_no_cell_leaves_bare_coins_without_an_act(live, unknown, world):
    """Bare coins are protected, sold, guarded, asked for or alarmed: never just kept."""
    found = plan(live, unknown, world)
    is_bare = found.covered < found.sellable and live != "a target without its stop"
    acts = in_words(found.actions).split(", ")
    assert not (is_bare and acts == ["keep"])


@pytest.mark.parametrize(("live", "unknown", "world"), CELLS)
def test_no_cell_takes_a_stop_away_without_placing_or_selling(live, unknown, world):
    words = in_words(plan(live, unknown, world).actions)
    if "cancel" in words:
        assert "place" in words or "sell" in words
