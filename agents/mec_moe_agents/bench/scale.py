"""How time and memory grow with servers and subcarriers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mec_moe_agents.bench.case import Case, sample_actions
from mec_moe_agents.bench.memory import bytes_per_env
from mec_moe_agents.bench.timing import per_call
from mec_moe_env import OffloadingConfig

SIZES = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
OTHER = 16
"""Servers while subcarriers grow, and the other way round."""
ENDLESS = 1 << 40
"""A horizon that no measurement reaches: resets are timed apart."""


@dataclass(frozen=True)
class ScaleRow:
    """One size; one environment with a memoryless channel."""

    grows: str
    """`servers` or `subcarriers`."""
    num_servers: int
    num_subcarriers: int
    step_us: float
    reset_ms: float
    megabytes: float

    @property
    def ns_per_server(self) -> float:
        """Time of a step over M."""
        return 1e3 * self.step_us / self.num_servers

    @property
    def ns_per_subcarrier(self) -> float:
        """Time of a step over S."""
        return 1e3 * self.step_us / self.num_subcarriers

    @property
    def ns_per_link(self) -> float:
        """Time of a step over M·S."""
        return self.ns_per_server / self.num_subcarriers


def measure_scale(seconds: float, sizes: Sequence[int] = SIZES) -> Iterator[ScaleRow]:
    """Let the servers grow, then the subcarriers."""
    for size in sizes:
        yield _measure("servers", size, OTHER, seconds)
    for size in sizes:
        yield _measure("subcarriers", OTHER, size, seconds)


def _measure(grows: str, num_servers: int, num_subcarriers: int, seconds: float) -> ScaleRow:
    config = OffloadingConfig(
        num_servers=num_servers,
        num_subcarriers=num_subcarriers,
        doppler_hz=math.inf,
        horizon=ENDLESS,
    )
    case = Case("mec_moe/Offloading-v0", grows, config)
    env: Any = case.vector(1)
    env.reset(seed=0)
    actions = sample_actions(env.action_space)

    # At least twice a block, so that the time of drawing one is spread over its steps.
    steps = 128

    def play() -> None:
        for step in range(steps):
            env.step(actions[step % len(actions)])

    play()
    step = per_call(play, seconds, least=2) / steps
    return ScaleRow(
        grows=grows,
        num_servers=num_servers,
        num_subcarriers=num_subcarriers,
        step_us=1e6 * step,
        reset_ms=1e3 * per_call(env.reset, 0.0, least=2),
        megabytes=bytes_per_env(case) / 1e6,
    )
