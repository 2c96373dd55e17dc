"""What closed trades come to, against sums made another way."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from trading.selectors.performance import reckon

D = Decimal
trades = st.lists(st.tuples(st.decimals(-100, 100, places=2), st.decimals(0, 5, places=2)))


def of(*profits):
    return reckon((D(p), D(0)) for p in profits)


def test_nothing_traded_is_nothing_to_reckon_with():
    figures = of()
    assert (figures.trades, figures.win_rate, figures.profit_factor) == (0, None, None)


def test_a_breakeven_neither_counts_nor_ends_a_streak():
    assert of(-1, -1, 0, -1).streak == -3
    assert of(-1, -1, 0, -1).breakevens == 1


def test_a_win_ends_a_losing_streak():
    figures = of(-1, -1, 2)
    assert (figures.streak, figures.longest_losing_streak) == (1, 2)


def test_drawdown_is_the_largest_fall_from_the_top():
    assert of(5, -3, 1, -4, 10).drawdown == 6


def test_drawdown_counts_from_nothing_too():
    assert of(-2, -3).drawdown == 5


@given(trades)
def test_figures_agree_with_sums_made_another_way(rows):
    figures = reckon(rows)
    profits = [profit for profit, _ in rows]
    assert figures.profit == sum(profits, D(0))
    assert figures.gross_profit - figures.gross_loss == figures.profit
    assert figures.wins + figures.losses + figures.breakevens == len(rows)
    sums = [sum(profits[:n], D(0)) for n in range(len(profits) + 1)]
    falls = [high - low for i, high in enumerate(sums) for low in sums[i:]]
    assert figures.drawdown == max(falls)
