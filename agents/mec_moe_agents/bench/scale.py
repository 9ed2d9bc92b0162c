"""How time and memory grow with servers and subcarriers."""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mec_moe_agents.bench.case import Case, sample_actions
from mec_moe_agents.bench.memory import reserved_bytes, resident_bytes
from mec_moe_agents.bench.timing import per_call
from mec_moe_env import OFFLOADING_PRESETS, OffloadingConfig

SIZES = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
OTHER = 16
"""Servers while subcarriers grow, and the other way round."""
CHANNELS = {"memoryless": math.inf, "fading": OFFLOADING_PRESETS["default"].doppler_hz}
"""Doppler frequency of each: a fading channel remembers its links, a memoryless one nothing."""
HORIZON = 200
"""Slots of an episode. A round is one, and the step that begins the next: in each, the channel of
a node begins with its first task, which costs more than to go on with it."""


@dataclass(frozen=True)
class ScaleRow:
    """One size; one environment."""

    grows: str
    """`servers` or `subcarriers`."""
    channel: str
    """One of `CHANNELS`."""
    num_servers: int
    num_subcarriers: int
    step_us: float
    reset_ms: float
    reserved_mb: float
    """What the environment asks for."""
    resident_mb: float | None
    """What the process has grown by after an episode, None where it is not known."""

    @property
    def size(self) -> int:
        """Of what grows."""
        return self.num_servers if self.grows == "servers" else self.num_subcarriers

    @property
    def ns_each(self) -> float:
        """Time of a step over the number of what grows."""
        return 1e3 * self.step_us / self.size

    @property
    def ns_per_link(self) -> float:
        """Time of a step over M·S."""
        return 1e3 * self.step_us / (self.num_servers * self.num_subcarriers)

    @property
    def resident_kb_each(self) -> float | None:
        """Memory touched over the number of what grows."""
        return None if self.resident_mb is None else 1e3 * self.resident_mb / self.size


def measure_scale(seconds: float, sizes: Sequence[int] = SIZES) -> Iterator[ScaleRow]:
    """Let the servers grow, then the subcarriers, over both channels."""
    for channel in CHANNELS:
        for size in sizes:
            yield _measure("servers", channel, size, OTHER, seconds)
        for size in sizes:
            yield _measure("subcarriers", channel, OTHER, size, seconds)


def _measure(
    grows: str, channel: str, num_servers: int, num_subcarriers: int, seconds: float
) -> ScaleRow:
    config = OffloadingConfig(
        num_servers=num_servers,
        num_subcarriers=num_subcarriers,
        doppler_hz=CHANNELS[channel],
        horizon=HORIZON,
    )
    case = Case("mec_moe/Offloading-v0", grows, config)
    gc.collect()
    before = resident_bytes()
    env: Any = case.vector(1)
    env.reset(seed=0)
    actions = sample_actions(env.action_space)

    def play() -> None:
        for step in range(HORIZON + 1):
            env.step(actions[step % len(actions)])

    play()
    after = resident_bytes()
    step = per_call(play, seconds, least=2) / (HORIZON + 1)
    reset_ms = 1e3 * per_call(env.reset, 0.0, least=2)
    return ScaleRow(
        grows=grows,
        channel=channel,
        num_servers=num_servers,
        num_subcarriers=num_subcarriers,
        step_us=1e6 * step,
        reset_ms=reset_ms,
        reserved_mb=reserved_bytes(case, 1) / 1e6,
        resident_mb=None if before is None or after is None else max(after - before, 0) / 1e6,
    )
