"""How many steps one measurement plays."""

from __future__ import annotations

import math
from typing import Any

from mec_moe_agents.bench.case import Case

SHORTEST, LONGEST = 50, 200
BLOCKS = 4
"""Blocks of slots drawn ahead that a round spans, at least: its draws must be a fair share."""


def round_steps(episode_steps: int, block: int = 1, affordable: float = math.inf) -> int:
    """Return the steps of one measurement: whole episodes, resets included, unless they are long.

    The vector environment takes one step more than the episode has: the one that resets.

    Args:
        episode_steps: steps of an episode.
        block: slots that the environment draws at once.
        affordable: steps beyond which a round is cut, as far as it stays a fair share.
    """
    period = episode_steps + 1
    if period < SHORTEST:
        wanted = -(-SHORTEST // period) * period
        return max(int(min(wanted, affordable)) // period, 1) * period
    return int(min(period, LONGEST + 1, max(affordable, BLOCKS * block)))


def block_of(case: Case) -> int:
    """Return how many slots the environments of a case draw at once."""
    env: Any = case.vector(1)
    return int(env._simulator._source.block)
