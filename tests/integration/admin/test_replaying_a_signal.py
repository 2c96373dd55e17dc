from __future__ import annotations

import json

import pytest
from django.urls import reverse
from django.utils import timezone

from petrosa_site.celery import app
from signals_app.models import Signal
from signals_app.services import intake
from tests.people import logged_in

pytestmark = pytest.mark.django_db
MAY = ("signals_app.view_signal", "signals_app.replay")


@pytest.fixture(autouse=True)
def _tasks_run_at_once(settings):
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


def replay(browser, signal: Signal):
    address = reverse("admin:signals_app_signal_replay", args=(signal.pk,))
    return browser.post(address, follow=True)


def test_it_becomes_a_new_signal_of_the_person_who_asked(send):
    denied = send(confidence=0.1).signal

    page = replay(logged_in(*MAY), denied)

    again = Signal.objects.get(replay_of=denied)
    assert again.actor == "ann"
    assert again.uid != denied.uid
    assert again.status == Signal.Status.DENIED
    assert f"signal {denied.pk}</a>" in page.content.decode()


def test_several_are_replayed_from_the_list(send):
    rows = [send(confidence=0.1).signal for _ in range(2)]

    logged_in(*MAY).post(
        reverse("admin:signals_app_signal_changelist"),
        {"action": "replay_selected", "_selected_action": [r.pk for r in rows]},
    )

    assert Signal.objects.filter(replay_of__in=rows).count() == 2


def test_bytes_that_were_not_understood_are_refused_again(db):
    body = json.dumps({"symbol": "BTCUSDT"}).encode()
    inbound = intake.Inbound(source="test", body=body, received_at=timezone.now())
    signal = Signal.objects.get(pk=intake.store(inbound).signal_id)

    assert "refused again" in replay(logged_in(*MAY), signal).content.decode()


def test_a_payload_of_which_only_a_part_was_kept_is_not_replayed(db):
    inbound = intake.Inbound(source="test", body=b"x" * 300_000, received_at=timezone.now())
    signal = Signal.objects.get(pk=intake.store(inbound).signal_id)

    assert "not replayed" in replay(logged_in(*MAY), signal).content.decode()
    assert Signal.objects.count() == 1


def test_without_the_permission_there_is_no_button_and_no_way(send):
    signal = send(confidence=0.1).signal
    browser = logged_in("signals_app.view_signal")

    page = browser.get(reverse("admin:signals_app_signal_change", args=(signal.pk,)))
    assert "Replay" not in page.content.decode()
    assert replay(browser, signal).status_code == 403
    assert Signal.objects.count() == 1


def test_a_link_alone_replays_nothing(send):
    signal = send(confidence=0.1).signal
    address = reverse("admin:signals_app_signal_replay", args=(signal.pk,))

    assert logged_in(*MAY).get(address).status_code == 405
