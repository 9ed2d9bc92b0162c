"""Checks of a scenario: that an environment of it keeps what all of this project promise."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.config import Config
from mec_moe_env.dmoe.env import DMoEEnv, DMoEVectorEnv
from mec_moe_env.offloading.config import OffloadingConfig
from mec_moe_env.offloading.env import OffloadingEnv, OffloadingVectorEnv
from mec_moe_env.testing.conformance import (
    NOTHING_EXPECTED,
    Check,
    basic,
    bind,
    check_kind,
    require,
    run_checks,
)

MOST_STEPS = 12
"""Played of an episode by most checks; the identity of the return takes all of it."""
EXOGENOUS = (
    *("task", "payload", "origin", "spectral_efficiency", "compute", "progress"),
    *("gate", "available", "compute_energy", "layer", "importance"),
)
"""Entries of an observation that no action can change, where there are such."""
Make = Callable[[Any], Any]
Step = dict[str, Any]


@dataclass(frozen=True)
class ScenarioCase:
    """A configuration, and what builds a scalar environment of it."""

    config: Any
    make: Make

    @property
    def vector(self) -> Any:
        """The native vector environment's class."""
        offloading = isinstance(self.config, OffloadingConfig)
        return OffloadingVectorEnv if offloading else DMoEVectorEnv

    def play(self, env: Any, seed: int, actions_seed: int, steps: int = MOST_STEPS) -> list[Step]:
        """Return all that an episode shows under random actions, its reset first."""
        rng = np.random.default_rng(actions_seed)
        observation, info = env.reset(seed=seed)
        seen = [{"observation": observation, "info": info, "reward": 0.0}]
        nvec = env.action_space.nvec
        for _ in range(min(steps, self.config.steps)):
            observation, reward, over, cut, info = env.step(rng.integers(nvec))
            seen.append(
                {"observation": observation, "info": info, "reward": reward, "over": over | cut}
            )
        return seen


@basic
def environment_is_built(case: ScenarioCase) -> None:
    """The configuration builds an environment that resets and steps."""
    case.play(case.make(case.config), 0, 0, steps=1)


def gymnasium_accepts_it(case: ScenarioCase) -> None:
    """Gymnasium's `check_env` finds nothing."""
    from gymnasium.utils.env_checker import check_env

    with warnings.catch_warnings():
        # It warns of what it cannot know: that there is no spec, that a space is not normalised.
        warnings.simplefilter("ignore")
        check_env(case.make(case.config), skip_render_check=True)


def observations_are_inside_the_space(case: ScenarioCase) -> None:
    """Every observation lies in the observation space."""
    env = case.make(case.config)
    for step, seen in enumerate(case.play(env, 1, 1)):
        for name, entry in seen["observation"].items():
            require(
                env.observation_space[name].contains(entry),
                f"step {step}: {name} is outside its space",
            )


def rewards_are_their_terms(case: ScenarioCase) -> None:
    """A reward is the sum of its terms in `info`, as the configuration weighs them."""
    terms, weights = case.config.outcomes.reward_terms, case.config.reward_weights
    for step, seen in enumerate(case.play(case.make(case.config), 2, 2)[1:], start=1):
        parts = [seen["info"][f"reward_{term}"] for term in terms]
        require(
            np.isclose(seen["reward"], float(np.dot(weights, parts)), rtol=1e-9, atol=1e-12),
            f"step {step}: the reward is {seen['reward']}, its weighted terms sum to "
            f"{float(np.dot(weights, parts))}",
        )


def episodes_end_when_they_should(case: ScenarioCase) -> None:
    """An episode ends with its last step and with no earlier one."""
    seen = case.play(case.make(case.config), 3, 3, steps=case.config.steps)
    over = [bool(step["over"]) for step in seen[1:]]
    require(over == [False] * (len(over) - 1) + [True], f"it is over at steps {over}")


def equal_seeds_give_equal_episodes(case: ScenarioCase) -> None:
    """Equal seeds and actions give equal episodes, whatever was played before."""
    env = case.make(case.config)
    first = case.play(env, 4, 4)
    case.play(env, 5, 5)
    _same(first, case.play(env, 4, 4), "again after another episode")
    _same(first, case.play(case.make(case.config), 4, 4), "in a new environment")


def no_action_changes_what_comes(case: ScenarioCase) -> None:
    """Tasks, channel and nodes are the same under other actions."""
    # With a real model the gates of later layers follow its states.
    real = getattr(case.config, "gates", None) == "digits"
    names = [name for name in EXOGENOUS if not (real and name == "gate")]
    here, there = (case.play(case.make(case.config), 6, actions) for actions in (6, 7))
    for step, (one, other) in enumerate(zip(here, there, strict=True)):
        for name in names:
            if name in one["observation"]:
                require(
                    np.array_equal(one["observation"][name], other["observation"][name]),
                    f"step {step}: {name} depends on the actions before",
                )


def masks_leave_a_choice(case: ScenarioCase) -> None:
    """`action_mask` has an entry for each choice, and every choice is left one value at least."""
    env = case.make(case.config)
    ends = np.cumsum(env.action_space.nvec)
    for step, seen in enumerate(case.play(env, 8, 8)):
        mask = np.asarray(seen["info"]["action_mask"])
        require(mask.shape == (ends[-1],), f"step {step}: the mask has shape {mask.shape}")
        choices = np.split(mask, ends[:-1])
        require(all(choice.any() for choice in choices), f"step {step}: a choice is left nothing")


def vector_and_scalar_agree(case: ScenarioCase) -> None:
    """The native vector environment shows what scalar ones show, bit for bit."""
    count, steps = 2, min(MOST_STEPS, case.config.steps)
    scalars = [case.make(case.config) for _ in range(count)]
    vector = case.vector(count, case.config)
    nvec = scalars[0].action_space.nvec
    rng = np.random.default_rng(9)
    batch, _ = vector.reset(seed=9)
    singles = [env.reset(seed=9 + row)[0] for row, env in enumerate(scalars)]
    for step in range(steps):
        for row, single in enumerate(singles):
            for name, entry in single.items():
                require(
                    np.array_equal(entry, batch[name][row]),
                    f"step {step}: {name} of sub-environment {row} differs",
                )
        actions = rng.integers(nvec, size=(count, len(nvec)))
        batch, rewards = vector.step(actions)[:2]
        answers = [env.step(action) for env, action in zip(scalars, actions, strict=True)]
        singles = [answer[0] for answer in answers]
        require(
            [answer[1] for answer in answers] == rewards.tolist(), f"step {step}: rewards differ"
        )
    vector.close()


def configuration_pickles(case: ScenarioCase) -> None:
    """The configuration goes through pickle, as to a worker, and plays the same there."""
    there = pickle.loads(pickle.dumps(case.config))
    here = case.play(case.make(case.config), 10, 10)
    _same(here, case.play(case.make(there), 10, 10), "from an unpickled configuration")


SCENARIO_CHECKS = (
    environment_is_built,
    gymnasium_accepts_it,
    observations_are_inside_the_space,
    rewards_are_their_terms,
    episodes_end_when_they_should,
    equal_seeds_give_equal_episodes,
    no_action_changes_what_comes,
    masks_leave_a_choice,
    vector_and_scalar_agree,
    configuration_pickles,
)


def scenario_checks(config: Config, make: Make | None = None) -> list[Check]:
    """Return the checks of a scenario, not yet run.

    Args:
        config: an `OffloadingConfig` or a `DMoEConfig`.
        make: builds a scalar environment of a configuration: the project's own if left out, or a
            subclass or wrapper of yours.
    """
    check_kind(config, Config)
    own = OffloadingEnv if isinstance(config, OffloadingConfig) else DMoEEnv
    return bind(SCENARIO_CHECKS, ScenarioCase(config, make or own))


def check_scenario(
    config: Config,
    make: Make | None = None,
    *,
    expected_failures: Mapping[str, str] = NOTHING_EXPECTED,
) -> list[str]:
    """Check a scenario, or an environment of one's own; return the names of the checks that passed.

    Args:
        config: an `OffloadingConfig` or a `DMoEConfig`.
        make: builds a scalar environment of a configuration: the project's own if left out, or a
            subclass or wrapper of yours.
        expected_failures: by name of a check, why it may fail.

    Example:
        >>> from mec_moe_env import OFFLOADING_PRESETS
        >>> from mec_moe_env.testing import check_scenario
        >>> passed = check_scenario(OFFLOADING_PRESETS["toy"])

    Raises:
        ConformanceError: a check failed that should not, or the reverse; each is named.
        ValueError: there is no check of an expected failure's name, or `config` is none.
    """
    return run_checks(type(config).__name__, scenario_checks(config, make), expected_failures)


def _same(here: list[Step], there: list[Step], when: str) -> None:
    for step, (one, other) in enumerate(zip(here, there, strict=True)):
        pairs = [(name, entry, other["observation"][name]) for name, entry in _entries(one)]
        pairs.append(("reward", np.asarray(one["reward"]), np.asarray(other["reward"])))
        for name, mine, others in pairs:
            require(np.array_equal(mine, others), f"step {step}: {name} differs {when}")


def _entries(step: Step) -> list[tuple[str, NDArray[Any]]]:
    return list(step["observation"].items())
