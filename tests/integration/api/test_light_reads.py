"""The light reads of the trade endpoint say what Django and DRF themselves would say."""

import pytest
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group, Permission, User
from rest_framework.authentication import TokenAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.exceptions import AuthenticationFailed

from petrosa_site.rest.backends import OneQueryBackend
from petrosa_site.rest.tokens import FIELDS, LightTokenAuthentication


@pytest.fixture
def ann(db):
    return User.objects.create_user("ann", is_staff=True, email="ann@example.com")


def permission(codename):
    return Permission.objects.get(codename=codename)


def both(user):
    fresh = [User.objects.get(pk=user.pk) for _ in range(2)]
    return [
        b().get_all_permissions(u)
        for b, u in zip((ModelBackend, OneQueryBackend), fresh, strict=True)
    ]


def test_own_and_group_permissions_are_the_same(ann):
    group = Group.objects.create(name="desk")
    group.permissions.add(permission("cancel"), permission("trade"))
    ann.groups.add(group)
    ann.user_permissions.add(permission("trade"), permission("replay"))
    theirs, ours = both(ann)
    assert theirs == ours == {"trading.trade", "trading.cancel", "signals_app.replay"}


def test_nothing_granted_is_nothing(ann):
    assert both(ann) == [set(), set()]


def test_a_superusers_permissions_are_the_same(operator):
    theirs, ours = both(operator)
    assert theirs == ours != set()


def test_a_person_switched_off_has_none(ann):
    ann.user_permissions.add(permission("trade"))
    User.objects.update(is_active=False)
    assert both(ann) == [set(), set()]


def test_permissions_take_one_query(ann, django_assert_num_queries):
    with django_assert_num_queries(1):
        OneQueryBackend().get_all_permissions(ann)


def test_the_holder_of_a_token_is_the_same(ann, django_assert_num_queries):
    key = Token.objects.create(user=ann).key
    theirs, _ = TokenAuthentication().authenticate_credentials(key)
    with django_assert_num_queries(1):
        ours, token = LightTokenAuthentication().authenticate_credentials(key)
        assert [getattr(ours, f) for f in FIELDS] == [getattr(theirs, f) for f in FIELDS]
    assert ours == theirs
    assert ours.email == "ann@example.com"
    assert token.key == key


@pytest.mark.parametrize("way", [TokenAuthentication, LightTokenAuthentication])
def test_an_unknown_token_is_refused(db, way):
    with pytest.raises(AuthenticationFailed):
        way().authenticate_credentials("nonsense")


@pytest.mark.parametrize("way", [TokenAuthentication, LightTokenAuthentication])
def test_the_token_of_a_person_switched_off_is_refused(ann, way):
    key = Token.objects.create(user=ann).key
    User.objects.update(is_active=False)
    with pytest.raises(AuthenticationFailed):
        way().authenticate_credentials(key)
