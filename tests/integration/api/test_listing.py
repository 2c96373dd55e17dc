from base64 import b64encode

import pytest
from django.db import transaction

from audit import trail
from audit.models import Event


def events(count):
    with transaction.atomic():
        trail.record(*(trail.Entry(kind=f"test.{n}", actor="tests") for n in range(count)))


def test_pages_follow_each_other_without_counting(person, django_assert_max_num_queries):
    client = person()
    events(5)
    with django_assert_max_num_queries(3):
        first = client.get("/api/v1/audit/?kind_starts_with=test.&page_size=3").json()
    assert [e["kind"] for e in first["results"]] == ["test.4", "test.3", "test.2"]
    assert "count" not in first
    second = client.get(first["next"]).json()
    assert [e["kind"] for e in second["results"]] == ["test.1", "test.0"]
    assert second["next"] is None


def test_rows_that_arrive_meanwhile_do_not_shift_a_page(person):
    client = person()
    events(4)
    first = client.get("/api/v1/audit/?kind_starts_with=test.&page_size=2").json()
    events(3)
    second = client.get(first["next"]).json()
    seen = [e["id"] for e in first["results"] + second["results"]]
    assert len(seen) == len(set(seen)) == 4
    assert Event.objects.filter(kind__startswith="test.").count() == 7


def test_an_unknown_filter_is_refused_by_name(person):
    response = person().get("/api/v1/orders/?stauts=FILLED")
    assert response.status_code == 400
    assert response.json()["field"] == "stauts"
    assert "status" in response.json()["detail"]


def test_a_value_nobody_knows_is_refused(person):
    response = person().get("/api/v1/orders/?status=DONE")
    assert response.status_code == 400
    assert response.json()["field"] == "status"
    assert "DONE" in response.json()["detail"]


def test_a_boolean_that_is_none_is_refused(person):
    response = person().get("/api/v1/orders/?is_open=maybe")
    assert response.status_code == 400
    assert response.json()["field"] == "is_open"


@pytest.mark.parametrize("text", ["-1", "0", "1.5", "-1e90", "9" * 19, "one"])
def test_a_number_no_row_can_have_is_refused(person, text):
    response = person().get(f"/api/v1/orders/?decision={text}")
    assert response.status_code == 400
    assert response.json()["field"] == "decision"


def test_a_time_that_is_none_is_refused(person):
    assert person().get("/api/v1/fills/?traded_after=soon").status_code == 400


def test_a_page_size_out_of_range_is_refused(person):
    response = person().get("/api/v1/orders/?page_size=0")
    assert response.status_code == 400
    assert response.json()["field"] == "page_size"


@pytest.mark.parametrize("text", ["%%", "p=abc", "p=1", "o=-1", "x=1", "p=" + "9" * 30])
def test_a_cursor_that_is_none_of_ours_is_refused(person, text):
    cursor = text if text == "p=1" else b64encode(text.encode()).decode()
    response = person().get("/api/v1/orders/", {"cursor": cursor})
    assert response.status_code == 400
    assert response.json()["field"] == "cursor"


def test_a_closing_slash_is_not_needed(person):
    client = person()
    assert client.get("/api/v1/orders").status_code == 200
    assert client.get("/api/v1/orders/").status_code == 200


@pytest.mark.parametrize("name", ["status", "account", "is_open", "created_after", "cursor"])
def test_a_filter_without_a_value_is_refused(person, name):
    response = person().get(f"/api/v1/orders/?{name}=")
    assert response.status_code == 400
    assert response.json()["field"] == name
