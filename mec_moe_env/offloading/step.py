"""One slot of continual learning over edge servers (Li & Duan 2024), compiled.

Act, pass time, draw the next slot, observe.
"""

from __future__ import annotations

from mec_moe_env.core.buffers import Floats, Integers
from mec_moe_env.core.kernels import device, lean_kernel
from mec_moe_env.core.rng import Streams
from mec_moe_env.core.simulator import IGNORE, RESET, STEP, Orders
from mec_moe_env.core.step_buffers import Buffers
from mec_moe_env.offloading.arrivals import (
    Given,
    Process,
    Workspace,
    begin_episode,
    draw_slot,
)
from mec_moe_env.offloading.learning import add_unserved, complete, lose, train
from mec_moe_env.offloading.observe import observe, write_mask
from mec_moe_env.offloading.pricing import (
    is_idle,
    pick_joules,
    pick_slots,
    sending_seconds,
    training_seconds,
)
from mec_moe_env.offloading.state import NOBODY, Exogenous, Params, State, clear_models, clear_state
from mec_moe_env.offloading.table import OUTCOMES
from mec_moe_env.tasks.images import ImageTables
from mec_moe_env.tasks.synthetic import SyntheticTables

REWARD, FIRST_TERM = OUTCOMES.row("reward"), OUTCOMES.row(OUTCOMES.terms[0])
ERROR, ENERGY, DELAY = (OUTCOMES.row(term) for term in OUTCOMES.terms)
GENERALIZATION = OUTCOMES.row("generalization_error")
FORGETTING = OUTCOMES.row("forgetting")
JOULES = OUTCOMES.row("energy_j")
SENDING_JOULES = OUTCOMES.row("transmission_energy_j")
SLOTS = OUTCOMES.row("delay_slots")
HITS = OUTCOMES.row("accuracy")
ACCEPTED, REJECTED = OUTCOMES.row("accepted"), OUTCOMES.row("rejected")
DROPPED, LOST = OUTCOMES.row("dropped_picks"), OUTCOMES.row("lost")


@lean_kernel
def advance(
    params: Params,
    process: Process,
    synthetic: SyntheticTables | None,
    images: ImageTables | None,
    given: Given | None,
    state: State,
    exogenous: Exogenous,
    streams: Streams,
    offsets: Integers,
    orders: Orders,
    actions: Integers,
    buffers: Buffers,
    work: Workspace,
    first: int,
    last: int,
) -> None:
    """Do as ordered with the sub-environments first, …, last − 1.

    One call for everything, because handing this many arrays to compiled code costs as much as
    a slot itself. Of the three sources of tasks two are None, and what they need is not compiled.
    Measures and counts are zeros on entry; `actions` is (n, 2·U·D), `work` this thread's alone.
    """
    for i in range(first, last):
        if orders[i] == STEP:
            act(params, state, exogenous, actions[i], work, buffers, i)
            pass_time(params, state, exogenous, work, buffers.counts, i)
            measure(params, state, buffers.measures, i)
        elif orders[i] == RESET:
            clear_state(state, i)
            clear_models(params.network, streams[i], state, i, work.network)
            begin_episode(process, synthetic, given, exogenous, streams, work, i)
        if orders[i] >= STEP:
            draw_slot(process, synthetic, images, given, exogenous, streams[i], work, i)
        if orders[i] != IGNORE:
            observe(params, state, exogenous, offsets, i, buffers.observation[i])
            write_mask(params, state, exogenous, i, buffers.masks[i])


@device
def act(
    params: Params,
    state: State,
    exogenous: Exogenous,
    action: Integers,
    work: Workspace,
    buffers: Buffers,
    i: int,
) -> None:
    """Carry out the picks of each task in order; a pick of something taken is dropped.

    `action` names server and subcarrier of each pick, (2·U·D,).
    """
    M = state.servers.shape[1]
    for u in range(params.num_tasks):
        arrived = exogenous.tasks[i, u]["type"] != NOBODY
        state.episodes[i]["arrived"] += arrived
        accepted = 0
        delay = 0
        for j in range(params.max_experts):
            pick = 2 * (u * params.max_experts + j)
            m, s = action[pick], action[pick + 1]
            if m == M:
                continue
            in_situ = m == exogenous.tasks[i, u]["origin"]
            if not (arrived and is_idle(state, i, m)) or (
                not in_situ and state.subcarrier_remaining[i, s] > 0
            ):
                buffers.counts[DROPPED, i] += 1
                continue
            sending = sending_seconds(params, exogenous, i, u, m, s)
            if not in_situ:
                state.subcarrier_remaining[i, s] = pick_slots(params, sending)
            slots = pick_slots(params, sending + training_seconds(params, exogenous, i, m))
            state.servers[i, m]["remaining"] = slots
            buffers.measures[SENDING_JOULES, i] += params.power_w * sending
            buffers.measures[JOULES, i] += pick_joules(params, exogenous, i, m, sending)
            delay = max(delay, slots)
            work.picked[accepted] = m
            accepted += 1
        for j in range(accepted):
            train(params, state, exogenous, i, u, work.picked[j], 1.0 / accepted, work)
        if not arrived:
            continue
        buffers.measures[SLOTS, i] += delay
        buffers.counts[ACCEPTED if accepted > 0 else REJECTED, i] += 1
        if accepted == 0:
            add_unserved(state, i, 1.0, exogenous.tasks[i, u]["constant"])


@device
def pass_time(
    params: Params,
    state: State,
    exogenous: Exogenous,
    work: Workspace,
    counts: Integers,
    i: int,
) -> None:
    """Advance to the next slot: failures strike, then trainings that are due complete."""
    for s in range(state.subcarrier_remaining.shape[1]):
        state.subcarrier_remaining[i, s] = max(state.subcarrier_remaining[i, s] - 1, 0)
    for m in range(state.servers.shape[1]):
        server = state.servers[i, m]
        server["completed"] = False
        server["working"] = exogenous.nodes[i, m]["works_next"]
        if server["remaining"] == 0:
            continue
        if not server["working"]:
            lose(state, i, m)
            counts[LOST, i] += 1
            continue
        server["remaining"] -= 1
        if server["remaining"] == 0:
            complete(params, state, work, i, m)
    state.episodes[i]["time"] += 1


@device
def measure(params: Params, state: State, measures: Floats, i: int) -> None:
    """Write the reward with its terms, G_t, F_t and the accuracy."""
    episode = state.episodes[i]
    learned = 0.0
    pending = 0.0
    hits = 0.5 * episode["unserved_weight"]
    for m in range(state.servers.shape[1]):
        server = state.servers[i, m]
        learned += server["learned_error"]
        pending += server["pending_error"]
        hits += server["learned_hits"] + server["pending_hits"]
    tasks = max(episode["arrived"], 1)
    total = learned + pending + episode["unserved_error"] + episode["unserved_rest"]
    measures[ERROR, i] = episode["total_error"] - total
    measures[ENERGY, i] = 0.0 - measures[JOULES, i]
    measures[DELAY, i] = 0.0 - measures[SLOTS, i]
    for term in range(params.weights.shape[0]):
        measures[REWARD, i] += params.weights[term] * measures[FIRST_TERM + term, i]
    measures[GENERALIZATION, i] = total / tasks
    if tasks > 1:
        forgotten = learned - episode["error_when_learned"] - episode["when_learned_rest"]
        measures[FORGETTING, i] = forgotten / (tasks - 1)
    measures[HITS, i] = hits / tasks
    episode["total_error"] = total
