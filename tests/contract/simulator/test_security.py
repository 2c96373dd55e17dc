"""Keys, signatures and time windows are refused the venue's way."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from exchanges.venues.simulator.process import SimulatorProcess
from exchanges.venues.simulator.signing import sign
from tests.fakes.venue_client import VenueClient, now_ms


def test_it_refuses_a_missing_key(client: VenueClient) -> None:
    reply = client.send("GET", "account", query=f"timestamp={now_ms()}&signature=00")
    assert (reply.status, reply.code) == (401, -2014)


def test_it_refuses_a_malformed_key(client: VenueClient) -> None:
    reply = client.send("GET", "account", query="timestamp=1", key="not a key!")
    assert (reply.status, reply.code) == (401, -2014)
    assert reply.json["msg"] == "API-key format invalid."


def test_it_refuses_an_unknown_key(venue: SimulatorProcess) -> None:
    reply = VenueClient(venue, key="somebodyelse").get("account")
    assert (reply.status, reply.code) == (401, -2015)


def test_it_refuses_a_wrong_secret(venue: SimulatorProcess) -> None:
    reply = VenueClient(venue, secret="wrong").get("account")
    assert (reply.status, reply.code) == (400, -1022)
    assert reply.json["msg"] == "Signature for this request is not valid."


def test_it_refuses_a_missing_signature(client: VenueClient) -> None:
    reply = client.send("GET", "account", query=f"timestamp={now_ms()}", key=client.key)
    assert reply.code == -1102
    assert "'signature'" in reply.json["msg"]


def test_it_refuses_a_missing_timestamp(client: VenueClient) -> None:
    reply = client.send(
        "GET", "account", query=f"signature={sign(client.secret, '')}", key=client.key
    )
    assert reply.code == -1102
    assert "'timestamp'" in reply.json["msg"]


def test_it_takes_an_upper_case_signature(client: VenueClient) -> None:
    query = f"timestamp={now_ms()}"
    signature = sign(client.secret, query).upper()
    reply = client.send("GET", "account", query=f"{query}&signature={signature}", key=client.key)
    assert reply.status == 200


def test_it_takes_parameters_in_the_body(client: VenueClient) -> None:
    body = urlencode(
        {
            "symbol": "BTCUSDT",
            "side": "BUY",
            "type": "MARKET",
            "quantity": "0.01",
            "timestamp": now_ms(),
        }
    )
    body += f"&signature={sign(client.secret, body)}"
    assert client.send("POST", "order", body=body, key=client.key).status == 200


def test_it_takes_parameters_split_over_query_and_body(client: VenueClient) -> None:
    query = "symbol=BTCUSDT&side=BUY&type=MARKET"
    body = f"quantity=0.01&timestamp={now_ms()}"
    body += f"&signature={sign(client.secret, query + body)}"
    reply = client.send("POST", "order", query=query, body=body, key=client.key)
    assert reply.status == 200, reply.text


def test_a_signature_over_unescaped_text_is_refused(client: VenueClient) -> None:
    raw = f"symbol=BTCUSDT&origClientOrderId=a b&timestamp={now_ms()}"
    sent = raw.replace(" ", "%20")
    reply = client.send(
        "GET", "order", query=f"{sent}&signature={sign(client.secret, raw)}", key=client.key
    )
    assert reply.code == -1022


def test_it_refuses_a_request_from_the_future(client: VenueClient) -> None:
    reply = client.get("account", timestamp=now_ms() + 5_000)
    assert reply.code == -1021
    assert "ahead of the server's time" in reply.json["msg"]


def test_it_refuses_a_request_older_than_its_window(client: VenueClient) -> None:
    reply = client.get("account", timestamp=now_ms() - 6_000)
    assert reply.code == -1021
    assert "outside of the recvWindow" in reply.json["msg"]


def test_a_longer_window_lets_an_older_request_in(client: VenueClient) -> None:
    assert client.get("account", timestamp=now_ms() - 6_000, recvWindow=10_000).status == 200


def test_it_refuses_a_window_over_a_minute(client: VenueClient) -> None:
    assert client.get("account", recvWindow=60_001).code == -1131


def test_it_takes_a_timestamp_in_microseconds(client: VenueClient) -> None:
    assert client.get("account", timestamp=now_ms() * 1000).status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_listen_keys_are_gone_from_spot(client: VenueClient, method: str) -> None:
    assert client.send(method, "userDataStream", key=client.key).status == 410


def test_an_unknown_path_is_a_404(client: VenueClient) -> None:
    assert client.ask("nothing/here").status == 404
