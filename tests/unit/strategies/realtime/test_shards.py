"""Every symbol has one owner, however many processes share them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals_app.realtime.shard import Shard, ShardInvalid


@given(st.text(min_size=1, max_size=20), st.integers(1, 50))
def test_every_symbol_has_one_owner(symbol, count):
    assert sum(Shard(number + 1, count).owns(symbol) for number in range(count)) == 1


@pytest.mark.parametrize("text", ["", "1", "0/1", "2/1", "1/0", "-1/2", "a/b", "1/2/3"])
def test_what_is_no_share_is_refused(text):
    with pytest.raises(ShardInvalid):
        Shard.parsed(text)
