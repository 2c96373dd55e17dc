"""A superuser's browser, and rows made by the real corridor on a fake venue."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.integration.trading.conftest import send, venue

__all__ = ["send", "venue"]


@pytest.fixture
def browser(operator: User, client: Client) -> Client:
    """A browser whose user is a superuser."""
    client.force_login(operator)
    return client
