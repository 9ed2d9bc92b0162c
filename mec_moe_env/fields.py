"""Fields of a configuration with what they say of themselves: meaning, value, unit, range."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import math
import textwrap
from collections.abc import Iterable
from typing import Any, NamedTuple

from mec_moe_env.config import Allowed, Config, Interval, OneOf, Real, Recorded, Whole

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
NONSENSE = "?"
"""No field that is checked admits it."""


def field_docs(kind: type) -> dict[str, str]:
    """Return the string below each annotated field of a class and of its bases."""
    found: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        if each.__module__.startswith("mec_moe"):
            found |= _own_docs(each)
    return found


def _own_docs(kind: type) -> dict[str, str]:
    definition = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(definition, ast.ClassDef)
    docs = {}
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            text = below.value if isinstance(below, ast.Expr) else None
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                docs[field.target.id] = inspect.cleandoc(text.value)
    return docs


def allowed(config: Config, name: str) -> str:
    """Say what a field admits: its declared range, or what the error for a bad value says."""
    field = next(field for field in dataclasses.fields(config) if field.name == name)
    declared = field.metadata.get("allowed")
    if declared is not None:
        return range_text(declared)
    try:
        config.override(**{name: NONSENSE})
    except ValueError as error:
        return str(error).partition(" must be ")[2].replace("'", "`")
    return str(field.type)


def range_text(declared: Allowed) -> str:
    """Write a range as an interval, words as they are."""
    if isinstance(declared, OneOf):
        return ", ".join(f"`{word}`" for word in declared.words)
    if isinstance(declared, Interval):
        return f"pair low ≤ high in {range_text(declared.element)}"
    if isinstance(declared, Recorded):
        return str(declared)
    open_low = isinstance(declared, Real) and declared.open_low
    reached = math.isfinite(declared.high) or (isinstance(declared, Real) and declared.infinite)
    interval = f"{'(' if open_low else '['}{number(declared.low)}, {number(declared.high)}"
    kind = "integer in " if isinstance(declared, Whole) else ""
    return f"{kind}{interval}{']' if reached else ')'}"


def number(value: float) -> str:
    """Write a number, a large or small one by its power of ten."""
    if math.isinf(value):
        return "∞"
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:g}"
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    mantissa = mantissa.removesuffix(".0")
    power = f"10{str(int(exponent)).translate(SUPERSCRIPTS)}"
    return power if mantissa == "1" else f"{mantissa}·{power}"


def unit(config: Config, name: str) -> str:
    """Return the unit of a field; 1 of a plain number, nothing of what is no number."""
    field = next(field for field in dataclasses.fields(config) if field.name == name)
    declared = field.metadata.get("allowed")
    if declared is None:
        return ""
    return field.metadata["unit"] or ("" if isinstance(declared, Whole | OneOf | Recorded) else "1")


class Field(NamedTuple):
    """A field of a configuration."""

    name: str
    value: Any
    unit: str
    """1 of a plain number, nothing of what is no number."""
    allowed: str
    """Words stand between backticks."""
    meaning: str


def describe(config: Config, names: Iterable[str] | None = None) -> list[Field]:
    """Describe fields in the order of declaration, or those that are named, with their values."""
    docs = field_docs(type(config))
    return [
        Field(name, getattr(config, name), unit(config, name), allowed(config, name), docs[name])
        for name in (config.to_dict() if names is None else names)
    ]


def differences(config: Config) -> dict[str, Any]:
    """Return the fields in which a configuration differs from the defaults of its kind."""
    usual = type(config)().to_dict()
    return {name: value for name, value in config.to_dict().items() if value != usual[name]}
