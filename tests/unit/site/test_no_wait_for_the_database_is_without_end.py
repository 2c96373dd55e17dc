"""Every wait between us and PostgreSQL has an end; 0 leaves it to the server's configuration."""

from __future__ import annotations

from dataclasses import replace

from petrosa_site.database import Timeouts, parameters

USUAL = Timeouts(
    connect=5, lock=4, statement=60, long_statement=900, idle_in_transaction=10, dead_peer=6
)
NONE = Timeouts(
    connect=0, lock=0, statement=0, long_statement=0, idle_in_transaction=0, dead_peer=0
)


def server_words(timeouts: Timeouts = USUAL, *, is_patient: bool = False, **given: str) -> str:
    return str(parameters(timeouts, given, is_patient=is_patient).get("options", ""))


def test_the_server_is_told_with_the_connection():
    words = server_words()

    assert "-c lock_timeout=4s" in words
    assert "-c statement_timeout=60s" in words
    assert "-c idle_in_transaction_session_timeout=10s" in words
    assert "-c tcp_user_timeout=6000" in words


def test_what_takes_long_may_take_longer_and_waits_for_locks_no_longer():
    words = server_words(is_patient=True)

    assert "-c statement_timeout=900s" in words
    assert "-c lock_timeout=4s" in words


def test_our_own_side_gives_up_a_silent_server():
    found = parameters(USUAL, {}, is_patient=False)

    assert found["connect_timeout"] == 5
    assert found["keepalives_idle"] + found["keepalives_count"] == 6
    assert found["tcp_user_timeout"] == 6000


def test_what_the_url_says_counts():
    given = {"connect_timeout": "20", "options": "-c lock_timeout=9s"}
    found = parameters(USUAL, given, is_patient=False)

    assert found["connect_timeout"] == "20"
    assert found["options"].endswith("-c lock_timeout=9s")


def test_nothing_is_said_where_nothing_is_wanted():
    assert parameters(NONE, {"sslmode": "require"}, is_patient=False) == {"sslmode": "require"}


def test_one_can_be_left_to_the_server():
    assert "lock_timeout" not in server_words(replace(USUAL, lock=0))
