"""Bodies that are no signal at all are refused as a whole, or by the field at fault."""

import json

import pytest

from signals_app.payload import wire
from signals_app.payload.draft import PayloadError
from signals_app.payload.json_body import MAX_DEPTH
from tests.unit.signals.payloads import RECEIVED_AT, parse, refused, v1, v2


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "EMPTY"),
        (b"  \n", "EMPTY"),
        (b"buy BTC", "NOT_JSON"),
        (b'{"symbol": "BTC', "NOT_JSON"),
        (b"{'symbol': 1}", "NOT_JSON"),
        (b"[]", "NOT_AN_OBJECT"),
        (b"null", "NOT_AN_OBJECT"),
        (b'"text"', "NOT_AN_OBJECT"),
        (b"NaN", "NOT_FINITE"),
        (b"\xff\xfe{}", "NOT_UTF8"),
        (b"\x80", "NOT_UTF8"),
        (b"[" * 100_000, "TOO_DEEP"),
        (b'{"a":' * 50_000, "TOO_DEEP"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(body, code):
    error = refused(body)
    assert (error.field, error.code) == ("body", code)


def test_a_byte_order_mark_is_harmless():
    assert parse(b"\xef\xbb\xbf" + json.dumps(v2()).encode()).symbol == "BTCUSDT"


def test_a_body_over_the_limit_names_its_heaviest_field():
    error = refused(v1({"blob": "x" * 2_000_000}))
    assert (error.field, error.code) == ("meta", "TOO_LARGE")


def test_an_oversize_body_that_is_no_json_is_refused_as_a_whole():
    assert refused(b"x" * 300_000).field == "body"


def test_a_mapping_over_the_limit_is_refused():
    with pytest.raises(PayloadError) as caught:
        wire.parse(v1({"blob": "x" * 5000}), received_at=RECEIVED_AT, max_bytes=4096)
    assert caught.value.code == "TOO_LARGE"


def test_a_key_written_twice_is_refused_with_its_path():
    body = json.dumps(v1({})).encode().replace(b'"meta": {}', b'"meta": {"a": {"b": 1, "b": 1}}')
    error = refused(body)
    assert (error.field, error.code) == ("meta.a", "DUPLICATE_KEY")
    assert "'b'" in error.message


def test_a_deep_context_is_refused_by_the_field_that_holds_it():
    deep: dict = {}
    for _ in range(MAX_DEPTH + 1):
        deep = {"x": deep}
    error = refused(v1(deep))
    assert (error.field, error.code) == ("meta", "TOO_DEEP")


def test_a_context_of_too_many_values_is_refused():
    assert refused(v1({"ticks": [1] * 6000})).code == "TOO_MANY_VALUES"


@pytest.mark.parametrize("value", [[], "x", 1, True])
def test_meta_must_be_an_object(value):
    error = refused(v1(meta=value))
    assert (error.field, error.code) == ("meta", "WRONG_TYPE")


def test_markup_in_text_is_kept_as_text():
    script = "<script>alert(1)</script>\n\x07"
    assert parse(v1({"rationale": script})).rationale == script


def test_long_text_is_cut_with_a_note():
    draft = parse(v1({"rationale": "x" * 5000}))
    assert len(draft.rationale) == 4000
    assert "rationale cut" in draft.notes[0]


def test_characters_no_column_can_hold_are_replaced_with_a_note():
    draft = parse(v1({"rationale": "a\x00b", "k\x00": "\ud800"}))
    assert draft.rationale == "a�b"
    assert "\x00" not in str(draft.metadata)
    json.dumps(draft.metadata, ensure_ascii=False).encode()
    assert "replaced" in draft.notes[0]


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes"])
def test_a_mapping_with_values_json_cannot_hold_is_refused(value):
    with pytest.raises(PayloadError) as caught:
        wire.parse(v1({"x": value}), received_at=RECEIVED_AT)
    assert caught.value.field == "meta.x"


def test_a_payload_of_another_type_is_refused():
    with pytest.raises(PayloadError):
        wire.parse("text", received_at=RECEIVED_AT)  # type: ignore[arg-type]


def test_a_fault_under_a_key_without_a_name_is_the_bodys():
    error = refused(b'{"": Infinity}')
    assert error.field == "body"
