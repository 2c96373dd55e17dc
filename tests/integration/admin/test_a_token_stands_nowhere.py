"""An API token is a password: no page, title, address, message or log of the admin says it."""

from __future__ import annotations

import json

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse
from rest_framework.authtoken.models import Token, TokenProxy

from audit.models import Event
from petrosa_site import apps

pytestmark = pytest.mark.django_db


@pytest.fixture
def root():
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.fixture
def ann():
    return User.objects.create_user("ann")


def seen(client, answer):
    """Return everything an answer shows, with where it leads."""
    shown = [answer.content.decode(), answer.headers.get("Location", "")]
    while answer.status_code == 302:
        answer = client.get(answer["Location"])
        shown += [answer.content.decode(), answer.headers.get("Location", "")]
    return "\n".join(shown)


def test_pages_name_whose_it_is_and_not_the_key(root, ann):
    key = Token.objects.create(user=ann).key
    model = "admin:authtoken_tokenproxy"
    pages = [
        reverse(f"{model}_changelist"),
        reverse(f"{model}_change", args=(ann.pk,)),
        reverse(f"{model}_delete", args=(ann.pk,)),
        reverse(f"{model}_history", args=(ann.pk,)),
        reverse("admin:auth_user_delete", args=(ann.pk,)),
        reverse("admin:index"),
    ]
    for page in pages:
        answer = root.get(page)
        assert answer.status_code == 200, page
        assert key[:6] not in answer.content.decode(), page
    assert "token of ann" in root.get(pages[1]).content.decode()


def test_making_and_removing_one_says_no_key(root, ann):
    made = root.post(reverse("admin:authtoken_tokenproxy_add"), {"user": ann.pk})
    key = Token.objects.get(user=ann).key
    assert key[:6] not in seen(root, made)
    gone = root.post(reverse("admin:authtoken_tokenproxy_delete", args=(ann.pk,)), {"post": "yes"})
    assert key[:6] not in seen(root, gone)
    assert not Token.objects.exists()
    told = [str(vars(entry)) for entry in LogEntry.objects.all()]
    told += [json.dumps(event.data) for event in Event.objects.all()]
    assert len(told) >= 4
    assert not [one for one in told if key[:6] in one]


def test_a_key_is_no_address(root, ann):
    key = Token.objects.create(user=ann).key
    answer = root.get(f"/admin/authtoken/tokenproxy/{key}/change/")
    assert (answer.status_code, answer["Location"]) == (302, reverse("admin:index"))


def test_keys_that_earlier_versions_logged_are_taken_out(root, ann):
    kind = ContentType.objects.get_for_model(TokenProxy, for_concrete_model=False)
    me = User.objects.get(username="root")
    rows = ("0123456789abcdef" * 3)[:40], "token of ann"
    for text in rows:
        LogEntry.objects.create(
            user=me, content_type=kind, object_id=ann.pk, object_repr=text, action_flag=1
        )
    apps.forget_keys()
    assert {e.object_repr for e in LogEntry.objects.all()} == {"a token", "token of ann"}
