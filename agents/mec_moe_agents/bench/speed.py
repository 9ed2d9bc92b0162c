"""Time of a step: of every preset, of other packages, and as servers and subcarriers grow."""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import math
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from mec_moe_agents.bench.case import (
    Case,
    bytes_per_env,
    per_call,
    player,
    reserved_bytes,
    round_steps,
    step_seconds,
)
from mec_moe_agents.bench.floor import measure_floor
from mec_moe_agents.bench.stages import ROUNDS, stage_shares
from mec_moe_env import OFFLOADING_PRESETS, OffloadingConfig

SIZES = (1, 64, 1024, 4096)
MEMORY_LIMIT = 2 << 30
TIME_LIMIT = 4.0
"""Seconds that a round on all numbers of threads may take."""
FLOOR_SECONDS = 0.01
MANY = 1024
"""Up to so many sub-environments the stages are timed, and peers are compared."""
PEER_STEPS = 50
GROWTH = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
OTHER = 16
"""Servers while subcarriers grow, and the other way round."""
CHANNELS = {"memoryless": math.inf, "fading": OFFLOADING_PRESETS["default"].doppler_hz}
"""Doppler frequency of each: a fading channel remembers its links, a memoryless one nothing."""
HORIZON = 200
"""Slots of an episode. A round is one, and the step that begins the next: in each, the channel of
a node begins with its first task, which costs more than to go on with it."""


@dataclass(frozen=True)
class Row:
    """A case in one form; times are of one step of one sub-environment."""

    case: str
    form: str
    """`scalar` or `vector`."""
    num_envs: int
    num_threads: int
    bytes_per_env: int
    floor_ns: float
    floor_drawing_ns: float
    step_ns: float | None = None
    steps_per_second: float | None = None
    ratio: float | None = None
    """Time of a step over its floor; None where nothing is drawn, which is no reference."""
    gain: float | None = None
    """How much faster than on the first number of threads."""
    stages: dict[str, float] | None = None
    """Share of each stage; of vector environments on one thread, up to `MANY`."""
    skipped: str | None = None
    """What it would have taken, where that is out of reach."""


def measure_case(
    case: Case, sizes: Sequence[int], threads: Sequence[int], seconds: float
) -> Iterator[Row]:
    """Measure the scalar environment and vectors of every size on every number of threads.

    Vectors that would take too much memory, or whose round would take too long, are skipped.
    """
    floor, size = measure_floor(case.config, seconds), bytes_per_env(case)
    row = partial(
        Row,
        case=case.name,
        bytes_per_env=size,
        floor_ns=1e9 * floor.total,
        floor_drawing_ns=1e9 * floor.drawing,
    )
    figures = partial(_figures, drawn=floor.drawing > 0.0)
    step = step_seconds(case.scalar(), round_steps(case.episode_steps), seconds)
    times = np.array([[floor.total, step]])
    yield row(form="scalar", num_envs=1, num_threads=1, **figures(times, 1))
    for num_envs in sorted(sizes):
        counts = threads if num_envs > 1 else (1,)
        vector = partial(row, form="vector", num_envs=num_envs)
        together = num_envs * len(counts)
        # A step of one sub-environment is hardly ever slower among more of them.
        steps = round_steps(case.episode_steps, TIME_LIMIT // (together * step))
        skipped = _out_of_reach(together * size, together * step * steps)
        if skipped is not None:
            yield from (vector(num_threads=count, skipped=skipped) for count in counts)
            continue
        times = vector_rounds(case, num_envs, counts, seconds, steps)
        for column, count in enumerate(counts, start=1):
            shares = None
            if count == 1 and num_envs <= MANY:
                shares = stage_shares(case, num_envs, seconds, steps)
            yield vector(num_threads=count, stages=shares, **figures(times, column))
        step = min(step, float(np.median(times[:, 1:].max(axis=1))))


def vector_rounds(
    case: Case, num_envs: int, threads: Sequence[int], seconds: float, steps: int
) -> NDArray[np.float64]:
    """Measure a step of one of `num_envs` sub-environments, on each number of threads in turn.

    The speed of a shared machine changes from second to second: the floor and all numbers of
    threads are measured in every round, so that ratios within a round mean something.

    Returns:
        Seconds by round, (rounds, 1 + len(threads)): the floor, then a step on so many threads.
    """
    with contextlib.ExitStack() as stack:
        players = []
        for count in threads:
            env = stack.enter_context(contextlib.closing(case.vector(num_envs, count)))
            players.append(player(env, steps))
            env.step(env.action_space.sample())
        rounds: list[list[float]] = []
        end = time.perf_counter() + seconds * len(threads)
        while len(rounds) < ROUNDS or time.perf_counter() < end:
            floor = measure_floor(case.config, FLOOR_SECONDS).total
            taken = [per_call(play, 0.0, least=1) / (steps * num_envs) for play in players]
            rounds.append([floor, *taken])
    return np.array(rounds)


def _figures(times: NDArray[np.float64], column: int, drawn: bool) -> dict[str, Any]:
    """Return medians over the rounds of a column, and of its ratios within them."""
    taken = times[:, column]
    step = float(np.median(taken))
    return {
        "step_ns": 1e9 * step,
        "steps_per_second": 1.0 / step,
        "ratio": float(np.median(taken / times[:, 0])) if drawn else None,
        "gain": float(np.median(times[:, 1] / taken)) if column > 1 else None,
    }


def _out_of_reach(memory: int, time: float) -> str | None:
    if memory > MEMORY_LIMIT:
        return f"{memory / 2**30:.1f} GiB"
    return f"{time:.0f} s" if time > TIME_LIMIT else None


class Peer(NamedTuple):
    """An environment of another package."""

    name: str
    package: str
    id: str
    num_envs: int = 1


PEERS = (
    Peer("mobile-env small", "mobile_env", "mobile-small-central-v0"),
    Peer("mobile-env medium", "mobile_env", "mobile-medium-central-v0"),
    Peer("mobile-env large", "mobile_env", "mobile-large-central-v0"),
    Peer("highway-fast", "highway_env", "highway-fast-v0"),
    Peer("CartPole", "gymnasium", "CartPole-v1"),
    Peer("CartPole", "gymnasium", "CartPole-v1", MANY),
)
"""What people would otherwise use; measured as far as it is installed."""


@dataclass(frozen=True)
class PeerRow:
    """What was measured: time of one step of one environment."""

    name: str
    num_envs: int
    step_ns: float
    steps_per_second: float


def measure_peers(seconds: float) -> Iterator[PeerRow]:
    """Measure our `default`, scalar and vector, then every installed peer, resets included."""
    ours = Case("default", OFFLOADING_PRESETS["default"])
    steps = round_steps(ours.episode_steps)
    for num_envs, env in ((1, ours.scalar()), (MANY, ours.vector(MANY))):
        yield _peer_row(ours.name, num_envs, step_seconds(env, steps, seconds))
    for peer in PEERS:
        if importlib.util.find_spec(peer.package) is None:
            continue
        importlib.import_module(peer.package)
        theirs: Any = gym.make(peer.id)
        if peer.num_envs > 1:
            theirs = gym.make_vec(peer.id, peer.num_envs, vectorization_mode="vector_entry_point")
        yield _peer_row(peer.name, peer.num_envs, step_seconds(theirs, PEER_STEPS, seconds))


def _peer_row(name: str, num_envs: int, step: float) -> PeerRow:
    return PeerRow(name, num_envs, step_ns=1e9 * step, steps_per_second=1.0 / step)


@dataclass(frozen=True)
class ScaleRow:
    """One environment of one size."""

    grows: str
    """`servers` or `subcarriers`."""
    channel: str
    """One of `CHANNELS`."""
    num_servers: int
    num_subcarriers: int
    step_us: float
    ns_each: float
    """Time of a step over the number of what grows."""
    ns_per_link: float
    """Time of a step over M·S."""
    reset_ms: float
    reserved_mb: float
    """What the environment asks for."""
    resident_mb: float | None
    """What the process has grown by after an episode, None where it is not known."""
    resident_kb_each: float | None
    """The same over the number of what grows."""


def measure_scale(seconds: float, sizes: Sequence[int] = GROWTH) -> Iterator[ScaleRow]:
    """Let the servers grow, then the subcarriers, over both channels."""
    for channel in CHANNELS:
        for size in sizes:
            yield _measure_size("servers", channel, size, (size, OTHER), seconds)
        for size in sizes:
            yield _measure_size("subcarriers", channel, size, (OTHER, size), seconds)


def _measure_size(
    grows: str, channel: str, size: int, links: tuple[int, int], seconds: float
) -> ScaleRow:
    """Measure M servers and S subcarriers, `links`, of which one is the growing `size`."""
    M, S = links
    config = OffloadingConfig(
        num_servers=M, num_subcarriers=S, doppler_hz=CHANNELS[channel], horizon=HORIZON
    )
    case = Case(grows, config)
    gc.collect()
    before = resident_bytes()
    env = case.vector(1)
    play = player(env, HORIZON + 1)
    play()
    after = resident_bytes()
    grown = None if before is None or after is None else max(after - before, 0)
    step = per_call(play, seconds, least=2) / (HORIZON + 1)
    return ScaleRow(
        grows=grows,
        channel=channel,
        num_servers=M,
        num_subcarriers=S,
        step_us=1e6 * step,
        ns_each=1e9 * step / size,
        ns_per_link=1e9 * step / (M * S),
        reset_ms=1e3 * per_call(env.reset, 0.0, least=2),
        reserved_mb=reserved_bytes(case, 1) / 1e6,
        resident_mb=None if grown is None else grown / 1e6,
        resident_kb_each=None if grown is None else grown / 1e3 / size,
    )


def resident_bytes() -> int | None:
    """Return the memory that this process has touched, None where the system does not tell."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
