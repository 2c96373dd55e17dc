import time

import pytest
from rest_framework.test import APIClient

from tests.integration.api.conftest import trade


def test_without_a_login_it_is_401(exchange):
    response = trade(APIClient())
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"
    assert response.headers["WWW-Authenticate"] == "Token"
    assert response.json()["code"] == "NOT_AUTHENTICATED"


def test_with_a_wrong_token_it_is_401(exchange, db):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Token nonsense")
    assert trade(client).status_code == 401


def test_without_the_permission_it_is_403_and_names_it(exchange, person):
    response = trade(person())
    assert response.status_code == 403
    assert "trading.trade" in response.json()["detail"]
    assert exchange.count("place_order") == 0


def test_a_permission_through_a_group_counts(exchange, person):
    from django.contrib.auth.models import Group, Permission, User

    client = person()
    group = Group.objects.create(name="senders")
    group.permissions.add(Permission.objects.get(codename="trade"))
    User.objects.get(username="ann").groups.add(group)
    assert trade(client).status_code == 200


def test_too_many_are_429_with_a_time_to_come_back(trader, settings):
    rates = {**settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "trade": "2/day"}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}
    answers = [trade(trader, confidence=0.1) for _ in range(3)]
    assert [a.status_code for a in answers] == [400, 400, 429]
    to_midnight = 86400 - time.time() % 86400
    assert int(answers[2].headers["Retry-After"]) == pytest.approx(to_midnight, abs=60)
    assert answers[2].json()["code"] == "THROTTLED"
