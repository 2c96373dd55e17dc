from __future__ import annotations

import pytest
from django.db import connection

from exchanges import catalogue
from exchanges.models import InstrumentRow
from tests.places import SIMULATOR

pytestmark = pytest.mark.django_db


def test_a_symbol_is_found_when_another_process_loads_the_list_meanwhile(venue):
    """On a new database every process finds the list empty at once; one of them is first."""
    looks = []

    def another_is_quicker(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if sql.startswith("SELECT") and InstrumentRow._meta.db_table in sql:
            looks.append(sql)
            if len(looks) == 1:
                catalogue.refresh(SIMULATOR)
        return result

    with connection.execute_wrapper(another_is_quicker):
        found = catalogue.get(SIMULATOR, "BTCUSDT")

    assert found is not None
    assert found.symbol == "BTCUSDT"
    assert venue.count("instruments") == 1


def test_a_symbol_nobody_lists_is_none_and_asks_the_venue_once(venue):
    assert catalogue.get(SIMULATOR, "NOPEUSDT") is None
    assert catalogue.get(SIMULATOR, "NOPEUSDT") is None

    assert venue.count("instruments") == 1
