"""What users rely on changes only by intent."""

import json

import pytest

pytest.importorskip("typer")

from tests.stability.surface import KEPT, differences, surface


def test_nothing_that_is_promised_has_changed() -> None:
    """See docs/stability.md; `python -m tests.stability.surface` keeps what is meant."""
    assert differences(json.loads(KEPT.read_text(encoding="utf-8")), surface()) == []


def test_what_changed_is_named() -> None:
    kept = {"names": {"a": "(x)", "b": "()"}, "ids": {"one": 1}}
    found = {"names": {"a": "(x, y)", "c": "()"}, "ids": {"one": 1}}
    assert differences(kept, found) == [
        "/names/a: was '(x)', is '(x, y)'",
        "/names/b: gone",
        "/names/c: new",
    ]
