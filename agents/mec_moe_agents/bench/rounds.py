"""How many steps one measurement plays."""

from __future__ import annotations

import math

SHORTEST, LONGEST = 50, 200
FEWEST = 20
"""Of a round that is cut because it would take too long."""


def round_steps(episode_steps: int, affordable: float = math.inf) -> int:
    """Return the steps of one measurement: whole episodes, resets included, unless they are long.

    The vector environment takes one step more than the episode has: the one that resets.

    Args:
        episode_steps: steps of an episode.
        affordable: steps beyond which a round is cut, as far as it stays a fair share.
    """
    period = episode_steps + 1
    if period < SHORTEST:
        wanted = -(-SHORTEST // period) * period
        return max(int(min(wanted, affordable)) // period, 1) * period
    return int(min(period, LONGEST + 1, max(affordable, FEWEST)))
