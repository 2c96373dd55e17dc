"""The lists of backtests and sweeps offer New to those who may run one, and to nobody else."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.urls import reverse

from tests.people import logged_in


@pytest.mark.django_db
@pytest.mark.parametrize("model", ["backtestrun", "backtestsweep"])
@pytest.mark.parametrize("may_run", [True, False])
def test_new_is_offered_to_who_may_run(model, may_run):
    permissions = [f"signals_app.view_{model}", *["signals_app.run_backtest"] * may_run]
    page = logged_in(*permissions).get(reverse(f"admin:signals_app_{model}_changelist"))
    assert page.status_code == 200
    door = reverse(f"admin:signals_app_{model}_new_one")
    assert (f'href="{door}"' in page.content.decode()) is may_run


def test_the_checks_before_the_first_migration_ask_no_database():
    assert admin.site.check(None) == []
