"""A stored limit that another release wrote in its own way: no entry, but exits go on."""

from __future__ import annotations

import pytest

from tests.limits import set_limits
from trading.models import Limit

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("scope", ["global", "cap"])
def test_it_denies_entries_and_lets_exits_out(send, scope):
    assert send().decision.approved
    set_limits(scope=scope, max_spread_bps=20)
    Limit.objects.filter(scope=scope, name="max_spread_bps").update(value="20 to 30")

    denied = send().decision
    assert denied.message == "LIMIT_UNREADABLE: limit=readable actual=max_spread_bps (set it anew)"
    assert send(action="close", quantity=None).decision.approved

    set_limits(scope=scope, max_spread_bps=20)
    assert send().decision.approved
