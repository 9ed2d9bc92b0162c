"""The least time that a step can take: its random numbers and its observation.

Random numbers are drawn in the fastest way that is ready-made, a NumPy Generator inside a compiled
loop, and summed; the observation is copied from memory that lies ready. A step also has to turn
the numbers into channels and tasks, train a model and keep the books, but the environments' own
counting streams (`mec_moe_env.core.rng`) are faster than a Generator, so that it can go below.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mec_moe_agents.bench.case import per_call
from mec_moe_env import DMoEConfig, OffloadingConfig
from mec_moe_env.core.kernels import kernel

NUMBERS = 100_000
"""Random numbers, at least, in one measurement."""
COPIED = 1 << 16
"""Entries copied in one measurement; they stay in the second-level cache."""


class Draws(NamedTuple):
    """Random numbers of one step; what an episode draws at its start is spread over its steps."""

    normals: float = 0.0
    exponentials: float = 0.0
    uniforms: float = 0.0


class Floor(NamedTuple):
    """Seconds of a step's two unavoidable parts."""

    drawing: float
    writing: float

    @property
    def total(self) -> float:
        """Sum of the two parts."""
        return self.drawing + self.writing


def measure_floor(config: OffloadingConfig | DMoEConfig, seconds: float) -> Floor:
    """Return the floor of a scenario, measured for so many seconds."""
    entries = sum(map(math.prod, config.observation_shapes.values()))
    return Floor(
        _drawing_seconds(step_draws(config), seconds / 2), _writing_seconds(entries, seconds / 2)
    )


def step_draws(config: OffloadingConfig | DMoEConfig) -> Draws:
    """Count what a slot or a layer draws."""
    return (
        _offloading_draws(config) if isinstance(config, OffloadingConfig) else _dmoe_draws(config)
    )


def _offloading_draws(config: OffloadingConfig) -> Draws:
    if config.tasks == "toy":
        return Draws()
    U, M, d, k = config.num_tasks, config.num_servers, config.feature_dim, config.samples_per_task
    rows = M * (1.0 - (1.0 - 1.0 / M) ** U)  # tasks of one origin share a row of the channel
    memoryless = math.isinf(config.doppler_hz) and config.rician_factor == 0.0
    coefficients = rows * M * config.num_subcarriers
    synthetic, r = config.tasks == "synthetic", config.rank
    truths = 2 * config.num_types * r if synthetic else 0
    return Draws(
        normals=(0.0 if memoryless else 2.0 * coefficients)
        + (U * (r * (k - 1) + d - r) if synthetic else 0)
        + truths / config.horizon,
        exponentials=coefficients if memoryless else 0.0,
        # Persistence, type, origin and payload of a task; strength, jitter and place, or images.
        uniforms=U * (4 + (1 + r + (r < d) if synthetic else k))
        + (M if config.failure_rate > 0.0 else 0)
        + (4 * M + 2) / config.horizon,
    )


def _dmoe_draws(config: DMoEConfig) -> Draws:
    if config.gates == "toy":
        return Draws()
    I, Q, K = config.sources, config.tokens_per_source, config.num_nodes
    memoryless = math.isinf(config.doppler_hz) and config.rician_factor == 0.0
    coefficients = I * K * config.num_subcarriers * (2 if config.count_backward else 1)
    return Draws(
        normals=(0.0 if memoryless else 2.0 * coefficients)
        + (I * Q * K if config.gates == "random" else 0),
        exponentials=coefficients if memoryless else 0.0,
        uniforms=(K if config.failure_rate > 0.0 else 0) + (4 * K + 2) / config.num_layers,
    )


@kernel
def draw(rng: np.random.Generator, normals: int, exponentials: int, uniforms: int) -> float:
    """Draw so many numbers and return their sum, so that nothing is optimised away."""
    total = 0.0
    for _ in range(normals):
        total += rng.standard_normal()
    for _ in range(exponentials):
        total += rng.standard_exponential()
    for _ in range(uniforms):
        total += rng.random()
    return total


def _drawing_seconds(draws: Draws, seconds: float) -> float:
    if sum(draws) == 0.0:
        return 0.0
    rng = np.random.default_rng(0)
    repeat = max(1.0, NUMBERS / sum(draws))
    counts = [round(repeat * count) for count in draws]
    draw(rng, 1, 1, 1)
    return per_call(lambda: draw(rng, *counts), seconds) / repeat


def _writing_seconds(entries: int, seconds: float) -> float:
    source = np.ones(max(COPIED, entries), np.float32)
    out = source.copy()
    return per_call(lambda: np.copyto(out, source), seconds) * entries / len(source)
