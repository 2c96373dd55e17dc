"""A venue and a judge written from outside, by somebody who had not read the product.

Every case is one fault, or two in a row, on a stand-in of its own; the judge reads only its log.
All cases: `python -m tests.outside.run --help`.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from petrosa_site.stack import ports
from tests.outside import judge
from tests.outside.run import main
from tests.product import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
CASES = (
    "entry lost",
    "entry hang",
    "entry unseen",
    "addon place lost",
    "addon cancel executed_cut",
    "close sell lost",
    "close sell hang",
    "close sell executed_unknown",
    "close cancel refused-2011",
    "close partial",
    "flatten 10 missing",
    "hand cancel",
    "hand cancel, silent",
    "trigger rejected",
    "stream silent",
    "slots freed",
)
KNOWN = ("BEYOND", "LESS-BOUGHT")  # foreign coins fill what is missing; a lost entry stays lost


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs a redis-server")
async def test_no_single_fault_is_felt_for_long(tmp_path: Path, product_database: str) -> None:
    first = ports.free_port()
    arguments = ["--product", str(ROOT), "--python", sys.executable, "--folder", str(tmp_path)]
    arguments += ["--database", product_database, "--port", str(first), "--only", ";".join(CASES)]
    arguments += ["--width", "1"]  # a silent stream is felt by every symbol
    await main(arguments)

    told = judge.Judge()
    for line in (tmp_path / "venue.jsonl").open():
        told.read(json.loads(line))
    assert len(told.done) >= len(CASES)
    faults = {
        case.name: [word for word in judge.verdict(case) if not word.startswith(KNOWN)]
        for case in told.done
        if not case.name.startswith("slots")  # our guard holds those stops: the judge cannot see it
    }
    assert not {name: words for name, words in faults.items() if words}
