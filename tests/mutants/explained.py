"""Why survivors are no faults: what was found when somebody looked at them."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from pathlib import Path

from tests.mutants.places import Mutant

EXPLAINED = Path(__file__).with_name("equivalent.toml")


EQUIVALENT, TOLD = "equivalent", "told"
"""What does what the file does, and what tests notice that do not run here."""


@functools.cache
def explanations(kind: str = EQUIVALENT) -> Mapping[tuple[str, str, str], str]:
    """Return the explanations of a kind, by file, old and new text of the line."""
    entries = tomllib.loads(EXPLAINED.read_text("utf-8")).get(kind, [])
    return {(each["file"], each["old"], each["new"]): each["why"] for each in entries}


def why_equivalent(mutant: Mutant) -> str | None:
    """Return why a mutant does what the file does, if that was found."""
    return explanations().get((mutant.file, mutant.old, mutant.new))


def explanation(mutant: Mutant) -> str:
    """Return what was found about a survivor, of either kind, or that nothing was."""
    key = (mutant.file, mutant.old, mutant.new)
    return why_equivalent(mutant) or explanations(TOLD).get(key, "not explained")
