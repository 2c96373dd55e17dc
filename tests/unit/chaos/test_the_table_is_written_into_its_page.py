"""The command writes between its markers and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos import table


def page(folder: Path) -> Path:
    made = folder / "page.md"
    made.write_text(
        "above\n<!-- chaos:before begin -->\nold\n<!-- chaos:before end -->\n"
        "<!-- chaos:measured begin -->\nold\n<!-- chaos:measured end -->\nbelow\n"
    )
    return made


def test_only_its_own_part_changes(tmp_path: Path) -> None:
    made = page(tmp_path)
    table.into_page("measured", "new", made)
    assert made.read_text() == (
        "above\n<!-- chaos:before begin -->\nold\n<!-- chaos:before end -->\n"
        "<!-- chaos:measured begin -->\nnew\n<!-- chaos:measured end -->\nbelow\n"
    )


def test_a_page_without_markers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="chaos:other begin"):
        table.into_page("other", "new", page(tmp_path))


def test_a_small_run_leaves_the_page_alone() -> None:
    assert table.parse(["--quick"]).marker == ""
    assert table.parse(["--faults", "429"]).marker == ""
    assert table.parse([]).marker == "measured"


def test_the_page_in_the_docs_has_its_markers() -> None:
    content = table.PAGE.read_text()
    for marker in ("measured", "before"):
        assert content.count(f"<!-- chaos:{marker} begin -->") == 1
        assert content.count(f"<!-- chaos:{marker} end -->") == 1
