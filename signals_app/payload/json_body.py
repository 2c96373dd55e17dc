"""Read a signal's body: bytes or a mapping in, a clean tree of plain values out.

Numbers come out as `int` or `Decimal`, never through a float; whatever a database column could
not hold (NUL, lone surrogates) is replaced; whatever is ambiguous (repeated keys, NaN) is refused
with the path of the field.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from signals_app.payload.draft import PayloadError

BODY = "body"  # the field named when the whole body is at fault
MAX_DEPTH = 12
MAX_VALUES = 5_000
MAX_NUMBER_CHARS = 60
_OVERSIZE_READ = 4 * 1024 * 1024  # above this an oversize body is not even looked into
_REPLACEMENT = "�"


@dataclass(frozen=True, slots=True)
class _Fault:
    """Marks a value the decoder could read but we refuse: the walk knows its path."""

    code: str
    message: str


class Tree(dict[str, Any]):
    """A JSON object whose values passed every check; `was_cleaned` tells of replaced characters."""

    was_cleaned: bool = False


def read(payload: bytes | Mapping[str, Any], *, max_bytes: int) -> Tree:
    """Return the payload as a plain tree, or raise PayloadError.

    `max_bytes` limits the bytes form by its length and the mapping form by the text it carries.
    """
    if isinstance(payload, bytes | bytearray | memoryview):
        root = _decode(bytes(payload), max_bytes)
    elif isinstance(payload, Mapping):
        root = payload
    else:
        raise PayloadError(BODY, "WRONG_TYPE", f"expected a JSON object, got {kind(payload)}")
    return _Walk(max_chars=max_bytes).root(root)


def kind(value: object) -> str:
    """Return what a value is called in JSON, for messages."""
    names: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "a boolean"),
        (str, "text"),
        ((int, float, Decimal), "a number"),
        (Mapping, "an object"),
        ((list, tuple), "an array"),
    )
    if value is None:
        return "null"
    return next((name for types, name in names if isinstance(value, types)), type(value).__name__)


def _decode(body: bytes, max_bytes: int) -> Mapping[str, Any]:
    if len(body) > max_bytes:
        raise _oversize(body, max_bytes)
    if not body.strip():
        raise PayloadError(BODY, "EMPTY", "the body is empty: send a JSON object")
    root = _loads(body)
    if not isinstance(root, dict):
        if isinstance(root, _Fault):
            raise PayloadError(BODY, root.code, root.message)
        raise PayloadError(BODY, "NOT_AN_OBJECT", f"expected a JSON object, got {kind(root)}")
    return root


def _loads(body: bytes) -> Any:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PayloadError(
            BODY, "NOT_UTF8", f"byte {error.start} is not UTF-8: send JSON encoded as UTF-8"
        ) from None
    try:
        return json.loads(
            text,
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_constant,
            object_pairs_hook=_object,
        )
    except RecursionError:
        raise PayloadError(BODY, "TOO_DEEP", f"nested deeper than {MAX_DEPTH} levels") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise PayloadError(BODY, "NOT_JSON", f"not JSON: {error.msg} at {where}") from None


def _oversize(body: bytes, max_bytes: int) -> PayloadError:
    """Name the field that makes the body too large, when the body can be read cheaply."""
    message = f"{len(body)} bytes, at most {max_bytes} are accepted"
    if len(body) <= _OVERSIZE_READ:
        try:
            root = _loads(body)
        except PayloadError:
            root = None
        if isinstance(root, dict) and root:
            sizes = {key: len(json.dumps(value, default=str)) for key, value in root.items()}
            heaviest = max(sizes, key=lambda key: sizes[key])
            text = f"{message}: {heaviest[:100]} alone holds {sizes[heaviest]} characters"
            return PayloadError(_clean(heaviest[:100]), "TOO_LARGE", text)
    return PayloadError(BODY, "TOO_LARGE", message)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Fault:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            name = _clean(key[:100])
            return _Fault("DUPLICATE_KEY", f"{name!r} is written twice: send it once")
        seen.add(key)
    raise AssertionError("fewer keys than pairs means one is repeated")


def _integer(text: str) -> int | _Fault:
    return int(text) if len(text) <= MAX_NUMBER_CHARS else _too_long(text)


def _decimal(text: str) -> Decimal | _Fault:
    if len(text) > MAX_NUMBER_CHARS:
        return _too_long(text)
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond what Decimal itself can hold
        return _Fault("OUT_OF_RANGE", f"{text} is beyond any price or size")


def _constant(text: str) -> _Fault:
    return _Fault("NOT_FINITE", f"{text} is not a finite number")


def _too_long(text: str) -> _Fault:
    return _Fault("NUMBER_TOO_LONG", f"a number of {len(text)} characters, at most 60 are read")


def _clean(text: str) -> str:
    """Replace what neither UTF-8 nor PostgreSQL text can hold."""
    if text.isascii() and "\x00" not in text:
        return text
    fit = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return fit.replace("\x00", _REPLACEMENT)


class _Walk:
    """One pass over the tree: depth, amount, finite numbers, storable text."""

    def __init__(self, *, max_chars: int) -> None:
        self.max_chars = max_chars
        self.values = 0
        self.chars = 0
        self.cleaned = False

    def root(self, root: Mapping[str, Any]) -> Tree:
        tree = Tree(self._mapping("", root, 1))
        tree.was_cleaned = self.cleaned
        return tree

    def _mapping(self, path: str, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, item in value.items():
            if not isinstance(key, str):
                raise PayloadError(path or BODY, "WRONG_TYPE", f"key {key!r:.80} is not text")
            name = self._text(path or BODY, key)
            below = f"{path}.{name[:100]}" if path else name[:100] or BODY
            if name in found:
                raise PayloadError(below, "DUPLICATE_KEY", "is written twice: send it once")
            found[name] = self._value(below, item, depth + 1)
        return found

    def _value(self, path: str, value: Any, depth: int) -> Any:
        self.values += 1
        if self.values > MAX_VALUES:
            raise PayloadError(
                path.split(".", maxsplit=1)[0], "TOO_MANY_VALUES", f"more than {MAX_VALUES} values"
            )
        if depth > MAX_DEPTH + 1:
            raise PayloadError(
                path.split(".", maxsplit=1)[0], "TOO_DEEP", f"nested deeper than {MAX_DEPTH} levels"
            )
        match value:
            case None | bool():
                return value
            case str():
                return self._text(path, value)
            case int() | float() | Decimal():
                return self._number(path, value)
            case Mapping():
                return self._mapping(path, value, depth)
            case list() | tuple():
                return [self._value(f"{path}[{i}]", v, depth + 1) for i, v in enumerate(value)]
            case datetime():
                return value.isoformat()
            case _Fault():
                raise PayloadError(path, value.code, value.message)
        raise PayloadError(path, "WRONG_TYPE", f"{type(value).__name__} is not a JSON value")

    def _text(self, path: str, value: str) -> str:
        self.chars += len(value)
        if self.chars > self.max_chars:
            raise PayloadError(path, "TOO_LARGE", f"more than {self.max_chars} characters in all")
        text = _clean(value)
        self.cleaned = self.cleaned or text != value
        return text

    def _number(self, path: str, value: float | Decimal) -> int | Decimal:
        number = value if isinstance(value, int) else Decimal(str(value))
        if isinstance(number, Decimal) and not number.is_finite():
            raise PayloadError(path, "NOT_FINITE", f"{value} is not a finite number")
        if isinstance(number, int) and number.bit_length() > 200:
            raise PayloadError(path, "NUMBER_TOO_LONG", "a whole number of more than 60 digits")
        return number
