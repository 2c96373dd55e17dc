import pytest

from petrosa_site import checks

GOOD_SECRET = "kJ8#vQ2!mZ7@wX4$nB9%cL5^tR3&yH6*pD1(fG0)sA-uEiOqW"


@pytest.fixture
def given(settings):
    """Set settings by name; those that hang together are kept in step."""

    def change(**values):
        if "JWT" in values:
            settings.SIMPLE_JWT = {**settings.SIMPLE_JWT, "SIGNING_KEY": values.pop("JWT")}
        for name, value in values.items():
            setattr(settings, name, value)

    change(
        SECRET_KEY=GOOD_SECRET,
        JWT=GOOD_SECRET,
        REDIS_URL_GIVEN=True,
        NATS_URL_GIVEN=True,
        SESSION_COOKIE_SECURE=True,
        USES_SQLITE=False,
    )
    return change


def ids():
    return [message.id for message in checks.messages()]


def test_the_defaults_of_a_laptop_are_silent(given):
    assert ids() == []


def test_a_careful_production_is_silent(given):
    given(ENVIRONMENT="production")
    assert ids() == []


@pytest.mark.parametrize("secret", ["short", "x" * 64, "change-me-" + GOOD_SECRET])
def test_a_weak_secret_stops_production(given, secret):
    given(ENVIRONMENT="production", SECRET_KEY=secret)
    assert ids() == ["petrosa.E001"]


def test_a_weak_token_key_stops_production(given):
    given(ENVIRONMENT="production", JWT="jwt")
    assert ids() == ["petrosa.E001"]


def test_a_weak_secret_is_fine_on_a_laptop(given):
    given(SECRET_KEY="short")
    assert ids() == []


def test_debug_stops_production(given):
    given(ENVIRONMENT="production", DEBUG=True)
    assert ids() == ["petrosa.E002"]


def mainnet(given, **more):
    given(
        SIMULATION_ENABLED=False,
        BINANCE_TESTNET=False,
        VENUE_ENVIRONMENT="mainnet",
        MAINNET_TRADING_ENABLED=True,
        BINANCE_API_KEY="key",
        BINANCE_API_SECRET="secret",
        **more,
    )


def test_debug_stops_real_money_anywhere(given):
    mainnet(given, DEBUG=True)
    assert ids() == ["petrosa.E002"]


def test_mainnet_needs_its_own_switch(given):
    mainnet(given)
    given(MAINNET_TRADING_ENABLED=False)
    assert ids() == ["petrosa.E003"]


def test_mainnet_with_its_switch_starts(given):
    mainnet(given)
    assert ids() == []


def test_the_mainnet_switch_beside_simulation_is_a_contradiction(given):
    given(MAINNET_TRADING_ENABLED=True)
    assert ids() == ["petrosa.E004"]
    assert "simulator" in checks.messages()[0].msg


@pytest.mark.parametrize("name", ["BINANCE_SPOT_REST_URL", "BINANCE_SPOT_WS_URL"])
def test_test_orders_never_go_to_the_real_exchange(given, name):
    given(**{name: "https://api.binance.com"})
    assert ids() == ["petrosa.E005"]
    assert name in checks.messages()[0].msg


def test_mainnet_keys_go_to_the_exchange_only(given):
    mainnet(given, BINANCE_SPOT_REST_URL="http://127.0.0.1:8090")
    assert ids() == ["petrosa.E006"]


@pytest.mark.parametrize("name", ["REDIS_URL", "NATS_URL"])
def test_production_needs_servers_of_its_own(given, name):
    given(ENVIRONMENT="production", **{f"{name}_GIVEN": False})
    assert ids() == ["petrosa.E007"]
    assert name in str(checks.messages()[0].hint)


def test_production_names_its_hosts(given):
    given(ENVIRONMENT="production", ALLOWED_HOSTS=["*"])
    assert ids() == ["petrosa.E008"]


def test_faults_are_not_for_production(given):
    given(ENVIRONMENT="production", SIMULATOR_FAULTS=True)
    assert ids() == ["petrosa.E009"]


@pytest.mark.parametrize(
    ("wrong", "check"),
    [
        ({"SECRET_KEY": "changeme"}, "E001"),
        ({"JWT": "a"}, "E001"),
        ({"REDIS_URL_GIVEN": False}, "E007"),
        ({"NATS_URL_GIVEN": False}, "E007"),
        ({"ALLOWED_HOSTS": ["*"]}, "E008"),
        ({"SIMULATOR_FAULTS": True}, "E009"),
        ({"USES_SQLITE": True}, "W002"),
        ({"SESSION_COOKIE_SECURE": False}, "W004"),
    ],
)
@pytest.mark.parametrize("environment", ["development", "staging", "test"])
def test_real_money_is_as_strict_under_any_name(given, environment, wrong, check):
    mainnet(given, ENVIRONMENT=environment)
    assert ids() == []
    given(**wrong)
    assert ids() == [f"petrosa.{check}"]
    assert "real money" in checks.messages()[0].msg


def test_a_switch_alone_does_not_make_it_real_money(given):
    """Switches that contradict each other stop the boot by themselves."""
    given(MAINNET_TRADING_ENABLED=True, SECRET_KEY="short")
    assert ids() == ["petrosa.E004"]


@pytest.mark.parametrize("never", ["NATS_SHADOW_SUBJECT", "NATS_HEARTBEAT_SUBJECT"])
@pytest.mark.parametrize("traded", ["NATS_SIGNAL_SUBJECT", "NATS_LEGACY_SUBJECT"])
def test_signals_on_a_subject_nobody_trades_stop_the_boot(given, traded, never):
    given(**{traded: "signals.one", never: "signals.one"})
    assert ids() == ["petrosa.E010"]


def test_a_venue_without_keys_is_warned_of(given):
    given(SIMULATION_ENABLED=False, VENUE_ENVIRONMENT="testnet")
    assert ids() == ["petrosa.W001"]


def test_sqlite_in_production_is_warned_of(given):
    given(ENVIRONMENT="production", USES_SQLITE=True)
    assert ids() == ["petrosa.W002"]


def test_a_given_base_amount_is_explained(given):
    given(DEFAULT_BASE_AMOUNT_GIVEN=True)
    assert ids() == ["petrosa.W003"]
    assert "quote units" in checks.messages()[0].msg


def test_open_cookies_in_production_are_warned_of(given):
    given(ENVIRONMENT="production", SESSION_COOKIE_SECURE=False)
    assert ids() == ["petrosa.W004"]


def test_a_public_simulator_with_known_keys_is_warned_of(given):
    given(ENVIRONMENT="production", SIMULATOR_HOST="0.0.0.0")
    assert ids() == ["petrosa.W005"]


def test_shorts_on_spot_are_warned_of_when_somebody_asks_for_them(given):
    given(TRADING_ENABLE_SHORTS=True, TRADING_ENABLE_SHORTS_GIVEN=True)
    assert ids() == ["petrosa.W006"]


def test_leverage_on_spot_is_warned_of(given):
    given(TRADING_LEVERAGE=3)
    assert ids() == ["petrosa.W007"]


def test_a_worker_leaves_with_the_error(given):
    given(MAINNET_TRADING_ENABLED=True)
    with pytest.raises(SystemExit, match=r"petrosa\.E004"):
        checks.refuse_to_start()


def test_every_error_has_a_hint(given):
    mainnet(given, DEBUG=True, ENVIRONMENT="production", ALLOWED_HOSTS=["*"], SECRET_KEY="x")
    assert len(ids()) == 3
    assert all(message.hint for message in checks.messages())
