"""The same clean simulator the contract tests use."""

from __future__ import annotations

from tests.contract.simulator.conftest import client, process, venue

__all__ = ["client", "process", "venue"]
