"""How fast other packages are in the same run, and how one environment grows with M and S.

    python benchmarks/peers_and_growth.py [--peers] [--growth] [--seconds 0.5]

Peers are measured as far as they are installed (`pip install -e '.[bench]'`). Both parts if none is
named.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import importlib.util
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
from mec_moe_agents.bench.case import (
    Case,
    per_call,
    player,
    reserved_bytes,
    round_steps,
    step_seconds,
)
from mec_moe_agents.cli.bench import bench_table, or_blank
from rich.console import Console

from mec_moe_env import OFFLOADING_PRESETS, OffloadingConfig

MANY = 1024
"""Sub-environments that peers are compared with."""
PEER_STEPS = 50
GROWTH = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
OTHER = 16
"""Servers while subcarriers grow, and the other way round."""
CHANNELS = {"memoryless": math.inf, "fading": OFFLOADING_PRESETS["default"].doppler_hz}
"""Doppler frequency of each: a fading channel remembers its links, a memoryless one nothing."""
HORIZON = 200
"""Slots of an episode. A round is one, and the step that begins the next: in each, the channel of
a node begins with its first task, which costs more than to go on with it."""


SCALE = {
    "num_servers": ",",
    "num_subcarriers": ",",
    "step_us": ",.1f",
    "ns_each": ",.0f",
    "ns_per_link": ",.1f",
    "reset_ms": ",.2f",
    "reserved_mb": ",.2f",
    "resident_mb": ",.1f",
    "resident_kb_each": ",.1f",
}
"""Columns of the table of growth, and how their numbers are written."""


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
    steps = round_steps(ours.config.steps)
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


def print_peers(console: Console, rows: Sequence[PeerRow]) -> None:
    ours, peers = rows[:2], rows[2:]
    table = bench_table(
        "Environment", "Copies", "Steps/s", "Ours scalar", f"Ours ×{ours[1].num_envs:,}"
    )
    for row in rows:
        ratios = [f"{row.step_ns / own.step_ns:,.2f} ×" if row in peers else "" for own in ours]
        table.add_row(row.name, f"{row.num_envs:,}", f"{row.steps_per_second:,.0f}", *ratios)
    console.print(table)


def print_scale(console: Console, rows: Sequence[ScaleRow]) -> None:
    for (grows, channel), group in groupby(rows, key=lambda row: (row.grows, row.channel)):
        console.print(f"\n[bold]{grows.capitalize()} grow[/bold], {channel} channel")
        one = "M" if grows == "servers" else "S"
        table = bench_table(
            "M", "S", "µs/step", f"ns/{one}", "ns/link", "reset ms", "MB", "touched", f"kB/{one}"
        )
        for row in group:
            table.add_row(*(or_blank(getattr(row, name), SCALE[name]) for name in SCALE))
        console.print(table)
    console.print(
        "One environment of M servers and S subcarriers; a step draws M·S links. MB asked"
    )
    console.print("for, MB touched (what the process grew by), and the latter in kB over M or S.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", action="store_true", help="other packages")
    parser.add_argument("--growth", action="store_true", help="servers and subcarriers grow")
    parser.add_argument("--seconds", type=float, default=0.5, help="of each measurement")
    options = parser.parse_args()
    both = not (options.peers or options.growth)
    console = Console(highlight=False)
    if options.peers or both:
        print_peers(console, list(measure_peers(options.seconds)))
    if options.growth or both:
        print_scale(console, list(measure_scale(options.seconds)))


if __name__ == "__main__":
    main()
