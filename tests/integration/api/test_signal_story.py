from tests.integration.api.conftest import trade


def test_a_signals_page_tells_the_whole_story(trader):
    answer = trade(trader, signal_uid="story-1", meta={"rationale": "because"}).json()
    story = trader.get("/api/v1/signals/story-1/").json()
    assert story["status"] == "routed"
    assert story["decision"]["approved"] is True
    assert story["decision"]["verdicts"]
    assert story["orders"][0]["venue_order_id"] == answer["result"]["order_id"]
    assert story["orders"][0]["fills"][0]["quantity"] == "0.001"
    kinds = [e["kind"] for e in story["audit"]]
    assert kinds[:4] == [
        "signal.received",
        "decision.approved",
        "order.created",
        "order.submitting",
    ]
    assert {"fill.booked", "order.filled"} <= set(kinds)
    assert '"because"' in story["raw"]


def test_a_refused_signal_shows_what_was_wrong(trader):
    uid = trade(trader, confidence=7).json()["signal_uid"]
    story = trader.get(f"/api/v1/signals/{uid}/").json()
    assert story["status"] == "rejected"
    assert story["error_field"] == "confidence"
    assert story["decision"] is None
    assert story["orders"] == []


def test_the_link_of_an_answer_leads_there(trader):
    body = trade(trader, confidence=0.1).json()
    assert trader.get(body["follow"]).json()["uid"] == body["signal_uid"]
    assert trader.get(body["decision"]).json()["code"] == body["code"]


def test_an_unknown_signal_is_404(trader):
    assert trader.get("/api/v1/signals/nobody/").status_code == 404
