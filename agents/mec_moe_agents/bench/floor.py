"""The least time that a step can take: its random numbers and its observation.

Random numbers are drawn in the fastest way that is ready-made, a NumPy Generator inside a compiled
loop, and summed; the observation is copied from a block that lies ready. A step also has to turn
the numbers into channels and tasks, train a model and keep the books. The environments' own
counting streams (`mec_moe_env.streams`) are faster than a Generator: what they take is measured
beside it, and a step can go below the floor.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from mec_moe_env.streams import Streams, next_uniform, write_exponentials, write_normals
from numpy.typing import NDArray

from mec_moe_agents.bench.timing import per_call
from mec_moe_env import DMoEConfig, OffloadingConfig
from mec_moe_env.core.kernels import compiled

NUMBERS = 100_000
"""Random numbers, at least, in one measurement."""
COUNTED = 1024
"""Numbers that counting streams draw at once, about as many as a row of a channel takes."""
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
    """By a NumPy Generator."""
    writing: float
    counting: float
    """The same numbers drawn by counting streams, as the environments do."""

    @property
    def total(self) -> float:
        """Sum of the two parts."""
        return self.drawing + self.writing


def measure_floor(config: OffloadingConfig | DMoEConfig, seconds: float) -> Floor:
    """Return the floor of a scenario."""
    draws, entries = step_draws(config), observation_size(config)
    each = seconds / 3
    return Floor(
        drawing=_drawing_seconds(draws, each),
        writing=_writing_seconds(entries, each),
        counting=_counting_seconds(draws, each),
    )


def observation_size(config: OffloadingConfig | DMoEConfig) -> int:
    """Return the number of entries of an observation."""
    return sum(math.prod(shape) for shape in config.observation_shapes.values())


def floor_seconds(config: OffloadingConfig | DMoEConfig, seconds: float) -> float:
    """Return the two unavoidable parts of a step together, as fast as this moment allows."""
    drawing = _drawing_seconds(step_draws(config), seconds / 2)
    return drawing + _writing_seconds(observation_size(config), seconds / 2)


def step_draws(config: OffloadingConfig | DMoEConfig) -> Draws:
    """Count what a step of a scenario draws."""
    if isinstance(config, OffloadingConfig):
        return offloading_draws(config)
    return dmoe_draws(config)


def offloading_draws(config: OffloadingConfig) -> Draws:
    """Count what a slot draws."""
    if config.tasks == "toy":
        return Draws()
    U, M, d, k = config.num_tasks, config.num_servers, config.feature_dim, config.samples_per_task
    rows = M * (1.0 - (1.0 - 1.0 / M) ** U)  # tasks of one origin share a row of the channel
    memoryless = math.isinf(config.doppler_hz) and config.rician_factor == 0.0
    coefficients = rows * M * config.num_subcarriers
    synthetic = config.tasks == "synthetic"
    truths = 2 * config.num_types * d if synthetic else 0
    return Draws(
        normals=(0.0 if memoryless else 2.0 * coefficients)
        + (U * d * (k - 1) if synthetic else 0)
        + truths / config.horizon,
        exponentials=coefficients if memoryless else 0.0,
        # Persistence, type, origin and payload of a task; strength and jitter, or images.
        uniforms=U * (4 + (1 + d if synthetic else k))
        + (M if config.failure_rate > 0.0 else 0)
        + (4 * M + 2) / config.horizon,
    )


def dmoe_draws(config: DMoEConfig) -> Draws:
    """Count what a layer draws."""
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


@compiled
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


@compiled
def write(source: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """Copy entries."""
    for index in range(out.shape[0]):
        out[index] = source[index]


def _drawing_seconds(draws: Draws, seconds: float) -> float:
    if sum(draws) == 0.0:
        return 0.0
    rng = np.random.default_rng(0)
    repeat = max(1.0, NUMBERS / sum(draws))
    counts = [round(repeat * count) for count in draws]
    draw(rng, 1, 1, 1)
    return per_call(lambda: draw(rng, *counts), seconds) / repeat


@compiled
def count_uniforms(streams: Streams, uniforms: int) -> float:
    """Draw so many uniforms from a counting stream and return their sum."""
    total = 0.0
    for _ in range(uniforms):
        total += next_uniform(streams, 0)
    return total


def _counting_seconds(draws: Draws, seconds: float) -> float:
    streams = np.ones(1, np.uint64)
    numbers, scratch = np.empty(COUNTED, np.float32), np.empty(COUNTED, np.float32)
    work: tuple[Callable[[], object], ...] = (
        lambda: write_normals(streams, 0, scratch, numbers),
        lambda: write_exponentials(streams, 0, scratch, numbers),
        lambda: count_uniforms(streams, COUNTED),
    )
    total = 0.0
    for count, draw_many in zip(draws, work, strict=True):
        if count > 0.0:
            draw_many()
            total += per_call(draw_many, seconds / len(work)) * count / COUNTED
    return total


def _writing_seconds(entries: int, seconds: float) -> float:
    source = np.ones(max(COPIED, entries), np.float32)
    out = np.empty_like(source)
    write(source, out)
    return per_call(lambda: write(source, out), seconds) * entries / len(source)
