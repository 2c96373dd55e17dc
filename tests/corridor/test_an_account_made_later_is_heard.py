"""An account made while everything runs gets its user stream without a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.product import Product, product


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Product]:
    with product(tmp_path) as whole:
        whole.start("userstream")
        yield whole


def heard(whole: Product) -> set[str]:
    rows = whole.rows("SELECT label FROM exchanges_venueaccount WHERE stream_at IS NOT NULL")
    return {row["label"] for row in rows}


def test_its_stream_begins(listening):
    listening.eventually(lambda: heard(listening) == {"main"}, 60)
    listening.manage(
        "shell",
        "-c",
        "from exchanges.models import VenueAccount; from trading.models import VirtualAccount;"
        "v = VenueAccount.objects.create(environment='simulator', label='later');"
        "VirtualAccount.objects.create(name='later', venue_account=v)",
    )
    listening.eventually(lambda: heard(listening) == {"main", "later"}, 60)
