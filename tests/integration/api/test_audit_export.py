import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.integration.api.conftest import trade

KEYS = [
    "_id",
    "signal_id",
    "symbol",
    "side",
    "order_type",
    "quantity",
    "price",
    "stop_loss",
    "take_profit",
    "binance_order_id",
    "status",
    "fill_price",
    "fees",
    "timestamp",
    "simulation_mode",
    "metadata",
]


def exported(*args):
    out = io.StringIO()
    call_command("export_audit", *args, stdout=out)
    return out.getvalue()


@pytest.fixture
def traded(trader):
    return trade(trader, meta={"rationale": "because"}).json()


def test_a_document_has_the_old_collections_shape(traded):
    document = json.loads(exported().splitlines()[0])
    assert list(document) == KEYS
    assert document["signal_id"] == "momentum_v1"
    assert (document["side"], document["order_type"]) == ("buy", "market")
    assert document["binance_order_id"] == traded["result"]["order_id"]
    assert document["status"] == "filled"
    assert document["fill_price"] == 45000.0
    assert document["fees"] == 0.045
    assert document["simulation_mode"] is True
    assert document["timestamp"].endswith("Z")
    assert len(document["_id"]) == 24


def test_the_metadata_holds_signal_risk_and_moments(traded):
    metadata = json.loads(exported().splitlines()[0])["metadata"]
    assert metadata["signal_uid"] == traded["signal_uid"]
    assert metadata["risk"]["verdicts"]
    assert metadata["execution"]["submitted_at"]
    assert metadata["fees_by_asset"] == {"BTC": "0.000001"}


def test_the_same_order_always_has_the_same_id(traded):
    assert exported() == exported()


def test_json_is_one_array(traded):
    assert [d["symbol"] for d in json.loads(exported("--format", "json"))] == ["BTCUSDT"]


def test_nothing_traded_is_an_empty_export(db):
    assert exported() == ""
    assert json.loads(exported("--format", "json")) == []


def test_since_and_until_cut(traded):
    assert exported("--since", "2100-01-01T00:00:00Z") == ""
    assert exported("--until", "2000-01-01T00:00:00Z") == ""
    assert exported("--since", "2000-01-01T00:00:00Z", "--until", "2100-01-01T00:00:00Z")


def test_a_time_without_a_zone_is_refused(db):
    with pytest.raises(CommandError, match="--since"):
        exported("--since", "2026-01-01T00:00:00")


def test_a_file_is_complete_or_not_there(traded, tmp_path):
    path = tmp_path / "audit.jsonl"
    exported("--out", str(path))
    assert json.loads(path.read_text())["symbol"] == "BTCUSDT"
    assert [p.name for p in tmp_path.iterdir()] == ["audit.jsonl"]


def test_the_api_streams_the_same(trader, traded):
    response = trader.get("/api/v1/audit/export/?format=jsonl")
    assert response.headers["Content-Type"] == "application/x-ndjson"
    assert b"".join(response.streaming_content).decode() == exported()


@pytest.mark.parametrize("query", ["format=xml", "since=yesterday", "sinc=2026-01-01T00:00:00Z"])
def test_the_api_refuses_what_it_does_not_understand(trader, query):
    assert trader.get(f"/api/v1/audit/export/?{query}").status_code == 400


def test_more_orders_than_a_batch_are_all_there(trader, monkeypatch):
    from trading.selectors import audit_documents

    monkeypatch.setattr(audit_documents, "BATCH", 2)
    for _ in range(5):
        trade(trader)
    documents = [json.loads(line) for line in exported().splitlines()]
    assert len({d["_id"] for d in documents}) == 5
