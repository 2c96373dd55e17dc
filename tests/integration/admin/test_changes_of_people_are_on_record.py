"""Whatever the admin does to users, groups and tokens leaves a line in the trail that stays."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse
from rest_framework.authtoken.models import Token

from audit.models import Event

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-password-1"


@pytest.fixture
def root():
    user = User.objects.create_superuser("root", password=PASSWORD)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def ann():
    return User.objects.create_user("ann", is_staff=True, password=PASSWORD)


def line(kind):
    event = Event.objects.get(kind=kind)
    assert PASSWORD not in json.dumps(event.data)
    return event


def change(client, user, **values):
    form = {
        "username": user.username,
        "is_active": "on",
        "is_staff": "on",
        "date_joined_0": user.date_joined.date().isoformat(),
        "date_joined_1": user.date_joined.time().isoformat(timespec="seconds"),
        **values,
    }
    page = reverse("admin:auth_user_change", args=(user.pk,))
    answer = client.post(page, {k: v for k, v in form.items() if v is not None})
    assert answer.status_code == 302, answer.context["errors"]


def test_a_new_user(root):
    form = {"username": "ben", "password1": PASSWORD, "password2": PASSWORD}
    root.post(reverse("admin:auth_user_add"), {**form, "usable_password": "true"})
    event = line("user.added")
    assert (event.actor, event.data["name"]) == ("root", "ben")


def test_rights_given(root, ann):
    trade = Permission.objects.get(codename="trade")
    group = Group.objects.create(name="desk")
    change(root, ann, is_superuser="on", groups=[group.pk], user_permissions=[trade.pk])
    event = line("user.changed")
    assert (event.actor, event.subject_type, event.subject_id) == ("root", "user", str(ann.pk))
    assert "Superuser status" in event.data["changes"]
    assert event.data["after"] == {
        "username": "ann",
        "is_active": True,
        "is_staff": True,
        "is_superuser": True,
        "groups": ["desk"],
        "permissions": ["trading.trade"],
    }
    assert event.data["before"]["is_superuser"] is False


def test_a_rename_tells_both_names(root, ann):
    change(root, ann, username="carol")
    data = line("user.changed").data
    assert (data["before"]["username"], data["after"]["username"]) == ("ann", "carol")


def test_whoever_renames_themselves_is_on_record_under_the_name_they_had(root):
    me = User.objects.get(username="root")
    change(root, me, username="carol", is_superuser="on")
    assert line("user.changed").actor == "root"


def test_anothers_password(root, ann):
    page = reverse("admin:auth_user_password_change", args=(ann.pk,))
    fields = {"password1": "another-long-one-2", "password2": "another-long-one-2"}
    root.post(page, {**fields, "usable_password": "true", "set-password": "1"})
    event = line("user.changed")
    assert "password" in event.data["changes"].lower()
    assert "another-long-one-2" not in json.dumps(event.data)


def test_ones_own_password(ann):
    client = Client()
    client.force_login(ann)
    fields = {"new_password1": "another-long-one-2", "new_password2": "another-long-one-2"}
    answer = client.post(reverse("admin:password_change"), {"old_password": PASSWORD, **fields})
    assert answer.status_code == 302
    assert line("user.password_changed").actor == "ann"


def test_a_removed_user(root, ann):
    root.post(reverse("admin:auth_user_delete", args=(ann.pk,)), {"post": "yes"})
    assert line("user.deleted").data["name"] == "ann"


def test_many_removed_at_once(root, ann):
    User.objects.create_user("ben")
    keys = list(User.objects.exclude(username="root").values_list("pk", flat=True))
    form = {"action": "delete_selected", "_selected_action": keys, "post": "yes"}
    root.post(reverse("admin:auth_user_changelist"), form)
    names = {e.data["name"] for e in Event.objects.filter(kind="user.deleted")}
    assert names == {"ann", "ben"}


def test_a_group_and_what_it_may(root):
    trade = Permission.objects.get(codename="trade")
    root.post(reverse("admin:auth_group_add"), {"name": "desk", "permissions": [trade.pk]})
    event = line("group.added")
    assert event.data["after"] == {"name": "desk", "permissions": ["trading.trade"]}


def test_a_token_without_its_key(root, ann):
    root.post(reverse("admin:authtoken_tokenproxy_add"), {"user": ann.pk})
    key = Token.objects.get(user=ann).key
    event = line("token.added")
    assert (event.actor, event.data["name"]) == ("root", "token of ann")
    root.post(reverse("admin:authtoken_tokenproxy_delete", args=(ann.pk,)), {"post": "yes"})
    assert line("token.deleted").actor == "root"
    assert not [e for e in Event.objects.all() if key[:6] in json.dumps(e.data)]


def test_a_trail_that_refuses_undoes_the_change(root, ann, monkeypatch):
    """Both or neither: no right is given without its line."""
    from django.db import DatabaseError

    from audit import trail

    def refuse(*entries):
        raise DatabaseError("no room")

    monkeypatch.setattr(trail, "record", refuse)
    with pytest.raises(DatabaseError):
        change(root, ann, is_superuser="on")
    ann.refresh_from_db()
    assert ann.is_superuser is False
