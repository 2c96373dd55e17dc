from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from django.test import Client
from rest_framework.test import APIClient

from tests.people import logged_in

pytestmark = pytest.mark.django_db
DAY = 86400
FORM = "/desk/login/"
RIGHT = {"username": "operator", "password": "operator-password"}
WRONG = {**RIGHT, "password": "guess"}


@pytest.fixture
def three_tries(settings) -> None:
    # A day, not a minute: the tests must not straddle the end of a window.
    rates = {**settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "login": "3/day"}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}


def test_name_and_password_open_the_desk(client, operator):
    answer = client.post(FORM, RIGHT)

    assert answer.status_code == 302
    assert answer["Location"] == "/desk/"


def test_a_wrong_password_is_told_without_saying_which_was_wrong(client, operator):
    page = client.post(FORM, WRONG).content.decode()

    assert "correct username and password" in page
    assert "guess" not in page


def test_guessing_is_slowed_down_even_when_the_last_guess_is_right(client, operator, three_tries):
    for _ in range(3):
        assert client.post(FORM, WRONG).status_code == 200

    answer = client.post(FORM, RIGHT)

    assert answer.status_code == 429
    to_midnight = DAY - time.time() % DAY
    assert int(answer["Retry-After"]) == pytest.approx(to_midnight, abs=60)
    assert "Too many tries" in answer.content.decode()
    assert "sessionid" not in client.cookies


def test_a_new_session_does_not_buy_new_tries(operator, three_tries):
    for _ in range(3):
        Client().post(FORM, WRONG)

    assert Client().post(FORM, WRONG).status_code == 429


def test_form_and_token_share_one_budget(client, operator, three_tries):
    for _ in range(3):
        APIClient().post("/api/v1/auth/token/", WRONG, format="json")

    assert client.post(FORM, RIGHT).status_code == 429


def test_looking_at_the_form_costs_nothing(client, operator, three_tries):
    for _ in range(5):
        assert client.get(FORM).status_code == 200

    assert client.post(FORM, RIGHT).status_code == 302


def test_the_admin_has_no_login_form_of_its_own(client, operator):
    answer = client.get("/admin/", follow=True)

    assert answer.redirect_chain[-1][0] == "/desk/login/?next=%2Fadmin%2F"
    assert client.post("/admin/login/", RIGHT).status_code == 302
    assert "sessionid" not in client.cookies


def test_the_way_back_leads_to_our_own_pages_only(client, operator):
    answer = client.post(FORM, {**RIGHT, "next": "https://evil.example/"})

    assert answer["Location"] == "/desk/"


def test_the_form_needs_its_csrf_token(operator):
    assert Client(enforce_csrf_checks=True).post(FORM, RIGHT).status_code == 403


def test_logging_out_takes_a_post_and_ends_the_session(client, operator):
    client.force_login(operator)

    assert client.get("/desk/logout/").status_code == 405
    assert client.post("/desk/logout/").status_code == 302
    assert client.get("/desk/snapshot.json").status_code == 401


def test_scripts_and_other_sites_do_not_get_the_session(client, operator):
    client.post(FORM, RIGHT)

    cookie = client.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


SHOW = """
from django.conf import settings
print(settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE)
"""


@pytest.mark.parametrize(("name", "secure"), [("production", "True"), ("development", "False")])
def test_in_production_cookies_travel_encrypted_only(name, secure):
    given = {
        "PATH": os.environ["PATH"],
        "PETROSA_IGNORE_DOTENV": "1",
        "DJANGO_SETTINGS_MODULE": "petrosa_site.settings",
        "DJANGO_SECRET_KEY": "x" * 60,
        "ENVIRONMENT": name,
    }

    done = subprocess.run(
        [sys.executable, "-c", SHOW], env=given, capture_output=True, text=True, check=False
    )

    assert done.stdout.split() == [secure, secure], done.stderr


def test_a_made_up_forwarding_address_does_not_buy_new_tries(operator, three_tries):
    for number in range(3):
        Client().post(FORM, WRONG, headers={"X-Forwarded-For": f"10.0.0.{number}"})

    answer = Client().post(FORM, WRONG, headers={"X-Forwarded-For": "10.0.0.9"})

    assert answer.status_code == 429


def test_who_may_not_open_the_admin_is_told_why():
    browser = logged_in("trading.trade", is_staff=False)
    page = browser.get("/admin/", follow=True).content.decode()

    assert "You are logged in as ann" in page
    assert "staff status" in page
