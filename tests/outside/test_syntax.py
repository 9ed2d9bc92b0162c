"""How agents are named in text."""

import pytest
from mec_moe_agents.outside.syntax import (
    MOST_CHARACTERS,
    parse_reference,
    read_value,
    split_references,
)


def test_commas_separate_agents_but_not_within_brackets() -> None:
    text = "guard, des[quality=0.7,gate=guard] ,,mine.py:Own[shape=(1,2), name='a,b]'],it's.zip"
    assert split_references(text) == [
        "guard",
        "des[quality=0.7,gate=guard]",
        "mine.py:Own[shape=(1,2), name='a,b]']",
        "it's.zip",
    ]


def test_options_are_values() -> None:
    target, options = parse_reference("des[quality=0.7, gate=guard, n=[1, 2], p='a,b', x=None]")
    assert target == "des"
    assert options == {"quality": 0.7, "gate": "guard", "n": (1, 2), "p": "a,b", "x": None}
    assert parse_reference("pkg.module:Class") == ("pkg.module:Class", {})
    assert parse_reference("des[]") == ("des", {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("des[quality]", "expected OPTION=VALUE in brackets, got 'quality'"),
        ("des[a=1,a=2]", "option a stands twice"),
        ("[a=1]", "expected NAME"),
        ("des[a=1", "expected NAME"),
        ("des[a b=1]", "expected OPTION=VALUE"),
    ],
)
def test_what_is_no_reference_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_reference(text)


@pytest.mark.parametrize("text", ["des[a=1", "des]", "des[a='b]"])
def test_brackets_that_do_not_match_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="do not match"):
        split_references(text)


def test_a_text_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="characters are too many"):
        split_references("a" * (MOST_CHARACTERS + 1))


def test_values_nested_beyond_sense_stay_text() -> None:
    text = "(" * 3000
    assert read_value(text) == text
    assert read_value("inf") == float("inf")
    assert read_value("True") is True
