"""A desk with a venue that does as it is told, and people with and without permissions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from django.contrib.auth.models import Permission, User
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from exchanges import catalogue
from exchanges.venues import registry
from petrosa_site.server import health
from tests.fakes.exchange import FakeExchange
from tests.places import SIMULATOR

_described: dict[str, Any] = {}


@pytest.fixture
def exchange(db: None) -> Iterator[FakeExchange]:
    """A venue in memory, standing in for the simulator."""
    fake = FakeExchange()
    catalogue.forget()
    health.forget()
    with registry.standing_in(SIMULATOR, fake):
        yield fake
    catalogue.forget()
    health.forget()


@pytest.fixture
def person(db: None) -> Callable[..., APIClient]:
    """Make a person with the named permissions and log them in by token."""

    def make(*permissions: str, name: str = "ann") -> APIClient:
        user = User.objects.create_user(name)
        for permission in permissions:
            app, codename = permission.split(".")
            user.user_permissions.add(
                Permission.objects.get(content_type__app_label=app, codename=codename)
            )
        client = APIClient()
        token = Token.objects.create(user=user)
        client.credentials(HTTP_AUTHORIZATION=f"Token {token.key}")
        return client

    return make


@pytest.fixture
def trader(exchange: FakeExchange, person: Callable[..., APIClient]) -> APIClient:
    return person("trading.trade")


@pytest.fixture
def description(person: Callable[..., APIClient]) -> dict[str, Any]:
    """What the API says of itself; read once in each process, for it takes a second."""
    if not _described:
        _described.update(yaml.safe_load(person(name="reader").get("/api/schema/").content))
    return _described


def signal(**changes: Any) -> dict[str, Any]:
    """A market buy that every rule lets through; None leaves a field out."""
    body = {
        "strategy_id": "momentum_v1",
        "symbol": "BTCUSDT",
        "action": "buy",
        "confidence": 0.85,
        "quantity": 0.001,
        "timestamp": datetime.now(UTC).isoformat(),
        **changes,
    }
    return {k: v for k, v in body.items() if v is not None}


def trade(client: APIClient, headers: dict[str, str] | None = None, **changes: Any) -> Any:
    body = json.dumps(signal(**changes))
    return client.post("/trade", body, content_type="application/json", headers=headers)
