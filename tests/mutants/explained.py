"""Why survivors are no faults: what was found when somebody looked at them."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from pathlib import Path

from tests.mutants.places import Mutant

EXPLAINED = Path(__file__).with_name("equivalent.toml")


@functools.cache
def explanations() -> Mapping[tuple[str, str, str], str]:
    """Return why mutants do what the file does, by file, old and new text of the line."""
    entries = tomllib.loads(EXPLAINED.read_text("utf-8")).get("equivalent", [])
    return {(each["file"], each["old"], each["new"]): each["why"] for each in entries}


def why_equivalent(mutant: Mutant) -> str | None:
    """Return why a mutant does what the file does, if that was found."""
    return explanations().get((mutant.file, mutant.old, mutant.new))
