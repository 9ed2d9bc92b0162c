"""One agent on many seeds: which seeds there are, how episodes run, and what is kept of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.agent import Agent
from mec_moe_agents.environments import DMOE, OFFLOADING, environment_of
from mec_moe_agents.evaluation.trained import was_trained
from mec_moe_agents.outside.adapters import pair
from mec_moe_agents.outside.building import adapt, name_of
from mec_moe_agents.outside.errors import naming, staying
from mec_moe_agents.registry import act_in
from mec_moe_env import DMoEConfig, DMoEVectorEnv, OffloadingConfig, OffloadingVectorEnv
from mec_moe_env.config import Config, Whole, plain, reject
from mec_moe_env.core.buffers import Floats, Over

FIRST_TRAINING_SEED = 2**31
"""Training seeds its environments from here on; evaluation stays below."""
FIRST_RANKING_SEED = 100_000
"""Where the seeds of the ranking begin; whoever chooses among agents or checkpoints by their
returns does so on seeds below."""
BATCH_NUMBERS = 1 << 26
"""Bounds the memory of a batch; the results do not depend on it."""


def check_evaluation_seeds(seeds: Iterable[int]) -> None:
    """See that no environment with one of these seeds can have served training.

    Raises:
        ValueError: a seed is negative, no integer, or one of training's.
    """
    _check_seeds(seeds, Whole(0, FIRST_TRAINING_SEED - 1), "those above are for training")


def check_training_seeds(seeds: Iterable[int]) -> None:
    """See that no environment with one of these seeds can serve evaluation.

    Raises:
        ValueError: a seed is below `FIRST_TRAINING_SEED`, or no integer.
    """
    _check_seeds(seeds, Whole(FIRST_TRAINING_SEED), "those below are for evaluation")


def listed(seeds: Sequence[int]) -> list[int]:
    """Return seeds as a list of integers, if they are at least one, ≥ 0 and each another.

    Raises:
        ValueError: they are not; the seed is named.
    """
    given = plain(seeds)
    if not isinstance(given, tuple) or not given:
        raise reject("seeds", seeds, "a sequence of at least one integer, such as range(20)")
    _check_seeds(given, Whole(0), "an environment takes no other")
    check_different(given)
    return list(map(int, given))


def check_different(seeds: Sequence[int], who: str = "seeds") -> None:
    """See that no seed stands twice: an episode that counts twice makes an interval too narrow.

    Raises:
        ValueError: one does; it is named.
    """
    seen: set[int] = set()
    for seed in seeds:
        if seed in seen:
            raise ValueError(f"{who}: seed {seed} stands twice")
        seen.add(seed)


def _check_seeds(seeds: Iterable[int], allowed: Whole, why: str) -> None:
    for seed in seeds:
        if not allowed.admits(seed):
            raise reject("seed", seed, f"{allowed}: {why}")


@dataclass(frozen=True)
class Episodes:
    """What is kept of one agent's episodes: one per seed, n in all."""

    seeds: NDArray[np.int64]
    """(n,), the seed of each episode's environment."""
    metrics: Mapping[str, Floats]
    """Each (n,): totals over the episode, final values, and means per step, task or token."""
    curve: Floats
    """(n, T). Offloading: the overall generalization error G_t after each slot. DMoE: the joules
    of each of T = L layers."""

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Join episodes of one agent on different seeds."""
        names = parts[0].metrics
        metrics = {name: np.concatenate([part.metrics[name] for part in parts]) for name in names}
        seeds = np.concatenate([part.seeds for part in parts])
        return cls(seeds, metrics, np.concatenate([part.curve for part in parts]))


def per_task(totals: Mapping[str, Floats], config: Any) -> dict[str, Floats]:
    """Return means per accepted task (NaN without any) and shares of all tasks, each (n,)."""
    accepted, arrived = totals["accepted"], totals["accepted"] + totals["rejected"]
    return {
        "energy_per_task_j": _ratio(totals["energy_j"], accepted),
        "energy_per_arrival_j": _ratio(totals["energy_j"], arrived),
        "mean_delay_slots": _ratio(totals["delay_slots"], accepted),
        "rejected_share": _ratio(totals["rejected"], arrived),
    }


def per_token(totals: Mapping[str, Floats], config: Any) -> dict[str, Floats]:
    """Return joules per token over all layers, (n,)."""
    return {"energy_per_token_j": totals["energy_j"] / (config.sources * config.tokens_per_source)}


def _ratio(sums: Floats, counts: Floats) -> Floats:
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)


@dataclass(frozen=True)
class Traits:
    """What the evaluation needs to know of an environment, beside its `config.outcomes`."""

    title: str
    sizes: Mapping[str, tuple[str, str]]
    """Field of the configuration, and what it counts, by the papers' symbol."""
    summary: str
    """Symbols of the sizes that a title names."""
    curve: str
    """The info of every step that makes the curve."""
    derive: Callable[[Mapping[str, Floats], Any], dict[str, Floats]]
    """From an episode's totals and the configuration to further metrics."""
    warm_up: tuple[str, Mapping[str, int]]
    """The agent whose episode needs all machine code, and fields that make the episode short."""


TRAITS: Mapping[str, Traits] = MappingProxyType(
    {
        OFFLOADING.name: Traits(
            title="Offloading",
            sizes={
                "M": ("num_servers", "servers"),
                "S": ("num_subcarriers", "subcarriers"),
                "N": ("num_types", "task types"),
                "T": ("horizon", "slots"),
                "U": ("num_tasks", ""),
                "D": ("max_experts", ""),
            },
            summary="MNT",
            curve="generalization_error",
            derive=per_task,
            warm_up=("gating", {"horizon": 1}),
        ),
        DMOE.name: Traits(
            title="DMoE",
            sizes={
                "K": ("num_nodes", "nodes"),
                "I": ("sources", "sources"),
                "Q": ("tokens_per_source", "tokens each"),
                "L": ("num_layers", "layers"),
                "S": ("num_subcarriers", "subcarriers"),
                "D": ("max_experts", ""),
            },
            summary="KLS",
            curve="energy_j",
            derive=per_token,
            warm_up=("jesa", {}),
        ),
    }
)
"""By `Environment.name`."""


def traits_of(config: Config) -> Traits:
    """Return what the evaluation needs to know of a configuration's environment."""
    return TRAITS[environment_of(config).name]


def make_vector_env(config: Config, rows: int) -> OffloadingVectorEnv | DMoEVectorEnv:
    """Build the vector environment of a configuration.

    Raises:
        TypeError: there is none.
    """
    build: Any = environment_of(config).vector
    env: OffloadingVectorEnv | DMoEVectorEnv = build(rows, config)
    return env


def evaluate(
    agent: str | Agent | Callable[..., Any],
    config: Config,
    seeds: Sequence[int],
    *,
    options: Mapping[str, Any] | None = None,
    on_step: Callable[[int], None] | None = None,
    trust_zip: bool = False,
) -> Episodes:
    """Run an agent on one episode per seed.

    Each sub-environment and the agent's row that acts in it have the same seed, so that an
    episode does not depend on which others share its batch.

    Args:
        agent: one of `mec_moe_agents.agent_names`, or where it is to be found, as text; a class or
            function that builds one; or what acts itself, an object with `predict` or `act`, a
            trained model, a function from observations to actions (`docs/outside.md`).
        config: the scenario.
        seeds: at least one, each another; below 2³¹ for an agent that was trained.
        options: keyword arguments of the agent.
        on_step: called after each step with the number of environment steps it made.
        trust_zip: whether a `model.zip` may be loaded, which runs code that is in it.

    Example:
        >>> from mec_moe_agents import evaluate
        >>> from mec_moe_env import OFFLOADING_PRESETS
        >>> evaluate("guard", OFFLOADING_PRESETS["toy"], range(3)).metrics["return"]
        array([-6.16, -6.16, -6.16])

    Raises:
        ValueError: the agent is unknown, one of its options is unknown or out of range, it is
            nothing that can act (a `TypeError`, too), `config` is no configuration, or a seed is
            not allowed.
    """
    if not isinstance(config, OffloadingConfig | DMoEConfig):
        raise reject("config", config, "an OffloadingConfig or a DMoEConfig")
    given = listed(seeds)
    if was_trained(agent, config):
        check_evaluation_seeds(given)
    return episodes_of(agent, config, given, options, on_step, trust_zip=trust_zip)


def episodes_of(
    agent: str | Agent | Callable[..., Any],
    config: Config,
    seeds: Sequence[int],
    options: Mapping[str, Any] | None = None,
    on_step: Callable[[int], None] | None = None,
    *,
    trust_zip: bool = False,
) -> Episodes:
    """Run an agent as `evaluate` does, on seeds of whatever purpose.

    Raises:
        ValueError: as `evaluate`, but for what is said there of seeds and `config`.
    """
    name, parts = agent if isinstance(agent, str) else name_of(agent), []
    for chunk in batches(config, seeds):
        env = make_vector_env(config, len(chunk))
        acting = act_in(agent, env, seed=chunk, trust_zip=trust_zip, **(options or {}))
        parts.append(run_episodes(acting, env, chunk, on_step, name=name))
        env.close()
    return Episodes.concatenate(parts)


def warm_up(config: Config) -> None:
    """Load or compile the machine code of an episode, so that no agent's time contains it."""
    agent, fields = traits_of(config).warm_up
    evaluate(agent, config.override(**fields), [0])


def batches(config: Config, seeds: Sequence[int]) -> list[Sequence[int]]:
    """Split the seeds so that the observations of a batch fit in memory."""
    numbers = sum(math.prod(shape) for shape in config.observation_shapes.values())
    rows = max(1, BATCH_NUMBERS // numbers)
    return [seeds[start : start + rows] for start in range(0, len(seeds), rows)]


def run_episodes(
    agent: Agent | Callable[..., Any],
    env: OffloadingVectorEnv | DMoEVectorEnv,
    seeds: Sequence[int],
    on_step: Callable[[int], None] | None = None,
    *,
    name: str = "the agent",
) -> Episodes:
    """Run any agent, a trained model too, through one episode of every sub-environment.

    Args:
        agent: whatever has Stable-Baselines3's `predict`, with `action_masks` if it takes them;
            an object with `act`, or a function from observations to actions.
        env: as many sub-environments as seeds.
        seeds: one per sub-environment.
        on_step: called after each step with the number of environment steps it made.
        name: of the agent in errors.

    Raises:
        ValueError: a reward is not finite, or a model is for other spaces.
        TypeError: the agent is nothing that can act.
    """
    config: Config = env.config
    acting = adapt(agent, env)
    traits, outcomes = traits_of(config), config.outcomes
    averaged = outcomes.over_episode(Over.MEAN)
    added = (*outcomes.over_episode(Over.SUM), *averaged, *outcomes.terms)
    totals = {key: np.zeros(len(seeds)) for key in ("return", *added)}
    curve = np.empty((len(seeds), config.steps))
    observation, info = env.reset(seed=list(seeds))
    state, episode_start = None, np.ones(len(seeds), dtype=np.bool_)
    for step in range(config.steps):
        with staying(name):
            answer = acting.predict(observation, state, episode_start, deterministic=True)
        action, state = pair(answer, name)
        with naming(name):
            observation, reward, _, _, info = env.step(action)
        _check_rewards(reward, name, seeds, step)
        episode_start = np.zeros(len(seeds), dtype=np.bool_)
        totals["return"] += reward
        for key in added:
            totals[key] += info[key]
        curve[:, step] = info[traits.curve]
        if on_step is not None:
            on_step(len(seeds))
    for key in averaged:
        totals[key] /= config.steps
    known = [key for key in outcomes.over_episode(Over.LAST) if key in info]
    final = {key: np.array(info[key], dtype=np.float64) for key in known}
    return Episodes(np.array(seeds), {**totals, **final, **traits.derive(totals, config)}, curve)


def _check_rewards(rewards: Floats, agent: str, seeds: Sequence[int], step: int) -> None:
    """Refuse what no mean can be made of, as soon as it occurs."""
    for row in np.flatnonzero(~np.isfinite(rewards))[:1]:
        raise ValueError(
            f"the reward of {agent} on seed {seeds[row]} is {rewards[row]} at step {step}: "
            "it must be finite"
        )
