from __future__ import annotations

import pytest
from django.test import Client

from audit.models import Event
from tests.people import logged_in
from trading.models import TradingState
from trading.services.control import kill_switch

pytestmark = pytest.mark.django_db
STOP = "/desk/stop/"
FORM = f'action="{STOP}"'
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

    assert FORM not in viewer.get("/desk/").content.decode()
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


@pytest.mark.parametrize("mode", ["CANCEL_OPEN", "FLATTEN"])
def test_what_a_level_would_do_is_shown_to_those_who_may_ask(mode):
    shown = logged_in(MAY, is_staff=False).get(f"/desk/stop/plan.json?mode={mode}")

    assert shown.json() == {"mode": mode, "cancels": [], "closes": [], "too_small": []}
    assert not TradingState.objects.exists()
    viewer = logged_in("trading.view_order", username="eve")
    assert viewer.get(f"/desk/stop/plan.json?mode={mode}").status_code == 403
    assert logged_in(MAY, username="bob").get("/desk/stop/plan.json?mode=x").status_code == 400


class TestReleasing:
    RELEASE = "/desk/release/"
    MAY = "trading.release_kill_switch"

    @pytest.fixture
    def state(self) -> TradingState:
        return kill_switch.engage(actor="bob", reason="storm")

    def post(self, person, state, reason="calm"):
        return person.post(self.RELEASE, {"state": state.pk, "reason": reason}, headers=JSON)

    def test_with_the_right_and_a_reason_trading_goes_on(self, state):
        answer = self.post(logged_in(self.MAY, is_staff=False), state)

        assert answer.json()["trading"]["mode"] == "ACTIVE"
        state.refresh_from_db()
        assert (state.released_by, state.release_reason) == ("ann", "calm")

    def test_without_either_it_does_not(self, state):
        assert self.post(logged_in(MAY), state).status_code == 403
        ben = logged_in(self.MAY, username="ben")
        assert self.post(ben, state, reason=" ").status_code == 400
        assert ben.post(self.RELEASE, {"state": "x", "reason": "y"}).status_code == 400
        state.refresh_from_db()
        assert state.released_at is None

    def test_with_four_eyes_it_says_that_it_waits(self, state, settings):
        settings.FOUR_EYES = True
        answer = self.post(logged_in(self.MAY), state)

        assert "another person must approve" in answer.json()["said"]
        assert answer.json()["trading"]["mode"] == "HALTED"
