"""Who came in, who tried to, who left: a line in the trail each, and never a password."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from audit.models import Event

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-password-1"
ADDRESS = "192.0.2.7"


@pytest.fixture
def ann():
    return User.objects.create_user("ann", password=PASSWORD)


def log_in(password=PASSWORD, username="ann"):
    client = Client(REMOTE_ADDR=ADDRESS)
    client.post(reverse("login"), {"username": username, "password": password})
    return client


def api(path, **body):
    return APIClient(REMOTE_ADDR=ADDRESS).post(f"/api/v1/auth/{path}/", body, format="json")


def line(kind):
    event = Event.objects.get(kind=kind)
    told = json.dumps(event.data)
    assert PASSWORD not in told
    assert "wrong-one" not in told
    return event


def test_a_login_by_the_form(ann):
    log_in()
    event = line("user.logged_in")
    assert (event.actor, event.subject_type, event.subject_id) == ("ann", "user", str(ann.pk))
    assert event.data["address"] == ADDRESS
    assert event.data["by"] == "form"


@pytest.mark.parametrize("path", ["token", "jwt"])
def test_a_login_by_the_api(ann, path):
    given = api(path, username="ann", password=PASSWORD).json()
    event = line("user.logged_in")
    assert (event.actor, event.data["by"], event.data["address"]) == ("ann", path, ADDRESS)
    assert not [word for word in given.values() if word in json.dumps(event.data)]


@pytest.mark.parametrize("door", ["form", "token", "jwt"])
@pytest.mark.parametrize("username", ["ann", "nobody"])
def test_a_failed_login_names_who_was_tried_and_from_where(ann, door, username):
    if door == "form":
        log_in("wrong-one", username)
    else:
        api(door, username=username, password="wrong-one")
    event = line("user.login_failed")
    assert event.actor == "anonymous"
    assert event.data["username"] == username
    assert event.data["address"] == ADDRESS
    assert not Event.objects.filter(kind="user.logged_in").exists()


def test_a_person_switched_off_fails_on_record(ann):
    User.objects.update(is_active=False)
    log_in()
    assert line("user.login_failed").data["username"] == "ann"


def test_an_endless_name_is_cut_and_control_characters_are_not_kept(ann):
    api("token", username="x" * 5000 + "\x1b", password="wrong-one")
    assert len(line("user.login_failed").data["username"]) <= 150


def test_a_logout(ann):
    log_in().post(reverse("logout"))
    assert line("user.logged_out").actor == "ann"


def test_a_revoked_token(ann):
    token = api("token", username="ann", password=PASSWORD).json()["token"]
    client = APIClient(REMOTE_ADDR=ADDRESS, headers={"Authorization": f"Token {token}"})
    client.delete("/api/v1/auth/token/")
    event = line("user.token_revoked")
    assert event.actor == "ann"
    assert token not in json.dumps(event.data)


def test_a_first_token_is_said_to_be_made(ann):
    api("token", username="ann", password=PASSWORD)
    api("token", username="ann", password=PASSWORD)
    made = [event.data["made"] for event in Event.objects.filter(kind="user.logged_in")]
    assert sorted(made) == [False, True]
