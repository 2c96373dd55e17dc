"""One whole product for all tests of the corridor."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.product import PROCESSES, Product, product


@pytest.fixture(scope="session")
def _whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with product(
        tmp_path_factory.mktemp("corridor"),
        MAX_OPEN_POSITIONS="100",
        MAX_POSITION_NOTIONAL="0",
        MAX_ORDERS_PER_MINUTE="0",
        MAX_REPEATS="0",
        MAX_LOSS_COOLDOWN="0",
        MAX_OPEN_POSITIONS_TOTAL="100",
        API_TRADE_RATE="100000/min",
        API_RATE="100000/min",
    ) as made:
        made.start(*PROCESSES)
        made.wait_until_ready()
        yield made


@pytest.fixture
def whole(_whole: Product) -> Product:
    """The running product. It is shared: tests name their own signals and strategies."""
    return _whole
