"""One slot of continual learning over edge servers (Li & Duan 2024), compiled.

A pure function of (physics, state, world, action): the randomness is already in the world.
"""

from __future__ import annotations

import math

from mec_moe_env.core.kernels import inlined
from mec_moe_env.experts import Floats, inner, learn, model_error, quadratic_form
from mec_moe_env.offloading.state import Integers, Physics, State, World
from mec_moe_env.offloading.table import OUTCOMES
from mec_moe_env.radio.links import BITS_PER_MBIT, slots_needed, transmission_seconds

REWARD = OUTCOMES.row("reward")
ERROR, ENERGY, DELAY = (OUTCOMES.row(term) for term in OUTCOMES.terms)
GENERALIZATION = OUTCOMES.row("generalization_error")
FORGETTING = OUTCOMES.row("forgetting")
JOULES = OUTCOMES.row("energy_j")
SENDING_JOULES = OUTCOMES.row("transmission_energy_j")
SLOTS = OUTCOMES.row("delay_slots")
HITS = OUTCOMES.row("accuracy")
ACCEPTED, REJECTED = OUTCOMES.row("accepted"), OUTCOMES.row("rejected")
DROPPED, LOST = OUTCOMES.row("dropped_picks"), OUTCOMES.row("lost")


@inlined
def server_error(physics: Physics, state: State, i: int, m: int, model: Floats) -> float:
    """Return Σ share·error of the tasks that server m has learned, if its model were `model`."""
    total: float = state.learned_constant[i, m] - 2.0 * inner(state.learned_linear[i, m], model)
    if physics.quadratic.shape[1] == 0:
        weight = 0.0
        for n in range(state.learned_weight.shape[2]):
            weight += state.learned_weight[i, m, n]
        return total + weight * inner(model, model)
    for n in range(physics.quadratic.shape[0]):
        if state.learned_weight[i, m, n] > 0.0:
            form = quadratic_form(model, physics.quadratic[n])
            total += state.learned_weight[i, m, n] * form
    return total


@inlined
def heldout_accuracy(physics: Physics, n: int, model: Floats) -> float:
    """Return the share of type n's held-out samples on whose side `model` is; 0 without data."""
    hits = 0.0
    count = 0.0
    for h in range(physics.heldout_labels.shape[1]):
        label = physics.heldout_labels[n, h]
        if label != 0.0:
            count += 1.0
            margin = label * inner(physics.heldout_features[n, h], model)
            # The zero model guesses.
            hits += 1.0 if margin > 0.0 else (0.5 if margin == 0.0 else 0.0)
    return hits / count if count > 0.0 else 0.0


@inlined
def server_hits(physics: Physics, state: State, i: int, m: int) -> float:
    """Return Σ share·held-out accuracy of the tasks that server m has learned."""
    total = 0.0
    for n in range(state.learned_weight.shape[2]):
        if state.learned_weight[i, m, n] > 0.0:
            total += state.learned_weight[i, m, n] * heldout_accuracy(physics, n, state.model[i, m])
    return total


@inlined
def dispatch(
    physics: Physics,
    state: State,
    world: World,
    i: int,
    u: int,
    m: int,
    s: int,
    scratch: Floats,
) -> float:
    """Send task u to server m over subcarrier s, begin its training, return the seconds sent."""
    b = world.cursor[i]
    sending = 0.0
    if m != world.origin[i, b, u]:
        sending = transmission_seconds(
            BITS_PER_MBIT * world.payload[i, b, u],
            physics.bandwidth_hz,
            world.spectral_efficiency[i, b, u, m, s],
        )
        state.subcarrier_remaining[i, s] = slots_needed(
            sending, physics.slot_seconds, physics.max_delay
        )
    computing = physics.samples_per_task * world.compute[i, m, 1]
    state.remaining[i, m] = slots_needed(
        sending + computing, physics.slot_seconds, physics.max_delay
    )
    learn(
        state.model[i, m],
        world.features[i, b, u],
        world.labels[i, b, u],
        physics.proximal,
        state.pending_model[i, m],
        scratch,
    )
    return sending


@inlined
def register(
    physics: Physics, state: State, world: World, i: int, u: int, m: int, share: float
) -> None:
    """Count task u as served by server m, judged by the model that m has now."""
    b = world.cursor[i]
    n = world.types[i, b, u]
    error = model_error(
        state.model[i, m], physics.quadratic[n], world.linear[i, b, u], world.constant[i, b, u]
    )
    state.pending_type[i, m] = n
    state.pending_weight[i, m] = share
    for f in range(state.model.shape[2]):
        state.pending_linear[i, m, f] = world.linear[i, b, u, f]
    state.pending_constant[i, m] = world.constant[i, b, u]
    state.pending_error[i, m] = share * error
    if physics.heldout_labels.shape[1] > 0:
        state.pending_hits[i, m] = share * heldout_accuracy(physics, n, state.model[i, m])


@inlined
def forget_pending(state: State, i: int, m: int) -> None:
    """Clear the training under way at server m."""
    state.remaining[i, m] = 0
    state.pending_weight[i, m] = 0.0
    state.pending_error[i, m] = 0.0
    state.pending_hits[i, m] = 0.0


@inlined
def complete(physics: Physics, state: State, i: int, m: int) -> None:
    """End the training of server m: its model changes, and every task it learned is rejudged."""
    n = state.pending_type[i, m]
    share = state.pending_weight[i, m]
    squared = 0.0
    for f in range(state.model.shape[2]):
        change = state.pending_model[i, m, f] - state.model[i, m, f]
        squared += change * change
        state.model[i, m, f] = state.pending_model[i, m, f]
        state.learned_linear[i, m, f] += share * state.pending_linear[i, m, f]
    state.drift[i, m] = math.sqrt(squared)
    state.completed[i, m] = True
    state.learned_weight[i, m, n] += share
    state.learned_constant[i, m] += share * state.pending_constant[i, m]
    state.error_when_learned[i] += share * model_error(
        state.model[i, m],
        physics.quadratic[n],
        state.pending_linear[i, m],
        state.pending_constant[i, m],
    )
    state.learned_error[i, m] = server_error(physics, state, i, m, state.model[i, m])
    state.learned_hits[i, m] = server_hits(physics, state, i, m)
    forget_pending(state, i, m)


@inlined
def lose(state: State, i: int, m: int) -> None:
    """Lose the training of a failing server: its task counts the zero model's error for ever."""
    state.unserved_error[i] += state.pending_weight[i, m] * state.pending_constant[i, m]
    state.unserved_weight[i] += state.pending_weight[i, m]
    forget_pending(state, i, m)


@inlined
def serve_task(
    physics: Physics,
    state: State,
    world: World,
    i: int,
    u: int,
    action: Integers,
    picked: Integers,
    scratch: Floats,
    measures: Floats,
    counts: Integers,
) -> None:
    """Carry out the picks of task u in order; a pick of something taken is dropped."""
    b = world.cursor[i]
    M = state.remaining.shape[1]
    accepted = 0
    delay = 0
    for j in range(physics.max_experts):
        pick = 2 * (u * physics.max_experts + j)
        m, s = action[pick], action[pick + 1]
        if m == M:
            continue
        in_situ = m == world.origin[i, b, u]
        if (
            not state.working[i, m]
            or state.remaining[i, m] > 0
            or (not in_situ and state.subcarrier_remaining[i, s] > 0)
        ):
            counts[DROPPED, i] += 1
            continue
        sending = dispatch(physics, state, world, i, u, m, s, scratch)
        measures[SENDING_JOULES, i] += physics.power_w * sending
        measures[JOULES, i] += (
            physics.power_w * sending + physics.samples_per_task * world.compute[i, m, 0]
        )
        delay = max(delay, state.remaining[i, m])
        picked[accepted] = m
        accepted += 1
    for j in range(accepted):
        register(physics, state, world, i, u, picked[j], 1.0 / accepted)
    measures[SLOTS, i] += delay
    counts[ACCEPTED if accepted > 0 else REJECTED, i] += 1
    if accepted == 0:
        state.unserved_error[i] += world.constant[i, b, u]
        state.unserved_weight[i] += 1.0


@inlined
def pass_time(physics: Physics, state: State, world: World, i: int, counts: Integers) -> None:
    """Advance to the next slot: failures strike, then trainings that are due complete."""
    b = world.cursor[i]
    for s in range(state.subcarrier_remaining.shape[1]):
        state.subcarrier_remaining[i, s] = max(state.subcarrier_remaining[i, s] - 1, 0)
    for m in range(state.remaining.shape[1]):
        state.completed[i, m] = False
        state.working[i, m] = world.works_next[i, b, m]
        if state.remaining[i, m] == 0:
            continue
        if not state.working[i, m]:
            lose(state, i, m)
            counts[LOST, i] += 1
            continue
        state.remaining[i, m] -= 1
        if state.remaining[i, m] == 0:
            complete(physics, state, i, m)
    world.cursor[i] = (b + 1) % world.types.shape[1]
    state.time[i] += 1


@inlined
def measure(physics: Physics, state: State, i: int, measures: Floats) -> None:
    """Write the reward with its terms, G_t, F_t and the accuracy."""
    learned = 0.0
    pending = 0.0
    hits = 0.5 * state.unserved_weight[i]
    for m in range(state.remaining.shape[1]):
        learned += state.learned_error[i, m]
        pending += state.pending_error[i, m]
        hits += state.learned_hits[i, m] + state.pending_hits[i, m]
    tasks = physics.num_tasks * state.time[i]
    total = learned + pending + state.unserved_error[i]
    measures[ERROR, i] = state.total_error[i] - total
    measures[ENERGY, i] = 0.0 - measures[JOULES, i]
    measures[DELAY, i] = 0.0 - measures[SLOTS, i]
    measures[REWARD, i] = (
        physics.error_weight * measures[ERROR, i]
        + physics.energy_weight * measures[ENERGY, i]
        + physics.delay_weight * measures[DELAY, i]
    )
    measures[GENERALIZATION, i] = total / tasks
    if tasks > 1:
        measures[FORGETTING, i] = (learned - state.error_when_learned[i]) / (tasks - 1)
    measures[HITS, i] = hits / tasks
    state.total_error[i] = total


@inlined
def step(
    physics: Physics,
    state: State,
    world: World,
    i: int,
    action: Integers,
    picked: Integers,
    scratch: Floats,
    measures: Floats,
    counts: Integers,
) -> None:
    """Advance sub-environment i by one slot, in place.

    Args:
        physics: constants.
        state: updated.
        world: exogenous input; its cursor moves on.
        i: the sub-environment.
        action: server and subcarrier of each pick, (2·U·D,).
        picked: scratch, (D,).
        scratch: scratch of a training, (k + 1, k).
        measures: `OUTCOMES.measures` by row, (10, n), zeros on entry, column i written.
        counts: `OUTCOMES.counts` by row, (4, n), zeros on entry, column i written.
    """
    for u in range(physics.num_tasks):
        serve_task(physics, state, world, i, u, action, picked, scratch, measures, counts)
    pass_time(physics, state, world, i, counts)
    measure(physics, state, i, measures)
