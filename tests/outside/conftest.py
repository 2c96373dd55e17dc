from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.product import fresh_database


@pytest.fixture
def product_database(tmp_path: Path) -> Iterator[str]:
    """The address of an empty database: SQLite, or where DATABASE_URL points."""
    with fresh_database(tmp_path) as url:
        yield url
