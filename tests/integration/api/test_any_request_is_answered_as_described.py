"""The OpenAPI document is held against the server: what it promises is what is answered."""

from __future__ import annotations

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks as promised

from petrosa_site.wsgi import application
from tests.integration.api.conftest import trade

PERMISSIONS = (
    "trading.trade",
    "trading.cancel",
    "trading.engage_kill_switch",
    "trading.release_kill_switch",
    "signals_app.replay",
)
# Which stop, cursor or signal makes sense is more than a schema can say, so a request that fits
# the description may be refused: that check (positive_data_acceptance) is left out.
PROMISES = [
    not_a_server_error,
    promised.status_code_conformance,
    promised.content_type_conformance,
    promised.response_headers_conformance,
    promised.response_schema_conformance,
    promised.negative_data_rejection,
    promised.missing_required_header,
    promised.unsupported_method,
]
DESCRIBED = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(public=True))
DESCRIBED.app = application
# An operation that is not valid has no `ok` and ends the run here.
FOUND = [found.ok() for found in DESCRIBED.get_all_operations()]  # type: ignore[union-attr]
OPERATIONS = {operation.label: operation for operation in FOUND}
# A stop must never wait for a body to be understood.
TAKES_ANY_BODY = {"POST /trading/stop"}


@pytest.fixture
def credentials(exchange, person, settings) -> dict[str, str]:
    """The header of a person with every permission of the API, with rows to be found."""
    rates = dict.fromkeys(settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "1000000/min")
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}
    client = person(*PERMISSIONS)
    assert trade(client, stop_loss=40000).status_code == 200
    return {"Authorization": client._credentials["HTTP_AUTHORIZATION"]}


@pytest.fixture
def one_connection(credentials):
    """Keep requests in this test's transaction, as Django's own client does for each of its own."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda m: m.value)
@pytest.mark.parametrize("label", OPERATIONS)
def test_each_operation(label, mode, credentials, one_connection):
    operation = OPERATIONS[label]
    if mode.is_negative and not (operation.body or operation.query or operation.path_parameters):
        return  # nothing in such a request can be wrong
    checks = list(PROMISES)
    if label in TAKES_ANY_BODY:
        checks.remove(promised.negative_data_rejection)

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=10,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def holds(case: schemathesis.Case) -> None:
        case.call_and_validate(headers=credentials, checks=checks)

    holds()
