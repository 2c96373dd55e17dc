import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain import client_ids

UIDS = st.text(min_size=1, max_size=60)


@given(UIDS)
def test_the_same_wish_always_has_the_same_id(uid):
    assert client_ids.entry_id(uid) == client_ids.entry_id(uid)


@given(UIDS, st.integers(0, 10**6))
def test_every_id_is_one_the_venue_allows_and_ours(uid, sequence):
    protection = client_ids.protection_ids(uid, sequence)
    made = (
        client_ids.entry_id(uid),
        client_ids.exit_id(uid),
        client_ids.entry_list_id(uid),
        protection.list_id,
        protection.target_id,
        protection.stop_id,
        protection.market_exit_id,
    )
    assert len(set(made)) == len(made)
    for one in made:
        assert client_ids.PATTERN.fullmatch(one)
        assert client_ids.is_ours(one)


def test_ten_thousand_wishes_have_ten_thousand_ids():
    assert len({client_ids.entry_id(f"uid-{n}") for n in range(10_000)}) == 10_000


def test_the_next_generation_of_protection_has_other_ids():
    first, second = (client_ids.protection_ids("position-7", n) for n in (1, 2))
    assert {first.list_id, first.stop_id}.isdisjoint({second.list_id, second.stop_id})


def test_neighbouring_keys_do_not_run_together():
    one = client_ids.protection_ids("position-1", 12)
    other = client_ids.protection_ids("position-11", 2)
    assert one.stop_id != other.stop_id


@pytest.mark.parametrize("foreign", ["x-HNA2TXFJabc", "autoclose-1", "ptr", "web_1", "ptr-e ü", ""])
def test_an_order_of_somebody_else_is_not_ours(foreign):
    assert not client_ids.is_ours(foreign)


def test_an_empty_key_is_refused():
    with pytest.raises(ValueError, match="non-empty"):
        client_ids.entry_id("")
