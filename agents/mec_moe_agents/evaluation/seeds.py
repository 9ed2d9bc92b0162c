"""Which seeds are for training and which for evaluation: by construction never the same."""

from __future__ import annotations

from collections.abc import Iterable

from mec_moe_env.config import Whole, reject

FIRST_TRAINING_SEED = 2**31
"""Training seeds its environments from here on; evaluation stays below."""
FIRST_RANKING_SEED = 100_000
"""Where the seeds of the ranking begin; whoever chooses among agents or checkpoints by their
returns does so on seeds below."""


def check_evaluation_seeds(seeds: Iterable[int]) -> None:
    """See that no environment with one of these seeds can have served training.

    Raises:
        ValueError: a seed is negative, no integer, or one of training's.
    """
    allowed = Whole(0, FIRST_TRAINING_SEED - 1)
    for seed in seeds:
        if not allowed.admits(seed):
            raise reject("seed", seed, f"{allowed}: those above are for training")


def check_training_seeds(seeds: Iterable[int]) -> None:
    """See that no environment with one of these seeds can serve evaluation.

    Raises:
        ValueError: a seed is below `FIRST_TRAINING_SEED`, or no integer.
    """
    allowed = Whole(FIRST_TRAINING_SEED)
    for seed in seeds:
        if not allowed.admits(seed):
            raise reject("seed", seed, f"{allowed}: those below are for evaluation")
