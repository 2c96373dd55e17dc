import subprocess
import sys
from decimal import Decimal

import pytest
from django.core.exceptions import ImproperlyConfigured

from petrosa_site import env


@pytest.fixture
def variable(monkeypatch):
    """Set variables of this process for one test."""

    def change(**values):
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return change


def test_an_empty_value_is_no_value(variable):
    variable(SOME_NAME="")
    assert env.text("SOME_NAME", "default") == "default"
    assert not env.is_set("SOME_NAME")


def test_an_older_name_works_and_warns(variable):
    variable(NATS_URL="", NATS_SERVERS="nats://old:4222")
    with pytest.warns(DeprecationWarning, match="use NATS_URL"):
        assert env.text("NATS_URL", aliases=("NATS_SERVERS",)) == "nats://old:4222"


def test_two_names_that_differ_are_refused(variable):
    variable(NATS_URL="nats://a:1", NATS_SERVERS="nats://b:1")
    with pytest.raises(ImproperlyConfigured, match="keep only NATS_URL"):
        env.text("NATS_URL", aliases=("NATS_SERVERS",))


def test_two_names_that_agree_are_fine(variable):
    variable(SOME_NEW="1", SOME_OLD="1")
    with pytest.warns(DeprecationWarning, match="SOME_OLD"):
        assert env.text("SOME_NEW", aliases=("SOME_OLD",)) == "1"


@pytest.mark.parametrize(("raw", "value"), [("TRUE", True), ("on", True), ("0", False)])
def test_booleans_are_read_loosely(variable, raw, value):
    variable(SOME_FLAG=raw)
    assert env.flag("SOME_FLAG", default=not value) is value


def test_a_word_that_is_no_boolean_is_refused_by_name(variable):
    variable(SIMULATION_ENABLED="maybe")
    with pytest.raises(ImproperlyConfigured, match="SIMULATION_ENABLED='maybe' is not a boolean"):
        env.flag("SIMULATION_ENABLED", default=True)


@pytest.mark.parametrize("raw", ["abc", "NaN", "Infinity", "-1", "101"])
def test_numbers_out_of_range_are_refused_by_name(variable, raw):
    variable(STOP_LOSS_DEFAULT=raw)
    with pytest.raises(ImproperlyConfigured, match="STOP_LOSS_DEFAULT"):
        env.number("STOP_LOSS_DEFAULT", "2.0", minimum=0, maximum=100)


def test_numbers_are_exact(variable):
    variable(SOME_NUMBER="0.1")
    assert env.number("SOME_NUMBER", 0) == Decimal("0.1")


def test_a_fraction_is_no_whole_number(variable):
    variable(API_PORT="80.5")
    with pytest.raises(ImproperlyConfigured, match="API_PORT"):
        env.whole("API_PORT", 8000)


def test_a_choice_lists_what_is_allowed(variable):
    variable(ENVIRONMENT="prod")
    with pytest.raises(ImproperlyConfigured, match="production"):
        env.choice("ENVIRONMENT", "development", ("development", "production"))


def started_with(**variables):
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        env=env.for_children(**variables),
        cwd=env.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_boot_stops_on_real_money_by_accident():
    done = started_with(SIMULATION_ENABLED="false", BINANCE_TESTNET="false")
    assert done.returncode != 0
    assert "petrosa.E003" in done.stderr


def test_the_boot_stops_on_production_without_a_secret():
    done = started_with(ENVIRONMENT="production", DJANGO_SECRET_KEY="")
    assert done.returncode != 0
    assert "DJANGO_SECRET_KEY is empty" in done.stderr
