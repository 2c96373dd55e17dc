"""Fixtures that many tests share: people, clients, and a simulator of the session's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import redis as redis_client
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import connection
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django.plugin import DjangoDbBlocker
    from rest_framework.test import APIClient
    from xdist.scheduler import LoadGroupScheduling

# The same examples in every run, however slow the machine: a run fails for what was changed.
# `pytest --hypothesis-profile explore` looks for new ones.
PATIENT = hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.register_profile("steady", PATIENT, derandomize=True)
hypothesis_settings.register_profile("explore", PATIENT)
hypothesis_settings.load_profile("steady")

WHOLE_PRODUCTS = ("tests/corridor/", "tests/browser/")  # each starts a product for all its tests


def pytest_configure() -> None:
    """Leave out what takes longest in a test and proves nothing: rounds of hashing, file lists."""
    django_settings.PASSWORD_HASHERS = ["tests.people.QuickHasher"]
    # Otherwise every client that a test makes walks all static files first.
    django_settings.WHITENOISE_AUTOREFRESH = True


@pytest.hookimpl(optionalhook=True)  # pytest-xdist need not be in use
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadGroupScheduling | None:
    """Keep the tests of one whole product in one process: it took long to start.

    The mark `xdist_group` does not do it: pytest-xdist 3.8 writes the group into a node's
    `_nodeid`, which pytest 9.2 no longer reads.
    """
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadGroupScheduling

    class OneProductScheduling(LoadGroupScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((whole for whole in WHOLE_PRODUCTS if nodeid.startswith(whole)), nodeid)

    return OneProductScheduling(config, log)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """End what still hangs on the test database: PostgreSQL does not drop one that is in use.

    Threads of asynchronous code keep a connection of their own for as long as they live.
    """
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture(autouse=True)
def _metrics_are_counted_afresh() -> None:
    """Forget the last scrape: a test must not read what another one counted a moment ago."""
    from petrosa_site.server import metrics

    metrics.SCRAPE.forget()


@pytest.fixture(autouse=True)
def _audit_can_be_emptied_between_tests(request: pytest.FixtureRequest) -> Iterator[None]:
    """Take the append-only triggers away just before a transactional test's tables are emptied."""
    marker = request.node.get_closest_marker("django_db")
    by_marker = marker is not None and marker.kwargs.get("transaction", False)
    by_fixture = {"transactional_db", "live_server"} & set(request.fixturenames)
    if not by_marker and not by_fixture:
        yield
        return
    from audit import append_only

    request.getfixturevalue("_django_db_helper")
    append_only.install(connection)
    yield
    append_only.remove(connection)


@pytest.fixture(autouse=True)
def _nothing_left_in_redis(request: pytest.FixtureRequest) -> Iterator[None]:
    """Empty this process's private Redis, and what it remembers of it, after each test that had a
    database."""
    yield
    if "db" in request.fixturenames or request.node.get_closest_marker("django_db"):
        with redis_client.Redis.from_url(django_settings.REDIS_URL) as client:
            client.flushdb()
        cache.close()
        from exchanges import quotes
        from exchanges.venues.shared import latency

        quotes.forget()
        latency.forget()


@pytest.fixture
def operator(db: None, django_user_model: type[User]) -> User:
    """A superuser whose password is `operator-password`."""
    return django_user_model.objects.create_superuser(
        username="operator", email="operator@example.com", password="operator-password"
    )


@pytest.fixture
def api_client(operator: User) -> APIClient:
    """A DRF client that is logged in as `operator`."""
    from rest_framework.test import APIClient

    client = APIClient()
    client.force_authenticate(user=operator)
    return client


@pytest.fixture
def anonymous_client() -> APIClient:
    from rest_framework.test import APIClient

    return APIClient()


@pytest.fixture(scope="session")
def simulator_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A real simulator on a free port, for the whole session; prefer `simulator`."""
    from exchanges.venues.simulator.process import SimulatorProcess

    folder = tmp_path_factory.mktemp("simulator")
    with SimulatorProcess(state_file=folder / "state.json", faults=True) as process:
        yield process


@pytest.fixture
def simulator(simulator_process: Any, settings: Any) -> Any:
    """The session's simulator as if just started, with settings pointing at it."""
    simulator_process.reset()
    settings.SIMULATOR_REST_URL = simulator_process.base_url
    settings.SIMULATOR_WS_API_URL = simulator_process.ws_api_url
    settings.SIMULATOR_STREAM_URL = simulator_process.stream_url
    return simulator_process
