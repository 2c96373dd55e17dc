"""What was acknowledged is there after SIGTERM and after SIGKILL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exchanges.venues.simulator.process import SimulatorProcess
from petrosa_site.stack import ports
from tests.fakes.venue_client import VenueClient

OTOCO = {
    "symbol": "BTCUSDT",
    "workingType": "LIMIT",
    "workingSide": "BUY",
    "workingPrice": "49000",
    "workingQuantity": "0.02",
    "workingTimeInForce": "GTC",
    "workingClientOrderId": "entry-1",
    "pendingSide": "SELL",
    "pendingQuantity": "0.01",
    "pendingAboveType": "LIMIT_MAKER",
    "pendingAbovePrice": "52000",
    "pendingAboveClientOrderId": "target-1",
    "pendingBelowType": "STOP_LOSS",
    "pendingBelowStopPrice": "47000",
    "pendingBelowClientOrderId": "stop-1",
    "listClientOrderId": "list-1",
}


@pytest.fixture
def durable(tmp_path: Path) -> Iterator[SimulatorProcess]:
    state = tmp_path / "state" / "simulator.db"
    port = ports.free_port()  # nobody else takes it between two lives
    with SimulatorProcess(prices="still", faults=True, state_file=state, port=port) as process:
        yield process


@pytest.fixture(params=["stop", "kill"])
def end(request: pytest.FixtureRequest, durable: SimulatorProcess) -> Callable[[], None]:
    """End the process in good order or by force, and start it again."""

    def end_and_start() -> None:
        getattr(durable, request.param)()
        durable.start()

    return end_and_start


@pytest.fixture
def client(durable: SimulatorProcess) -> VenueClient:
    return VenueClient(durable)


def test_orders_trades_and_balances_are_the_same(
    client: VenueClient, durable: SimulatorProcess, end: Callable[[], None]
) -> None:
    for number in range(20):
        client.buy("0.001", newClientOrderId=f"entry-{number}")
    client.limit("BUY", "40000", newClientOrderId="rest-1")
    client.limit("BUY", "41000", newClientOrderId="gone-1")
    client.delete("order", symbol="BTCUSDT", origClientOrderId="gone-1")
    before = durable.control("ledger")
    end()
    after = durable.control("ledger")
    assert sorted(after.pop("balances"), key=str) == sorted(before.pop("balances"), key=str)
    assert after == before


def test_a_resting_order_still_fills(
    client: VenueClient, durable: SimulatorProcess, end: Callable[[], None]
) -> None:
    client.limit("BUY", "49000", newClientOrderId="rest-1")
    end()
    durable.control("price", {"symbol": "BTCUSDT", "price": "48500"})
    assert client.order("rest-1")["status"] == "FILLED"


def test_a_stop_still_fires(
    client: VenueClient, durable: SimulatorProcess, end: Callable[[], None]
) -> None:
    client.buy("0.02")
    client.post(
        "order",
        symbol="BTCUSDT",
        side="SELL",
        type="STOP_LOSS",
        quantity="0.01",
        stopPrice="48000",
        newClientOrderId="stop-1",
    )
    end()
    durable.control("price", {"symbol": "BTCUSDT", "price": "47900"})
    assert client.order("stop-1")["status"] == "FILLED"


def test_an_order_list_goes_on_where_it_was(
    client: VenueClient, durable: SimulatorProcess, end: Callable[[], None]
) -> None:
    assert client.post("orderList/otoco", **OTOCO).status == 200
    end()
    assert client.order("stop-1")["status"] == "PENDING_NEW"
    durable.control("price", {"symbol": "BTCUSDT", "price": "48900"})
    assert client.order("entry-1")["status"] == "FILLED"
    end()
    durable.control("price", {"symbol": "BTCUSDT", "price": "46900"})
    assert client.order("stop-1")["status"] == "FILLED"
    assert client.order("target-1")["status"] == "EXPIRED"
    assert client.get("orderList", origClientOrderId="list-1").json["listOrderStatus"] == "ALL_DONE"


def test_ids_go_on_rising(
    client: VenueClient, durable: SimulatorProcess, end: Callable[[], None]
) -> None:
    first = client.buy()
    end()
    second = client.buy()
    assert second["orderId"] > first["orderId"]
    assert second["clientOrderId"] != first["clientOrderId"]
    assert second["fills"][0]["tradeId"] > first["fills"][0]["tradeId"]


def test_an_open_client_id_is_still_taken(
    client: VenueClient, durable: SimulatorProcess, end: Callable[[], None]
) -> None:
    client.limit("BUY", "40000", newClientOrderId="same")
    end()
    assert client.try_limit("BUY", "40000", newClientOrderId="same").code == -2010


def test_a_lost_acknowledgement_is_still_on_record(
    client: VenueClient, durable: SimulatorProcess
) -> None:
    durable.fault("hang", method="POST", path="/api/v3/order", seconds=5)
    with pytest.raises(TimeoutError):
        VenueClient(durable, timeout=0.3).buy(newClientOrderId="entry-1")
    durable.kill()
    durable.start()
    assert client.order("entry-1")["status"] == "FILLED"
