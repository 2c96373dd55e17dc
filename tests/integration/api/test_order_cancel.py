import pytest

from tests.integration.api.conftest import trade


@pytest.fixture
def resting(trader):
    trade(trader, order_type="limit", price=40000, stop_loss=39000, take_profit=45000)
    return trader.get("/api/v1/orders/?role=entry").json()["results"][0]


def test_a_resting_order_is_cancelled(resting, person):
    client = person("trading.cancel", name="bob")
    response = client.post(f"/api/v1/orders/{resting['id']}/cancel/")
    assert response.status_code == 200, response.content
    assert response.json()["status"] == "CANCELED"


def test_it_needs_the_permission(trader, resting):
    assert trader.post(f"/api/v1/orders/{resting['id']}/cancel/").status_code == 403


def test_what_has_ended_cannot_be_cancelled(resting, person):
    client = person("trading.cancel", name="bob")
    client.post(f"/api/v1/orders/{resting['id']}/cancel/")
    assert client.post(f"/api/v1/orders/{resting['id']}/cancel/").status_code == 409
