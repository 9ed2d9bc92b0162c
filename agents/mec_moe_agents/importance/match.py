"""Which learned schedule replaces γ0^l at no loss of accuracy."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mec_moe_agents.importance.family import Match
from mec_moe_agents.importance.record import Record
from mec_moe_agents.importance.search import Schedule

STANDARD_ERRORS = 2.0
"""By which a schedule has to lead in practice: of many nearly as accurate the luckiest is not to
win."""


def choose_match(hand_set: float, jesa: Record, candidates: Mapping[Schedule, Record]) -> Match:
    """Choose the cheapest candidate that is more accurate than JESA by a safety margin.

    The margin is `STANDARD_ERRORS` paired standard errors of the difference, episodes being the
    units: the lead is sure on new seeds, not on new images. Where no candidate reaches its own
    margin, the one that comes nearest.

    Args:
        hand_set: γ0.
        jesa: JESA's episodes under γ0^l.
        candidates: episodes of the same seeds under other schedules; at least one.
    """
    matches = [
        Match(hand_set, schedule, *_lead(jesa, record)) for schedule, record in candidates.items()
    ]
    safe = [each for each in matches if each.gain >= each.margin]
    if not safe:
        return max(matches, key=lambda each: each.gain - each.margin)
    return min(safe, key=lambda each: candidates[each.importance].joules.mean())


def _lead(jesa: Record, ours: Record) -> tuple[float, float]:
    gains = ours.accuracy - jesa.accuracy
    error = gains.std(ddof=1) / np.sqrt(gains.size)
    return float(gains.mean()), STANDARD_ERRORS * float(error)
