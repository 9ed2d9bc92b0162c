"""The exogenous process of DMoE: channel, availability and gate scores, slot by slot, compiled."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mec_moe_env.core.buffers import Flags, Floats, Integers, Singles
from mec_moe_env.core.kernels import device
from mec_moe_env.core.rng import (
    GATES,
    SITES,
    NormalScratch,
    Streams,
    draw_normals,
    next_uniform,
    next_word,
    scratch_for,
)
from mec_moe_env.dmoe.config import DMoEConfig
from mec_moe_env.dmoe.state import Exogenous
from mec_moe_env.radio.channel import Channel, draw_links, make_channel, works_next
from mec_moe_env.radio.geometry import draw_positions, write_mean_snr
from mec_moe_env.worlds.world import (
    Size,
    World,
    first_row,
    make_world,
    place_nodes,
    write_recorded,
)


class Process(NamedTuple):
    """What slots are drawn from, and what an episode remembers of those before."""

    channel: Channel
    joules: tuple[float, float]
    """Lowest and highest per token, over the nodes."""
    positions: Floats
    """(n, K, 2), metres."""
    mean_snr: Floats
    """From every source to every node, (n, I, K), linear."""
    forward: Singles
    """Scattered coefficients of the links, real and imaginary, (n, I, 2, K, S); S = 0 when
    memoryless."""
    backward: Singles
    """Likewise of the links back; S = 0 also when they are not counted."""
    fresh: Flags
    """Whether the coefficients are to be drawn anew, (n,)."""
    row: Integers
    """Of a recorded channel, for the next slot, (n,)."""
    world: World | None
    """What is recorded; None where all is drawn, and what needs it is not compiled."""


class Workspace(NamedTuple):
    """Room for a thread to work in."""

    noise: Singles
    """(2·K·S,)."""
    gates: NormalScratch
    """For an episode's scores."""
    selected: Flags
    """The experts that each token ends up with, (I·Q, K)."""
    taken: Flags
    """(S,)."""
    best: Integers
    """The available experts that are most relevant to each token, (I·Q, min(D, K))."""
    missing: Floats
    """m_q, the share of the reachable threshold that each token misses, (I·Q,)."""
    joules: Floats
    """Of one of a source's tokens at each node, (K,)."""
    efficiencies: Floats
    """Of one link's subcarriers, (S,)."""


def make_process(config: DMoEConfig, num_envs: int) -> Process:
    """Collect what the slots of `num_envs` sub-environments are drawn from."""
    n, I, K, S = num_envs, config.sources, config.num_nodes, config.num_subcarriers
    channel = make_channel(config, config.failure_rate, config.repair_rate)
    low, high = map(float, config.compute_joules)
    kept = 0 if channel.memoryless else S
    back = kept if config.count_backward else 0
    return Process(
        channel=channel,
        joules=(low, high),
        positions=np.empty((n, K, 2)),
        mean_snr=np.empty((n, I, K)),
        forward=np.zeros((n, I, 2, K, kept), np.float32),
        backward=np.zeros((n, I, 2, K, back), np.float32),
        fresh=np.empty(n, np.bool_),
        row=np.zeros(n, np.int64),
        world=make_world(config, Size(I, K, "num_nodes", S, config.num_layers + config.csi_delay)),
    )


def make_workspace(config: DMoEConfig) -> Workspace:
    """Allocate one thread's room."""
    drawn = config.gates == "random"
    scores = math.prod(config.observation_shapes["gate"]) * config.num_layers if drawn else 0
    K, S = config.num_nodes, config.num_subcarriers
    tokens = config.sources * config.tokens_per_source
    return Workspace(
        noise=np.empty(2 * K * S, np.float32),
        gates=scratch_for(scores),
        selected=np.empty((tokens, K), np.bool_),
        taken=np.empty(S, np.bool_),
        best=np.empty((tokens, min(config.max_experts, K)), np.int64),
        missing=np.empty(tokens),
        joules=np.empty(K),
        efficiencies=np.empty(S),
    )


@device
def begin_episode(process: Process, exogenous: Exogenous, streams: Streams, i: int) -> None:
    """Begin an episode of sub-environment i: nodes, mean SNRs, joules and availability.

    The chain of failures starts in its stationary state.
    """
    channel, positions = process.channel, process.positions[i]
    process.fresh[i] = True
    begin_record(process.world, process, streams, i)
    draw_positions(streams, channel.area_m, positions)
    place_nodes(process.world, positions)
    key = next_word(streams, SITES)
    for source in range(process.mean_snr.shape[1]):
        write_mean_snr(
            key,
            channel.reference_snr,
            channel.path_loss_exponent,
            channel.shadowing_db,
            positions,
            source,
            process.mean_snr[i, source],
        )
    failed = channel.failure_rate / (channel.failure_rate + channel.repair_rate)
    low, high = process.joules
    for j in range(exogenous.nodes.shape[1]):
        node = exogenous.nodes[i, j]
        node["joules"] = low + (high - low) * next_uniform(streams, SITES)
        node["works_next"] = next_uniform(streams, SITES) >= failed


@device
def draw_gates(spread: float, streams: Streams, scratch: NormalScratch, gates: Floats) -> None:
    """Write softmax(spread · N(0, 1)) over the last axis of (L, I, Q, K) (our extension)."""
    K = gates.shape[3]
    rows = gates.reshape((gates.size // K, K))
    draw_normals(streams, GATES, scratch, gates.size)
    for row in range(rows.shape[0]):
        largest, total = -np.inf, 0.0
        for j in range(K):
            largest = max(largest, scratch.normals[row * K + j])
        for j in range(K):
            rows[row, j] = math.exp(spread * (scratch.normals[row * K + j] - largest))
            total += rows[row, j]
        for j in range(K):
            rows[row, j] /= total


@device
def begin_record(world: World | None, process: Process, streams: Streams, i: int) -> None:
    """Set sub-environment i to the row of its record at which its episode begins."""
    if world is not None:
        process.row[i] = first_row(world, streams)


@device
def draw_slot(
    process: Process, exogenous: Exogenous, streams: Streams, noise: Singles, i: int
) -> None:
    """Replace the oldest slot that sub-environment i keeps by the next one."""
    now = (exogenous.now[i] + 1) % exogenous.spectral_efficiency.shape[1]
    exogenous.now[i] = now
    decay = 0.0 if process.fresh[i] else process.channel.correlation
    process.fresh[i] = False
    if not copy_links(process.world, process, exogenous, i, now):
        draw_all_links(process, exogenous, streams, noise, i, now, decay)
    process.row[i] += 1
    for j in range(exogenous.nodes.shape[1]):
        node = exogenous.nodes[i, j]
        node["available"] = node["works_next"]
        node["works_next"] = works_next(streams, process.channel, node["works_next"])


@device
def copy_links(
    world: World | None, process: Process, exogenous: Exogenous, i: int, now: int
) -> bool:
    """Write the recorded spectral efficiencies of a slot, the same both ways; tell if there are."""
    copied = False
    if world is not None:
        in_situ = process.channel.highest_efficiency
        for source in range(exogenous.spectral_efficiency.shape[2]):
            there = exogenous.spectral_efficiency[i, now, source]
            copied = write_recorded(world, process.row[i], source, in_situ, there)
            back = exogenous.return_efficiency[i, source]
            for j in range(back.shape[0]):
                for s in range(back.shape[1]):
                    back[j, s] = there[j, s]
    return copied


@device
def draw_all_links(
    process: Process,
    exogenous: Exogenous,
    streams: Streams,
    noise: Singles,
    i: int,
    now: int,
    decay: float,
) -> None:
    """Draw the spectral efficiencies of all links in a slot, and back if that counts."""
    channel = process.channel
    for source in range(exogenous.spectral_efficiency.shape[2]):
        mean_snr = process.mean_snr[i, source]
        there = exogenous.spectral_efficiency[i, now, source]
        coefficients = process.forward[i, source]
        draw_links(streams, channel, decay, source, mean_snr, coefficients, noise, there)
        if exogenous.return_efficiency.shape[3] > 0:
            back = exogenous.return_efficiency[i, source]
            coefficients = process.backward[i, source]
            draw_links(streams, channel, decay, source, mean_snr, coefficients, noise, back)
