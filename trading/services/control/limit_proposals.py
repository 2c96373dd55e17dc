"""Reading a proposed set of limits from a file: YAML, JSON or CSV, every fault by its line.

Each entry has the words of the limit book: `scope`, `key` (none for global and cap), `name` and
`value`; an empty value means that the limit is no longer set in that place.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from django.core.exceptions import ValidationError

from trading.domain.risk.limit_book import Setting
from trading.services.control import limits

FIELDS = ("scope", "key", "name", "value")
EXAMPLE = '- {scope: symbol, key: BTCUSDT, name: max_position_notional, value: "2500"}'
Entry = tuple[int, dict[str, str | None]]  # the line it begins on, and what it says


class ProposalInvalid(Exception):
    """The file is no proposal; the text has a line for each fault."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One limit set differently in one place; `value` None: no longer set there."""

    scope: str
    key: str
    name: str
    value: str | None
    line: int = 0

    @property
    def place(self) -> tuple[str, str, str]:
        return self.scope, self.key, self.name

    def __str__(self) -> str:
        value = "unset" if self.value is None else self.value
        return f"{self.name} of {self.scope} {self.key}".strip() + f": {value}"


def over(settings: list[Setting], proposals: list[Proposal]) -> list[Setting]:
    """Return the settings of a book with the proposals in place of what they replace."""
    replaced = {proposal.place for proposal in proposals}
    kept = [s for s in settings if (s.scope, s.key, s.name) not in replaced]
    return kept + [
        Setting(p.scope, p.key, p.name, p.value, 0) for p in proposals if p.value is not None
    ]


def read(path: Path) -> list[Proposal]:
    """Read a file by its ending. Raises ProposalInvalid, and OSError where it cannot be read."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ProposalInvalid(f"{path.name}: name it {', '.join(_READERS)}, by what is in it")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ProposalInvalid(f"{path.name}: it is not UTF-8 text") from None
    found: list[Proposal] = []
    faults: list[str] = []
    lines: dict[tuple[str, str, str], int] = {}
    for line, entry in reader(text):
        try:
            proposal = _checked(line, entry)
        except ValidationError as error:
            said = error.message_dict.items()
            faults += [f"line {line}: {name}: {' '.join(words)}" for name, words in said]
            continue
        if proposal.place in lines:
            first = lines[proposal.place]
            faults.append(f"line {line}: the same limit and place as line {first}: keep one")
        lines.setdefault(proposal.place, line)
        found.append(proposal)
    if faults:
        raise ProposalInvalid("\n".join(faults))
    return found


def _checked(line: int, entry: dict[str, str | None]) -> Proposal:
    faults = {
        name: f"there is no such field: write {', '.join(FIELDS)}"
        for name in entry
        if name not in FIELDS
    }
    faults |= {
        name: "is missing" + ("; leave it empty to unset the limit" if name == "value" else "")
        for name in ("scope", "name", "value")
        if name not in entry
    }
    if faults:
        raise ValidationError(faults)
    scope, name, key = (entry.get(field) or "" for field in ("scope", "name", "key"))
    given = entry["value"]
    value = limits.check(limits.Wish(scope, key, name, given, "a proposal"))
    return Proposal(scope, key, name, None if given is None else value, line)


def _yaml(text: str) -> Iterator[Entry]:
    """Read the text of each value as it is written: no figure goes through a float."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}: " if mark else ""
        raise ProposalInvalid(f"{where}this is not YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise ProposalInvalid(f"this is not YAML: {error}") from None
    if root is None:
        return
    if not isinstance(root, yaml.SequenceNode):
        raise ProposalInvalid(f"line 1: write a list of entries such as\n{EXAMPLE}")
    for node in root.value:
        yield node.start_mark.line + 1, _entry(node)


def _entry(node: yaml.Node) -> dict[str, str | None]:
    line = node.start_mark.line + 1
    if not isinstance(node, yaml.MappingNode):
        raise ProposalInvalid(f"line {line}: write each entry like\n{EXAMPLE}")
    entry: dict[str, str | None] = {}
    for name, value in node.value:
        here = f"line {value.start_mark.line + 1}: {name.value}"
        if not isinstance(value, yaml.ScalarNode):
            raise ProposalInvalid(f"{here}: write one value")
        if name.value in entry:
            raise ProposalInvalid(f"{here}: is written twice in one entry")
        entry[name.value] = None if value.tag.endswith(":null") else value.value
    return entry


def _json(text: str) -> Iterator[Entry]:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise ProposalInvalid(f"line {error.lineno}: this is not JSON: {error.msg}") from None
    return _yaml(text.replace("\t", " "))  # JSON is YAML, and YAML knows its lines


def _csv(text: str) -> Iterator[Entry]:
    rows = csv.DictReader(io.StringIO(text, newline=""), restkey="", skipinitialspace=True)
    if not rows.fieldnames or not {"scope", "name", "value"} <= set(rows.fieldnames):
        raise ProposalInvalid(f"line 1: begin with the heading {','.join(FIELDS)}")
    for row in rows:
        if "" in row:
            raise ProposalInvalid(f"line {rows.line_num}: more values than the heading has names")
        yield rows.line_num, {name: (value or "").strip() or None for name, value in row.items()}


_READERS: dict[str, Callable[[str], Iterator[Entry]]] = {
    ".yaml": _yaml,
    ".yml": _yaml,
    ".json": _json,
    ".csv": _csv,
}
