"""`.env.example` names what is read: no more, no less, with the same defaults."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from signals_app.strategies import realtime

ROOT = Path(__file__).resolve().parents[3]
READERS = {"text", "flag", "number", "whole", "choice", "words", "intervals", "timezone", "shard"}
VARIABLE = re.compile(r"^# ([A-Z][A-Z0-9_]+)=(.*)$", re.MULTILINE)
EXAMPLE = (ROOT / ".env.example").read_text()
DOCUMENTED = dict(VARIABLE.findall(EXAMPLE))
# Read by names made of the catalogue's: first values of our own strategies.
FIRST_VALUES = {
    **{f"STRATEGY_ENABLED_{spec.strategy_id.upper()}": "true" for spec in realtime.SPECS},
    **{param.env: f"{param.default:g}" for spec in realtime.SPECS for param in spec.params},
}


def reads() -> Iterator[tuple[ast.Call, str, str]]:
    """Every call of an env reader under petrosa_site, as (call, variable, reader)."""
    for path in (ROOT / "petrosa_site").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            variable, reader = node.args[0], reader_of(node.func, in_env=path.name == "env.py")
            if reader and isinstance(variable, ast.Constant):
                yield node, str(variable.value), reader


def reader_of(function, *, in_env):
    if isinstance(function, ast.Attribute):
        from_env = isinstance(function.value, ast.Name) and function.value.id == "env"
        return function.attr if from_env and function.attr in READERS else None
    return function.id if in_env and function.id in READERS else None


def names():
    return {name for _, name, _ in reads()} | set(FIRST_VALUES)


def aliases():
    return {
        element.value
        for call, _, _ in reads()
        for keyword in call.keywords
        if keyword.arg == "aliases" and isinstance(keyword.value, ast.Tuple)
        for element in keyword.value.elts
        if isinstance(element, ast.Constant)
    }


def test_every_variable_is_documented_once():
    listed = [name for name, _ in VARIABLE.findall(EXAMPLE)]
    assert sorted(listed) == sorted(names())


def test_older_names_are_mentioned():
    assert aliases()
    assert {name for name in aliases() if name not in EXAMPLE} == set()


def test_only_env_py_reads_the_environment():
    readers = re.compile(r"os\.environ\b(?!\.setdefault\(\"DJANGO_SETTINGS_MODULE\")|os\.getenv")
    apps = ("petrosa_site", "signals_app", "trading", "exchanges", "audit", "foundation")
    offenders = [
        str(path.relative_to(ROOT))
        for app in apps
        for path in (ROOT / app).rglob("*.py")
        if path != ROOT / "petrosa_site/env.py" and readers.search(path.read_text())
    ]
    assert offenders == []


def constant_defaults():
    for call, name, _ in reads():
        if len(call.args) > 1 and isinstance(call.args[1], ast.Constant):
            yield name, call.args[1].value


# `make run` and the laptop's own values stand behind these: empty in the example.
CHOSEN_AT_RUN_TIME = {"REDIS_URL", "NATS_URL", "SIMULATOR_REST_URL"}


@pytest.mark.parametrize(("name", "default"), sorted(constant_defaults(), key=str))
def test_the_default_is_the_documented_one(name, default):
    if name in CHOSEN_AT_RUN_TIME:
        assert DOCUMENTED[name] == ""
        return
    expected = str(default).lower() if isinstance(default, bool) else str(default)
    assert DOCUMENTED[name] == expected


@pytest.mark.parametrize(("name", "default"), sorted(FIRST_VALUES.items()))
def test_first_values_of_strategies_are_the_documented_ones(name, default):
    assert DOCUMENTED[name] == default
