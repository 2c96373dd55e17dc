"""A small table of faults on the whole product keeps what docs/reliability.md promises."""

from __future__ import annotations

import pytest

from tests.chaos import table

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


def test_every_promise_is_kept(tmp_path, tell):
    found = table.run(tmp_path, table.parse(["--quick"]))
    tell(signals=found.signals, faults=found.whole.faults, load=f"{max(found.loads):.1f}")
    tell(**{v.promise: f"{v.measured} of {v.limit}" for v in found.verdicts()})
    assert [v for v in found.verdicts() if not v.is_kept] == []
