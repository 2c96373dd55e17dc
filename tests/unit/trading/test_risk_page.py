from pathlib import Path

import pytest

from trading.domain import circuit_breakers
from trading.domain.risk.limit_book import LIMITS
from trading.domain.risk.rules import RULES

PAGE = Path(__file__).resolve().parents[3] / "docs" / "risk.md"


@pytest.mark.parametrize("rule", [rule.__name__ for rule in RULES])
def test_the_page_on_risk_explains_every_rule(rule):
    assert f"| `{rule}` |" in PAGE.read_text(encoding="utf-8")


def test_the_page_lists_the_rules_in_the_order_they_are_asked():
    text = PAGE.read_text(encoding="utf-8")
    places = [text.index(f"| `{rule.__name__}` |") for rule in RULES]
    assert places == sorted(places)


@pytest.mark.parametrize("spec", LIMITS, ids=lambda spec: spec.name)
def test_the_page_tells_every_limit_and_its_first_value(spec):
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    [line] = [line for line in lines if line.startswith(f"| `{spec.name}` |")]
    assert f"`{spec.setting}`" in line


@pytest.mark.parametrize("name", circuit_breakers.NAMES)
def test_the_page_tells_every_circuit_breaker(name):
    assert f"| `{name}` |" in PAGE.read_text(encoding="utf-8")
