"""What holds of every step in both environments."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from tests.fuzz.transition import Observation, Transition

ROUNDING = 1e-12
"""Share of the summands by which a sum may differ from one in another order."""
SINGLE = 2e-6
"""The same where one side was seen as float32."""
LEAST_SINGLE = float(np.finfo(np.float32).smallest_normal)
"""What is smaller loses digits as float32, or is seen as zero."""


def require(holds: NDArray[np.bool_] | np.bool_ | bool, claim: str, *values: Any) -> None:
    """Raise an AssertionError that names the claim and the first values that contradict it."""
    flags = np.asarray(holds)
    if flags.all():
        return
    where = np.unravel_index(int((~flags).argmax()), flags.shape)
    found = [np.broadcast_to(value, flags.shape)[where] for value in values]
    place = tuple(int(index) for index in where)
    raise AssertionError(f"{claim}: not at {place}, where the values are {found}")


def observation_is_inside(observation: Observation, space: spaces.Dict) -> None:
    """Require every entry to be float32, and between its bounds, which no NaN is."""
    assert observation.keys() == space.spaces.keys()
    for key, box in space.spaces.items():
        assert isinstance(box, spaces.Box)
        entry = observation[key]
        assert entry.dtype == np.float32, key
        low, high = box.low.flat[0], box.high.flat[0]
        require((entry >= low) & (entry <= high), f"{key} within [{low}, {high}]", entry)


def numbers_are_finite(step: Transition) -> None:
    """Require reward and infos to be finite."""
    require(np.isfinite(step.reward), "a finite reward", step.reward)
    for name, values in step.infos.items():
        if not name.startswith("_") and np.asarray(values).dtype.kind == "f":
            require(np.isfinite(values), f"a finite {name}", values)


def reward_is_its_terms(step: Transition, config: Any) -> None:
    """Require the reward to be the weighted sum of its terms, and nothing where none was earned."""
    terms = np.stack([step.infos[name] for name in config.outcomes.terms])
    summands = config.reward_weights[:, np.newaxis] * terms
    slack = ROUNDING * np.abs(summands).sum(axis=0)
    error = np.abs(step.reward - summands.sum(axis=0))
    require(error <= slack, "reward = Σ weight·term", step.reward, summands.sum(axis=0))
    require(step.reward[~step.stepped] == 0.0, "no reward for a reset")


def energy_is_spent(step: Transition) -> None:
    """Require joules of sending to be among those spent, and neither to be negative."""
    sent, spent = step.of("transmission_energy_j"), step.of("energy_j")
    require(sent >= 0.0, "transmission_energy_j ≥ 0", sent)
    require(spent >= sent * (1.0 - ROUNDING), "energy_j ≥ transmission_energy_j", spent, sent)
    require(step.of("reward_energy") <= 0.0, "reward_energy ≤ 0", step.of("reward_energy"))


def masks_offer_a_choice(masks: NDArray[np.bool_], nvec: NDArray[np.int64]) -> None:
    """Require masks of the space's size, with at least one choice in every categorical."""
    assert masks.dtype == np.bool_
    assert masks.shape[1] == nvec.sum()
    starts = np.concatenate([[0], np.cumsum(nvec)[:-1]])
    require(np.add.reduceat(masks, starts, axis=1) > 0, "a choice in every categorical")


def shares(step: Transition, *names: str) -> None:
    """Require infos to lie in [0, 1], up to rounding."""
    for name in names:
        values = step.of(name)
        require((values >= 0.0) & (values <= 1.0 + ROUNDING), f"{name} in [0, 1]", values)


def close(one: NDArray[Any], other: NDArray[Any], share: float, claim: str) -> None:
    """Require equality up to a share of the second, and to what float32 shows."""
    require(np.abs(one - other) <= share * np.abs(other) + LEAST_SINGLE, claim, one, other)
