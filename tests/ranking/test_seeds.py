"""Training and evaluation never meet the same world."""

import pytest
from mec_moe_agents.evaluation.seeds import (
    FIRST_TRAINING_SEED,
    check_evaluation_seeds,
    check_training_seeds,
)


def test_every_seed_is_for_one_of_the_two():
    check_evaluation_seeds([0, 100_000, FIRST_TRAINING_SEED - 1])
    check_training_seeds([FIRST_TRAINING_SEED, FIRST_TRAINING_SEED + 10**9])


@pytest.mark.parametrize("seed", [-1, FIRST_TRAINING_SEED, 1.5, True])
def test_no_other_seed_evaluates(seed):
    with pytest.raises(ValueError, match=f"seed = {seed} is not allowed.*for training"):
        check_evaluation_seeds([0, seed])


@pytest.mark.parametrize("seed", [0, FIRST_TRAINING_SEED - 1, 3e9])
def test_no_other_seed_trains(seed):
    with pytest.raises(ValueError, match=f"seed = {seed} is not allowed.*for evaluation"):
        check_training_seeds([FIRST_TRAINING_SEED, seed])
