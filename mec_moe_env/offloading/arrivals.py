"""The exogenous process of offloading: arrivals, channel and failures, slot by slot, compiled.

Nothing here can see an action, so agents with the same seed meet the same tasks and the same
channel by construction. Every sub-environment has its own streams of random numbers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mec_moe_env.core.buffers import Floats, Integers, Records, Singles
from mec_moe_env.core.kernels import device, lean_kernel
from mec_moe_env.core.rng import (
    RADIO,
    SITES,
    TYPES,
    NormalScratch,
    Streams,
    next_uniform,
    next_word,
)
from mec_moe_env.offloading.config import OffloadingConfig
from mec_moe_env.offloading.state import NOBODY, Exogenous
from mec_moe_env.perceptron import (
    count_parameters,
    make_network,
    make_network_scratch,
)
from mec_moe_env.radio.channel import Channel, draw_links, make_channel, works_next
from mec_moe_env.radio.geometry import draw_positions, write_mean_snr
from mec_moe_env.tasks.images import ImageTables, draw_image_task
from mec_moe_env.tasks.synthetic import (
    SyntheticTables,
    draw_synthetic_task,
    draw_truths,
    synthetic_scratch,
)
from mec_moe_env.worlds.arrivals import Limits
from mec_moe_env.worlds.world import (
    Size,
    World,
    arrival,
    first_row,
    make_world,
    place_nodes,
    write_recorded,
)

MEMORY = np.dtype(
    [
        ("slot", np.int64),  # the next slot to be drawn
        ("link_rows", np.int64),  # how many rows of links are in use
        ("last_type", np.int64),  # of the task drawn last, −1 for none
        ("shadowing_key", np.uint64),
        ("row", np.int64),  # of recorded channels and arrivals, for the next slot to be drawn
    ],
    align=True,
)


class Process(NamedTuple):
    """What slots are drawn from, and what an episode remembers of those before.

    Links are remembered in rows, one for each node that was an origin in this episode, numbered
    in the order of their first tasks: an episode sees few of many nodes, and what it never
    touches costs neither time nor memory. There are R of them, at most M.
    """

    channel: Channel
    joules: tuple[float, float]
    """Lowest and highest per sample, over the servers."""
    seconds: tuple[float, float]
    payload: tuple[float, float]
    """Mbit."""
    persistence: float
    """Probability that a task repeats the type of the one before."""
    cumulative: Floats
    """Cumulative frequencies of the types, (N,), the last one 1."""
    memory: Records
    """`MEMORY`, (n,)."""
    positions: Floats
    """(n, M, 2), metres."""
    mean_snr: Floats
    """(n, R, M), linear."""
    last_drawn: Integers
    """Slot in which a row was last drawn, (n, R)."""
    fading: Singles
    """Scattered coefficients, real and imaginary, (n, R, 2, M, S); S = 0 when memoryless."""
    world: World | None
    """What is recorded; None where all is drawn, and what needs it is not compiled."""


class Given(NamedTuple):
    """The next slot, as Python code has written it."""

    slot: Exogenous
    """Types, constants, features, labels and linear terms of the tasks, and what else is given."""
    whole: bool
    """Whether nodes, origins, payloads and links are given too."""


class Workspace(NamedTuple):
    """Room for a thread to work in."""

    noise: Singles
    """For a row of links, (2·M·S,)."""
    numbers: NormalScratch
    """For an episode's types, or a task."""
    chosen: Integers
    """(k,)."""
    picked: Integers
    """(D,)."""
    training: Floats
    """(2k + 2, k)."""
    trained: Floats
    """A model that is tried out, (P,)."""
    network: Any
    """`NetworkScratch`; None where experts are linear."""


def make_process(config: OffloadingConfig, num_envs: int) -> Process:
    """Collect what the slots of `num_envs` sub-environments are drawn from."""
    n, M, S = num_envs, config.num_servers, config.num_subcarriers
    # An episode draws one slot more than it lives through.
    R = min(M, (config.horizon + 1) * config.num_tasks)
    channel = make_channel(config, config.failure_rate, config.repair_rate)
    frequencies = np.array(config.type_frequencies or (1.0,) * config.num_types)
    low_joules, high_joules = map(float, config.compute_joules)
    low_seconds, high_seconds = map(float, config.compute_seconds)
    low_payload, high_payload = map(float, config.payload_mbit)
    return Process(
        channel=channel,
        joules=(low_joules, high_joules),
        seconds=(low_seconds, high_seconds),
        payload=(low_payload, high_payload),
        persistence=float(config.type_persistence),
        cumulative=np.cumsum(frequencies / frequencies.sum()),
        memory=np.zeros(n, MEMORY),
        positions=np.empty((n, M, 2)),
        mean_snr=np.empty((n, R, M)),
        last_drawn=np.empty((n, R), np.int64),
        fading=np.zeros((n, R, 2, M, 0 if channel.memoryless else S), np.float32),
        world=make_world(config, *_asked_of(config)),
    )


def _asked_of(config: OffloadingConfig) -> tuple[Size, Limits]:
    U, M, T = config.num_tasks, config.num_servers, config.horizon
    largest = float(config.payload_mbit[1])
    size = Size(M, M, "num_servers", config.num_subcarriers, T)
    return size, Limits(U, config.num_types, M, largest, T)


def make_workspace(config: OffloadingConfig) -> Workspace:
    """Allocate one thread's room."""
    d, k, network = config.feature_dim, config.samples_per_task, make_network(config)
    return Workspace(
        noise=np.empty(2 * config.num_servers * config.num_subcarriers, np.float32),
        numbers=synthetic_scratch(config),
        chosen=np.empty(k, np.int64),
        picked=np.empty(config.max_experts, np.int64),
        training=np.empty((2 * k + 2, k)),
        trained=np.empty(d if network is None else count_parameters(network)),
        network=None if network is None else make_network_scratch(network),
    )


@device
def begin_episode(
    process: Process,
    synthetic: SyntheticTables | None,
    given: Given | None,
    exogenous: Exogenous,
    streams: Streams,
    work: Workspace,
    i: int,
) -> None:
    """Begin an episode of sub-environment i: place the nodes, draw speeds and ground truths."""
    memory = process.memory[i]
    memory["slot"] = 0
    memory["link_rows"] = 0
    for m in range(exogenous.nodes.shape[1]):
        exogenous.nodes[i, m]["link_row"] = -1
        exogenous.nodes[i, m]["works_next"] = True
    if given is None:
        memory["last_type"] = -1
    elif given.whole:
        return
    begin_record(process.world, process, streams[i], i)
    draw_sites(process, exogenous, streams[i], i)
    place_nodes(process.world, process.positions[i])
    if synthetic is not None:
        draw_truths(streams[i], synthetic, i, work.numbers)


@device
def draw_sites(process: Process, exogenous: Exogenous, streams: Streams, i: int) -> None:
    """Draw positions, shadowing, and joules and seconds per sample of a new episode."""
    draw_positions(streams, process.channel.area_m, process.positions[i])
    process.memory[i]["shadowing_key"] = next_word(streams, SITES)
    for m in range(exogenous.nodes.shape[1]):
        node = exogenous.nodes[i, m]
        low, high = process.joules
        node["joules"] = low + (high - low) * next_uniform(streams, SITES)
        low, high = process.seconds
        node["seconds"] = low + (high - low) * next_uniform(streams, SITES)


@device
def draw_slot(
    process: Process,
    synthetic: SyntheticTables | None,
    images: ImageTables | None,
    given: Given | None,
    exogenous: Exogenous,
    streams: Streams,
    work: Workspace,
    i: int,
) -> None:
    """Replace the present slot of sub-environment i by the next one."""
    if given is not None:
        copy_slot(given.slot, given.whole, exogenous, i)
        if given.whole:
            return
    else:
        for u in range(exogenous.tasks.shape[1]):
            n = next_type(process.world, process, streams, i, 0, u)
            task = exogenous.tasks[i, u]
            task["type"] = n
            if n == NOBODY:
                clear_task(exogenous, i, u)
                continue
            features, labels = exogenous.features[i, u], exogenous.labels[i, u]
            linear = exogenous.linear[i, u]
            if synthetic is not None:
                task["constant"] = draw_synthetic_task(
                    streams, synthetic, i, n, work.numbers, features, labels, linear
                )
            elif images is not None:
                draw_image_task(streams, images, n, work.chosen, features, labels, linear)
                task["constant"] = images.constant
    draw_radio(process.world, process, exogenous, streams, work.noise, i)


@device
def begin_record(world: World | None, process: Process, streams: Streams, i: int) -> None:
    """Set sub-environment i to the row of its record at which its episode begins."""
    if world is not None:
        process.memory[i]["row"] = first_row(world, streams)


@lean_kernel
def begin_records(process: Process, streams: Streams, indices: Integers) -> None:
    """Do so for some sub-environments, for tasks that Python writes before their episodes begin."""
    for position in range(indices.shape[0]):
        i = indices[position]
        begin_record(process.world, process, streams[i], i)


@device
def next_type(
    world: World | None, process: Process, streams: Streams, i: int, ahead: int, u: int
) -> int:
    """Return the type of task u in the slot that is `ahead` of the next one, drawn or recorded."""
    if world is None or world.arrivals.starts.shape[0] == 0:
        n = draw_type(process, streams, i)
    else:
        task = arrival(world, process.memory[i]["row"] + ahead, u)
        n = world.arrivals.types[task] if task >= 0 else NOBODY
    return n


@device
def clear_task(exogenous: Exogenous, i: int, u: int) -> None:
    """Write that no task arrives at place u."""
    task = exogenous.tasks[i, u]
    task["type"], task["constant"] = NOBODY, 0.0
    samples, features = exogenous.features.shape[2:]
    for f in range(features):
        exogenous.linear[i, u, f] = 0.0
    for sample in range(samples):
        exogenous.labels[i, u, sample] = 0.0
        for f in range(features):
            exogenous.features[i, u, sample, f] = 0.0


@device
def draw_type(process: Process, streams: Streams, i: int) -> int:
    """Return the type of the next task of sub-environment i; two uniforms are drawn.

    Uniform and independent in Li & Duan 2024; frequencies and bursts are our extension.
    """
    repeats = next_uniform(streams, TYPES) < process.persistence
    level = next_uniform(streams, TYPES)
    n: int = process.memory[i]["last_type"]
    if n < 0 or not repeats:
        n = 0
        while n < process.cumulative.shape[0] - 1 and level >= process.cumulative[n]:
            n += 1
    process.memory[i]["last_type"] = n
    return n


@lean_kernel
def draw_types(process: Process, streams: Streams, indices: Integers, types: Integers) -> None:
    """Write the types of the next tasks of some sub-environments, for tasks that Python writes.

    `streams` are by sub-environment and purpose, `types` is (len(indices), slots, U).
    """
    for position in range(indices.shape[0]):
        i = indices[position]
        for b in range(types.shape[1]):
            for u in range(types.shape[2]):
                types[position, b, u] = next_type(process.world, process, streams[i], i, b, u)


@device
def copy_slot(given: Exogenous, whole: bool, exogenous: Exogenous, i: int) -> None:
    """Take the tasks of the next slot, or all of it, from what Python code has written."""
    U, k, d = exogenous.features.shape[1:]
    for u in range(U):
        task, written = exogenous.tasks[i, u], given.tasks[i, u]
        task["type"], task["constant"] = written["type"], written["constant"]
        for f in range(d):
            exogenous.linear[i, u, f] = given.linear[i, u, f]
        for sample in range(k):
            exogenous.labels[i, u, sample] = given.labels[i, u, sample]
            for f in range(d):
                exogenous.features[i, u, sample, f] = given.features[i, u, sample, f]
        if whole:
            task["origin"], task["payload"] = written["origin"], written["payload"]
            for m in range(given.spectral_efficiency.shape[2]):
                for s in range(given.spectral_efficiency.shape[3]):
                    efficiency = given.spectral_efficiency[i, u, m, s]
                    exogenous.spectral_efficiency[i, u, m, s] = efficiency
    for m in range(exogenous.nodes.shape[1] if whole else 0):
        exogenous.nodes[i, m]["joules"] = given.nodes[i, m]["joules"]
        exogenous.nodes[i, m]["seconds"] = given.nodes[i, m]["seconds"]
        exogenous.nodes[i, m]["works_next"] = given.nodes[i, m]["works_next"]


@device
def draw_radio(
    world: World | None,
    process: Process,
    exogenous: Exogenous,
    streams: Streams,
    noise: Singles,
    i: int,
) -> None:
    """Draw origins, payloads, spectral efficiencies and failures of the next slot."""
    U, M = exogenous.spectral_efficiency.shape[1:3]
    for u in range(U):
        draw_request(world, process, exogenous, streams, i, u)
        if exogenous.tasks[i, u]["origin"] == NOBODY:
            fill(exogenous.spectral_efficiency[i, u], process.channel.lowest_efficiency)
        elif not copy_task_links(world, process, exogenous, i, u):
            draw_task_links(process, exogenous, streams, noise, i, u)
    for m in range(M):
        node = exogenous.nodes[i, m]
        node["works_next"] = works_next(streams, process.channel, node["works_next"])
    process.memory[i]["slot"] += 1
    process.memory[i]["row"] += 1


@device
def draw_request(
    world: World | None,
    process: Process,
    exogenous: Exogenous,
    streams: Streams,
    i: int,
    u: int,
) -> None:
    """Write where task u arrives and how large it is, drawn or recorded."""
    task = exogenous.tasks[i, u]
    low, high = process.payload
    # Drawn where both are recorded too: what else the stream holds is then the same.
    task["origin"] = int(next_uniform(streams, RADIO) * exogenous.nodes.shape[1])
    task["payload"] = low + (high - low) * next_uniform(streams, RADIO)
    if world is not None and world.arrivals.starts.shape[0] > 0:
        written = arrival(world, process.memory[i]["row"], u)
        task["origin"] = world.arrivals.origins[written] if written >= 0 else NOBODY
        task["payload"] = world.arrivals.payloads[written] if written >= 0 else 0.0


@device
def copy_task_links(
    world: World | None, process: Process, exogenous: Exogenous, i: int, u: int
) -> bool:
    """Write the spectral efficiencies of task u's links where they are recorded; tell if so."""
    copied = False
    if world is not None:
        copied = write_recorded(
            world,
            process.memory[i]["row"],
            exogenous.tasks[i, u]["origin"],
            process.channel.highest_efficiency,
            exogenous.spectral_efficiency[i, u],
        )
    return copied


@device
def fill(links: Singles, efficiency: float) -> None:
    """Give all links, (M, S), one spectral efficiency."""
    for m in range(links.shape[0]):
        for s in range(links.shape[1]):
            links[m, s] = efficiency


@device
def draw_task_links(
    process: Process,
    exogenous: Exogenous,
    streams: Streams,
    noise: Singles,
    i: int,
    u: int,
) -> None:
    """Write the spectral efficiencies of task u's links; those of a node are drawn once a slot."""
    efficiency = exogenous.spectral_efficiency[i]
    origin = exogenous.tasks[i, u]["origin"]
    for other in range(u):
        if exogenous.tasks[i, other]["origin"] == origin:
            for m in range(efficiency.shape[1]):
                for s in range(efficiency.shape[2]):
                    efficiency[u, m, s] = efficiency[other, m, s]
            return
    memory, node = process.memory[i], exogenous.nodes[i, origin]
    decay = 0.0
    if node["link_row"] >= 0:
        waited = memory["slot"] - process.last_drawn[i, node["link_row"]]
        decay = process.channel.correlation**waited
    else:
        node["link_row"] = memory["link_rows"]
        memory["link_rows"] += 1
        write_mean_snr(
            memory["shadowing_key"],
            process.channel.reference_snr,
            process.channel.path_loss_exponent,
            process.channel.shadowing_db,
            process.positions[i],
            origin,
            process.mean_snr[i, node["link_row"]],
        )
    row = node["link_row"]
    process.last_drawn[i, row] = memory["slot"]
    draw_links(
        streams,
        process.channel,
        decay,
        origin,
        process.mean_snr[i, row],
        process.fading[i, row],
        noise,
        efficiency[u],
    )
