"""Which seeds a training run uses; all are `FIRST_TRAINING_SEED` or above.

An evaluation (`mec-moe compare`, `rank`) takes seeds below `FIRST_TRAINING_SEED`, so that no
episode it runs can have served training, nor the choice of the best checkpoint:

| seeds | for |
|---|---|
| 0 … 2³¹ − 1 | evaluation |
| 2³¹ … 2³² − 1 | validation: which checkpoint is best, when to stop |
| from 2³² | the episodes of training |
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mec_moe_agents.evaluation.rollout import FIRST_TRAINING_SEED, check_training_seeds

FIRST_EPISODE_SEED = 2 * FIRST_TRAINING_SEED


def validation_seeds(count: int) -> Sequence[int]:
    """Return the seeds of the episodes that tell which checkpoint is best."""
    seeds = range(FIRST_TRAINING_SEED, FIRST_TRAINING_SEED + count)
    check_training_seeds((seeds[0], seeds[-1]))
    return seeds


def episode_seed(seed: int, segment: int) -> int:
    """Return the seed of sub-environment 0 in one segment of a run; i begins with this plus i."""
    # Below 2⁶²: a seed plus an index stays a small integer for every library.
    return FIRST_EPISODE_SEED + (_bits(seed, segment, 1) >> 2)


def generator_seed(seed: int, segment: int) -> int:
    """Return the seed of the libraries' global generators in one segment, below 2³²."""
    return _bits(seed, segment, 2) >> 32


def _bits(seed: int, segment: int, purpose: int) -> int:
    """Return 64 bits that look random."""
    return int(np.random.SeedSequence((seed, segment, purpose)).generate_state(1, np.uint64)[0])
