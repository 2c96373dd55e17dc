"""The user stream may book a fill before the venue's reply to the order is in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from exchanges import catalogue
from exchanges.domain.orders import ExecutionReport, OrderRequest
from exchanges.venues import registry
from petrosa_site.server import health
from tests.fakes.exchange import FakeExchange
from tests.integration.api.conftest import trade
from tests.places import SIMULATOR, account_at
from trading.models import Fill
from trading.services.orders import fills


class TalkativeExchange(FakeExchange):
    """A venue whose user stream has told everything by the time it replies."""

    def place_order(self, request: OrderRequest) -> ExecutionReport:
        reply = super().place_order(request)
        for news in self.drain_news():
            if isinstance(news, ExecutionReport):
                fills.apply(news, account=account_at(), actor="user stream")
        return reply


@pytest.fixture
def exchange(db: None) -> Iterator[FakeExchange]:
    fake = TalkativeExchange()
    catalogue.forget()
    health.forget()
    with registry.standing_in(SIMULATOR, fake):
        yield fake
    catalogue.forget()
    health.forget()


def test_the_sender_is_told_the_whole_fee(trader):
    result = trade(trader).json()["result"]
    assert result["status"] == "filled"
    assert result["fees"] == 0.045
    assert result["fees_by_asset"] == {"BTC": 0.000001}


def test_the_fill_is_booked_once(trader):
    trade(trader)
    assert Fill.objects.count() == 1
