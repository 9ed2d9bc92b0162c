"""Checks of an agent: what `predict` must return, and what it must leave alone."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.agent import row_seeds
from mec_moe_agents.environments import environment_of
from mec_moe_agents.registry import act_in
from mec_moe_env.config import Config
from mec_moe_env.testing.conformance import (
    NOTHING_EXPECTED,
    Check,
    basic,
    bind,
    check_kind,
    require,
    run_checks,
)
from mec_moe_env.testing.randomness import global_seed, global_state

MOST_STEPS = 8
ROWS = 3
SEED = 11
Actions = list[NDArray[np.int64]]


@dataclass(frozen=True)
class AgentCase:
    """What builds an agent, and a scenario that it shall act in."""

    agent: Any
    """A name, a class, a function or an object: all that `mec_moe_agents.evaluate` takes."""
    config: Any

    def env(self, rows: int | None = None) -> Any:
        """Build a vector environment, or a scalar one."""
        environment = environment_of(self.config)
        if rows is None:
            return environment.scalar(self.config)
        return environment.vector(rows, self.config)

    def build(self, env: Any, seed: int = SEED) -> Any:
        """Build an agent for an environment, as `mec_moe_agents.evaluate` does."""
        rows = getattr(env, "num_envs", None)
        return act_in(self.agent, env, seed=seed if rows is None else row_seeds(seed, rows))

    def play(self, agent: Any, env: Any, seed: int = SEED) -> Actions:
        """Return the actions of an episode's first steps, from no state."""
        observation, _ = env.reset(seed=seed)
        state: Any = None
        start: Any = np.ones(getattr(env, "num_envs", 1), np.bool_)
        chosen = []
        for _ in range(min(MOST_STEPS, self.config.steps)):
            action, state = agent.predict(
                observation, state=state, episode_start=start, deterministic=True
            )
            chosen.append(np.array(action))
            observation = env.step(action)[0]
            start = np.zeros_like(start)
        return chosen

    def alone(self, rows: int = ROWS, *, seed: int = SEED, agent_seed: int = SEED) -> Actions:
        """Return the actions of a new agent in a new vector environment."""
        env = self.env(rows)
        return self.play(self.build(env, agent_seed), env, seed)


@basic
def it_answers(case: AgentCase) -> None:
    """`predict(observation, state, episode_start, deterministic)` returns actions and a state."""
    env = case.env(ROWS)
    agent = case.build(env)
    observation, _ = env.reset(seed=SEED)
    answer = agent.predict(observation, None, np.ones(ROWS, np.bool_), True)
    require(
        isinstance(answer, tuple) and len(answer) == 2,
        f"predict must return a pair (actions, state), got {type(answer).__name__}",
    )


@basic
def actions_are_integers_of_the_right_shape(case: AgentCase) -> None:
    """Actions are an array of integers, one row for each sub-environment."""
    env = case.env(ROWS)
    agent = case.build(env)
    observation, _ = env.reset(seed=SEED)
    actions = agent.predict(observation)[0]
    shape, dtype = np.shape(actions), np.asarray(actions).dtype
    require(
        dtype.kind in "iu" and shape == env.action_space.shape,
        f"actions have dtype {dtype} and shape {shape}: they must be integers, "
        f"{env.action_space.shape}",
    )


@basic
def actions_are_inside_the_space(case: AgentCase) -> None:
    """No action of an episode lies outside the action space."""
    case.alone()


def a_single_observation_is_a_row(case: AgentCase) -> None:
    """It acts on a single observation as on a batch of one."""
    env = case.env()
    single = case.play(case.build(env), env)
    require(
        all(action.ndim == 1 for action in single),
        f"a single observation must bring a single action, got shape {single[0].shape}",
    )
    _require_equal(single, [action[0] for action in case.alone(1)], "alone than in a batch of one")


def rows_do_not_meet(case: AgentCase) -> None:
    """What it does in a row depends on that row, and on seed + row, alone."""
    batch = case.alone()
    for row in range(ROWS):
        lone = case.alone(1, seed=SEED + row, agent_seed=SEED + row)
        _require_equal(
            [action[row] for action in batch],
            [action[0] for action in lone],
            f"in row {row} of a batch than in a batch of its own",
        )


def its_seed_decides(case: AgentCase) -> None:
    """Two agents of one seed act alike; no other randomness is used."""
    with global_seed(1):
        first = case.alone()
    with global_seed(2):
        second = case.alone()
    _require_equal(first, second, "than an agent with the same seed")


def global_randomness_is_left_alone(case: AgentCase) -> None:
    """It neither seeds nor moves the global generators of NumPy and Python."""
    with global_seed(3):
        before = global_state()
        case.alone(1)
        require(before == global_state(), "it has changed a global generator")


def observations_are_left_alone(case: AgentCase) -> None:
    """It writes nothing into the observation."""
    env = case.env(ROWS)
    agent = case.build(env)
    observation, _ = env.reset(seed=SEED)
    given = {name: entry.copy() for name, entry in observation.items()}
    agent.predict(given)
    for name, entry in observation.items():
        require(np.array_equal(entry, given[name]), f"it has written into {name}")


def no_state_starts_afresh(case: AgentCase) -> None:
    """Without a state it acts as a new agent does: all its memory is in the state."""
    env = case.env(ROWS)
    agent = case.build(env)
    first = case.play(agent, env)
    _require_equal(first, case.play(agent, env), "in a second episode without a state")


def episode_start_starts_a_row_afresh(case: AgentCase) -> None:
    """A row where `episode_start` is true is one of a new episode; agents that draw are let off."""
    one, other = (case.alone(agent_seed=seed) for seed in (SEED, SEED + ROWS))
    if any(not np.array_equal(mine, yours) for mine, yours in zip(one, other, strict=True)):
        return
    env = case.env(ROWS)
    agent = case.build(env)
    observation, _ = env.reset(seed=SEED)
    state: Any = None
    for _ in range(min(MOST_STEPS, case.config.steps)):
        action, state = agent.predict(observation, state=state)
        observation = env.step(action)[0]
    begun, _ = env.reset(seed=SEED)
    start = np.ones(ROWS, np.bool_)
    again = agent.predict(begun, state=state, episode_start=start)[0]
    require(np.array_equal(again, one[0]), "it remembers an episode that is over")


def pickles(case: AgentCase) -> None:
    """It goes through pickle, as to a worker, and begins an episode as before."""
    env = case.env(ROWS)
    agent = case.build(env)
    observation, _ = env.reset(seed=SEED)
    there = pickle.loads(pickle.dumps(agent))
    here = agent.predict(observation)[0]
    require(np.array_equal(here, there.predict(observation)[0]), "unpickled it acts otherwise")


AGENT_CHECKS = (
    it_answers,
    actions_are_integers_of_the_right_shape,
    actions_are_inside_the_space,
    a_single_observation_is_a_row,
    rows_do_not_meet,
    its_seed_decides,
    global_randomness_is_left_alone,
    observations_are_left_alone,
    no_state_starts_afresh,
    episode_start_starts_a_row_afresh,
    pickles,
)


def agent_checks(agent: Any, config: Config) -> list[Check]:
    """Return the checks of an agent in a scenario, not yet run.

    Args:
        agent: whatever `mec_moe_agents.evaluate` takes, built as it does: a name, of the catalogue
            or of what is outside; a class or function that builds one from what it takes of
            `config`, `env`, `seed` and `seeds`; an object with `predict` or `act`, a trained model,
            or a function from observations to actions.
        config: an `OffloadingConfig` or a `DMoEConfig`; small sizes make it quick.
    """
    check_kind(config, Config)
    return bind(AGENT_CHECKS, AgentCase(agent, config))


def check_agent(
    agent: Any, config: Config, *, expected_failures: Mapping[str, str] = NOTHING_EXPECTED
) -> list[str]:
    """Check an agent in a scenario; return the names of the checks that passed.

    Args:
        agent: whatever `mec_moe_agents.evaluate` takes, built as it does: a name, of the catalogue
            or of what is outside; a class or function that builds one from what it takes of
            `config`, `env`, `seed` and `seeds`; an object with `predict` or `act`, a trained model,
            or a function from observations to actions.
        config: an `OffloadingConfig` or a `DMoEConfig`; small sizes make it quick.
        expected_failures: by name of a check, why it may fail.

    Example:
        >>> from mec_moe_agents.testing import check_agent
        >>> from mec_moe_env import OFFLOADING_PRESETS
        >>> passed = check_agent("guard", OFFLOADING_PRESETS["toy"])

    Raises:
        ConformanceError: a check failed that should not, or the reverse; each is named.
        ValueError: there is no check of an expected failure's name, or `config` is none.
    """
    return run_checks(agent, agent_checks(agent, config), expected_failures)


def _require_equal(here: Actions, there: Actions, when: str) -> None:
    for step, (one, other) in enumerate(zip(here, there, strict=True)):
        require(np.array_equal(one, other), f"step {step}: it acts otherwise {when}")
