"""Speed of what people would otherwise use, as far as it is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from mec_moe_agents.bench.case import Case, sample_actions
from mec_moe_agents.bench.rounds import round_steps
from mec_moe_agents.bench.speed import scalar_seconds, vector_rounds
from mec_moe_agents.bench.timing import per_call
from mec_moe_env import OFFLOADING_PRESETS

ROUND = 50
VECTOR = 1024


@dataclass(frozen=True)
class Peer:
    """An environment of another package."""

    name: str
    package: str
    id: str
    num_envs: int = 1


@dataclass(frozen=True)
class PeerRow:
    """What was measured: time of one step of one environment."""

    name: str
    num_envs: int
    step_ns: float

    @property
    def steps_per_second(self) -> float:
        """Environment steps per second."""
        return 1e9 / self.step_ns


PEERS = (
    Peer("mobile-env small", "mobile_env", "mobile-small-central-v0"),
    Peer("mobile-env medium", "mobile_env", "mobile-medium-central-v0"),
    Peer("mobile-env large", "mobile_env", "mobile-large-central-v0"),
    Peer("highway-fast", "highway_env", "highway-fast-v0"),
    Peer("CartPole", "gymnasium", "CartPole-v1"),
    Peer("CartPole", "gymnasium", "CartPole-v1", VECTOR),
)


def measure_peers(seconds: float) -> Iterator[PeerRow]:
    """Measure our `default`, scalar and vector, then every installed peer, resets included."""
    ours = Case("mec_moe/Offloading-v0", "default", OFFLOADING_PRESETS["default"])
    yield PeerRow(ours.name, 1, 1e9 * scalar_seconds(ours, seconds))
    steps = round_steps(ours.episode_steps)
    times = vector_rounds(ours, VECTOR, (1,), seconds, steps)
    yield PeerRow(ours.name, VECTOR, 1e9 * float(np.median(times[:, 1])))
    for peer in PEERS:
        if importlib.util.find_spec(peer.package) is not None:
            step = _scalar(peer, seconds) if peer.num_envs == 1 else _vector(peer, seconds)
            yield PeerRow(peer.name, peer.num_envs, 1e9 * step)


def _scalar(peer: Peer, seconds: float) -> float:
    importlib.import_module(peer.package)
    env: gym.Env[Any, Any] = gym.make(peer.id)
    env.reset(seed=0)
    actions = sample_actions(env.action_space)

    def play() -> None:
        for step in range(ROUND):
            *_, terminated, truncated, _ = env.step(actions[step % len(actions)])
            if terminated or truncated:
                env.reset()

    play()
    return per_call(play, seconds) / ROUND


def _vector(peer: Peer, seconds: float) -> float:
    env: Any = gym.make_vec(peer.id, peer.num_envs, vectorization_mode="vector_entry_point")
    env.reset(seed=0)
    actions = sample_actions(env.action_space)

    def play() -> None:
        for step in range(ROUND):
            env.step(actions[step % len(actions)])

    play()
    return per_call(play, seconds) / (ROUND * peer.num_envs)
