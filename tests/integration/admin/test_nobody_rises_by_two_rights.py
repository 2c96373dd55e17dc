"""`auth.change_user` and the rights on tokens and groups are not superuser in disguise."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.urls import reverse
from rest_framework.authtoken.models import Token

from tests.people import logged_in, permissions

pytestmark = pytest.mark.django_db
CARE = ("auth.view_user", "auth.add_user", "auth.change_user", "auth.delete_user")
GROUPS = ("auth.view_group", "auth.add_group", "auth.change_group", "auth.delete_group")
TOKENS = tuple(f"authtoken.{word}_tokenproxy" for word in ("view", "add", "change", "delete"))
PASSWORD = "another-long-one-2"


@pytest.fixture
def helper():
    return logged_in(*CARE, username="helper")


@pytest.fixture
def root():
    return User.objects.create_superuser("root", "root@example.com", "first-password-1")


def person(name, *rights, **more):
    user = User.objects.create_user(name, f"{name}@example.com", "first-password-1", **more)
    user.user_permissions.set(permissions(*rights))
    return user


def change(client, user, **values):
    form = {
        "username": user.username,
        "email": user.email,
        "is_active": "on",
        "date_joined_0": user.date_joined.date().isoformat(),
        "date_joined_1": user.date_joined.time().isoformat(timespec="seconds"),
        **values,
    }
    return client.post(reverse("admin:auth_user_change", args=(user.pk,)), form)


def set_password(client, user):
    form = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    page = reverse("admin:auth_user_password_change", args=(user.pk,))
    return client.post(page, {**form, "set-password": "1"})


def rises_by():
    group = Group.objects.create(name="all")
    group.permissions.set(Permission.objects.all())
    trade = Permission.objects.get(codename="trade")
    return {
        "is_superuser": "on",
        "is_staff": "on",
        "groups": [group.pk],
        "user_permissions": [trade.pk],
    }


@pytest.mark.parametrize("whom", ["helper", "a peer"])
def test_rights_are_not_given_by_the_care_of_accounts(helper, whom):
    user = User.objects.get(username="helper") if whom == "helper" else person("peer")
    was_staff, had = user.is_staff, user.get_all_permissions()
    assert change(helper, user, first_name="Kim", **rises_by()).status_code == 302
    user = User.objects.get(pk=user.pk)
    assert user.first_name == "Kim"
    assert (user.is_superuser, user.is_staff) == (False, was_staff)
    assert user.get_all_permissions() == had


def test_a_new_account_has_no_rights(helper):
    form = {"username": "new", "password1": PASSWORD, "password2": PASSWORD, **rises_by()}
    helper.post(reverse("admin:auth_user_add"), {**form, "usable_password": "true"})
    user = User.objects.get(username="new")
    assert (user.is_superuser, user.is_staff) == (False, False)
    assert user.get_all_permissions() == set()


@pytest.mark.parametrize("above", ["superuser", "switched off", "may more", "may more in a group"])
def test_whoever_may_more_is_out_of_reach(helper, root, above):
    user = root
    if above == "switched off":
        User.objects.filter(pk=root.pk).update(is_active=False)
    elif above == "may more":
        user = person("ann", "trading.trade")
    elif above == "may more in a group":
        user = person("ann")
        group = Group.objects.create(name="desk")
        group.permissions.set(permissions("trading.trade"))
        user.groups.add(group)
    assert set_password(helper, user).status_code == 403
    assert change(helper, user, username="mine", email="mine@example.com").status_code == 403
    gone = helper.post(reverse("admin:auth_user_delete", args=(user.pk,)), {"post": "yes"})
    assert gone.status_code == 403
    many = {"action": "delete_selected", "_selected_action": [user.pk], "post": "yes"}
    helper.post(reverse("admin:auth_user_changelist"), many)
    now = User.objects.get(pk=user.pk)
    assert (now.username, now.email) == (user.username, user.email)
    assert now.check_password("first-password-1")


def test_whoever_may_no_more_is_cared_for(helper):
    ann = person("ann")
    assert set_password(helper, ann).status_code == 302
    assert User.objects.get(pk=ann.pk).check_password(PASSWORD)
    assert change(helper, ann, email="new@example.com").status_code == 302
    assert User.objects.get(pk=ann.pk).email == "new@example.com"


def test_a_superuser_does_all_of_it(root, client):
    client.force_login(root)
    ann = person("ann")
    assert change(client, ann, **rises_by()).status_code == 302
    assert User.objects.get(pk=ann.pk).is_superuser


def test_groups_are_changed_by_superusers_alone():
    client = logged_in(*GROUPS)
    group = Group.objects.create(name="mine")
    page = reverse("admin:auth_group_change", args=(group.pk,))
    trade = Permission.objects.get(codename="trade")
    assert client.get(page).status_code == 200
    form = {"name": "mine", "permissions": [trade.pk]}
    assert client.post(page, form).status_code == 403
    assert client.post(reverse("admin:auth_group_add"), form).status_code == 403
    assert not group.permissions.exists()


def test_a_token_does_not_change_hands(root):
    client = logged_in(*TOKENS, username="helper")
    ann = person("ann")
    key = Token.objects.create(user=ann).key
    page = reverse("admin:authtoken_tokenproxy_change", args=(ann.pk,))
    assert client.post(page, {"user": root.pk}).status_code == 403
    assert Token.objects.get(key=key).user == ann


def test_the_token_of_whoever_may_more_stays(root):
    client = logged_in(*TOKENS)
    Token.objects.create(user=root)
    page = reverse("admin:authtoken_tokenproxy_delete", args=(root.pk,))
    assert client.post(page, {"post": "yes"}).status_code == 403
    assert Token.objects.filter(user=root).exists()
