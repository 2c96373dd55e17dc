from __future__ import annotations

import pytest
from django.test import Client

from audit.models import Event
from tests.people import logged_in
from trading.models import TradingState

pytestmark = pytest.mark.django_db
STOP = "/desk/stop/"
JSON = {"Accept": "application/json"}
MAY = "trading.engage_kill_switch"


def test_one_post_stops_everything_in_the_persons_name():
    answer = logged_in(MAY, is_staff=False).post(STOP, headers=JSON)

    assert answer.status_code == 200
    assert answer.json()["trading"]["mode"] == "HALTED"
    state = TradingState.objects.get()
    assert (state.mode, state.scope, state.engaged_by) == ("HALTED", "global", "ann")
    assert Event.objects.get(kind="control.engaged").actor == "ann"


def test_without_a_script_the_form_leads_back_to_the_desk():
    answer = logged_in(MAY).post(STOP)

    assert (answer.status_code, answer["Location"]) == (302, "/desk/")


def test_it_can_be_milder():
    logged_in(MAY).post(STOP, {"mode": "REDUCE_ONLY"}, headers=JSON)

    assert TradingState.objects.get().mode == "REDUCE_ONLY"


@pytest.mark.parametrize("mode", ["ACTIVE", "nonsense", "<script>"])
def test_it_cannot_let_trading_go_on(mode):
    answer = logged_in(MAY).post(STOP, {"mode": mode}, headers=JSON)

    assert answer.status_code == 400
    assert not TradingState.objects.exists()


def test_a_viewer_sees_no_button_and_stops_nothing():
    viewer = logged_in("trading.view_order")

    assert STOP not in viewer.get("/desk/").content.decode()
    assert viewer.post(STOP, headers=JSON).status_code == 403
    assert not TradingState.objects.exists()


def test_a_stranger_stops_nothing(client):
    assert client.post(STOP, headers=JSON).status_code == 401
    assert not TradingState.objects.exists()


def test_a_forged_form_stops_nothing():
    forged = Client(enforce_csrf_checks=True)
    forged.cookies = logged_in(MAY).cookies

    assert forged.post(STOP, headers=JSON).status_code == 403
    assert not TradingState.objects.exists()


def test_a_link_alone_stops_nothing():
    assert logged_in(MAY).get(STOP).status_code == 405


@pytest.mark.parametrize("path", ["/desk/snapshot.json", "/desk/books.json"])
def test_the_numbers_are_for_people_who_logged_in(client, path):
    assert client.get(path).status_code == 401
    assert client.get("/desk/").status_code == 302
