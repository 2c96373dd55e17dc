"""Figures of a proof are shown at the end of the run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

_told: list[str] = []


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Remember figures of this test for the end of the run."""

    def remember(**figures: object) -> None:
        _told.append(f"{request.node.name}: " + ", ".join(f"{k}={v}" for k, v in figures.items()))

    return remember


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _told:
        terminalreporter.section("figures")
        for line in _told:
            terminalreporter.write_line(line)
