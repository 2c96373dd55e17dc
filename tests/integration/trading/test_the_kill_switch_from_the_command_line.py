from __future__ import annotations

import getpass
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from audit.models import Event
from trading import tasks
from trading.models import TradingState

pytestmark = pytest.mark.django_db
HERE = f"{getpass.getuser()} (command line)"


def run(*words: str) -> str:
    out = StringIO()
    call_command("kill_switch", *words, stdout=out)
    return out.getvalue()


def stop(level: str = "HALTED", *more: str) -> TradingState:
    run("engage", level, "--reason", "storm", *more)
    return TradingState.objects.latest("pk")


def test_it_tells_that_nothing_is_stopped(venue):
    assert "Trading is active" in run("status")


def test_a_stop_is_made_and_told(venue):
    state = stop("HALT_NEW", "--scope", "symbol", "--key", "btcusdt", "--minutes", "5")

    assert (state.mode, state.key, state.engaged_by) == ("HALTED", "BTCUSDT", HERE)
    assert state.expires_at is not None
    assert "HALTED symbol BTCUSDT" in run("status")
    assert Event.objects.get(kind="control.engaged").actor == HERE


def test_the_plan_says_what_would_be_done(send):
    send(stop_loss=44000)

    assert "sell at market in simulator: 0.00999 BTCUSDT" in run("plan", "FLATTEN")
    assert "Nothing would be" in run("plan", "HALTED")
    assert not TradingState.objects.exists()


def test_the_status_tells_what_came_of_it(send):
    send(stop_loss=44000)
    tasks.empty(stop("FLATTEN").pk)

    assert "1 done, 0 waits, 0 failed, 0 left nothing is left" in run("status")


def test_it_is_released_with_a_reason(venue):
    state = stop()
    words = ("release", str(state.pk), "--reason", "calm")

    assert run(*words) == "Released.\n"
    assert run(*words) == "It was released before.\n"
    state.refresh_from_db()
    assert (state.released_by, state.release_reason) == (HERE, "calm")


@pytest.mark.parametrize(
    "words",
    [
        ("engage", "HALTED", "--reason", " "),
        ("engage", "HALTED", "--reason", "x", "--scope", "symbol"),
        ("engage", "HALTED", "--reason", "x", "--key", "BTCUSDT"),
        ("engage", "HALTED", "--reason", "x", "--scope", "venue", "--key", "moon"),
        ("engage", "HALTED", "--reason", "x", "--scope", "account", "--key", "nobody"),
        ("engage", "HALTED", "--reason", "x", "--minutes", "0"),
        ("engage", "ACTIVE", "--reason", "x"),
        ("engage", "HALTED"),
        ("release", "99", "--reason", "x"),
    ],
)
def test_what_would_do_nothing_is_refused(venue, words):
    with pytest.raises(CommandError):
        run(*words)
    assert not TradingState.objects.exists()
