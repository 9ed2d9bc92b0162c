"""One layer of distributed mixture-of-experts inference (Qin et al. 2025), compiled.

A pure function of (physics, weights, state, world, action): randomness is already in the world.
"""

from __future__ import annotations

from mec_moe_env.core.kernels import compiled, inlined
from mec_moe_env.dmoe.state import Flags, Integers, Physics, State, World
from mec_moe_env.dmoe.table import OUTCOMES
from mec_moe_env.moe.model import apply_experts, classify, cross_entropy, gate_scores
from mec_moe_env.moe.weights import MoEWeights
from mec_moe_env.radio.links import transmission_seconds
from mec_moe_env.tasks.stream import Floats

REWARD = OUTCOMES.row("reward")
ERROR, ENERGY = (OUTCOMES.row(term) for term in OUTCOMES.terms)
JOULES = OUTCOMES.row("energy_j")
SENDING_JOULES = OUTCOMES.row("transmission_energy_j")
RELEVANCE = OUTCOMES.row("relevance")
SHORTFALL = OUTCOMES.row("shortfall")
VIOLATED = OUTCOMES.row("violated")
EXPERTS = OUTCOMES.row("experts_per_token")
HITS = OUTCOMES.row("accuracy")
DROPPED, LOST = OUTCOMES.row("dropped_picks"), OUTCOMES.row("lost_states")
UNSERVED = OUTCOMES.row("unserved")

TOLERANCE = 1e-9
"""Relative rounding that a met threshold is allowed."""


@inlined
def select(physics: Physics, available: Flags, action: Integers, selected: Flags) -> int:
    """Read the picks into `selected`, (I·Q, K); return how many were dropped.

    A pick of an unavailable expert, or of one that the token already has, is dropped.
    """
    dropped = 0
    tokens, K = selected.shape
    for token in range(tokens):
        for j in range(K):
            selected[token, j] = False
        for pick in range(physics.max_experts):
            j = action[token * physics.max_experts + pick]
            if j == K:
                continue
            if not available[j] or selected[token, j]:
                dropped += 1
            else:
                selected[token, j] = True
    return dropped


@inlined
def discard(selected: Flags, source: int, node: int, per_source: int) -> None:
    """Take expert `node` from all tokens of a source whose link failed."""
    for token in range(source * per_source, (source + 1) * per_source):
        selected[token, node] = False


@inlined
def link_seconds(
    physics: Physics, world: World, i: int, source: int, node: int, s: int, states: int
) -> float:
    """Return how long `states` hidden states take over subcarrier s, and back if counted."""
    b = world.cursor[i]
    bits = physics.state_bits * states
    seconds = transmission_seconds(
        bits, physics.bandwidth_hz, world.spectral_efficiency[i, b, source, node, s]
    )
    if world.return_efficiency.shape[4] > 0:
        seconds += transmission_seconds(
            bits, physics.bandwidth_hz, world.return_efficiency[i, b, source, node, s]
        )
    return seconds


@inlined
def transmit(
    physics: Physics,
    world: World,
    i: int,
    subcarriers: Integers,
    selected: Flags,
    taken: Flags,
    measures: Floats,
    counts: Integers,
) -> None:
    """Send the hidden states over the links (C3: each subcarrier carries one link).

    The first link in row order keeps a subcarrier; the tokens of a later one lose that expert.
    So do those of a link that does not meet the deadline, which spends its energy in vain.
    """
    I, K = world.spectral_efficiency.shape[2:4]
    per_source = selected.shape[0] // I
    for s in range(taken.shape[0]):
        taken[s] = False
    for source in range(I):
        for node in range(K):
            states = 0
            for token in range(source * per_source, (source + 1) * per_source):
                states += selected[token, node]
            if states == 0 or node == source:
                continue
            s = subcarriers[source * K + node]
            if taken[s]:
                counts[DROPPED, i] += states
                discard(selected, source, node, per_source)
                continue
            taken[s] = True
            seconds = link_seconds(physics, world, i, source, node, s, states)
            measures[SENDING_JOULES, i] += physics.power_w * min(seconds, physics.deadline_seconds)
            if seconds > physics.deadline_seconds:
                counts[LOST, i] += states
                discard(selected, source, node, per_source)


@inlined
def judge_tokens(
    physics: Physics,
    state: State,
    world: World,
    i: int,
    selected: Flags,
    measures: Floats,
    counts: Integers,
) -> None:
    """Measure relevance, shortfall below the threshold, experts used and their energy."""
    layer = state.layer[i]
    threshold = physics.thresholds[layer]
    tokens, K = selected.shape
    Q = world.gates.shape[3]
    for token in range(tokens):
        relevance = 0.0
        experts = 0
        for j in range(K):
            if selected[token, j]:
                relevance += world.gates[i, layer, token // Q, token % Q, j]
                measures[JOULES, i] += world.compute_energy[i, j]
                experts += 1
        missing = max(threshold - relevance, 0.0)
        measures[RELEVANCE, i] += relevance / tokens
        measures[SHORTFALL, i] += missing / tokens
        measures[VIOLATED, i] += (missing > TOLERANCE * threshold) / tokens
        measures[EXPERTS, i] += experts / tokens
        counts[UNSERVED, i] += experts == 0


@compiled
def infer(
    weights: MoEWeights, state: State, world: World, i: int, selected: Flags, measures: Floats
) -> None:
    """Run a real model's layer with the tokens' experts; judge what the last layer gives."""
    layer = state.layer[i]
    hidden, labels = state.hidden[i], state.labels[i]
    apply_experts(weights, layer, world.gates[i, layer].reshape(selected.shape), selected, hidden)
    logits = classify(weights, hidden)
    for token in range(labels.shape[0]):
        measures[HITS, i] += (logits[token].argmax() == labels[token]) / labels.shape[0]
    measures[ERROR, i] = 0.0
    if layer + 1 < world.gates.shape[1]:
        scores = world.gates[i, layer + 1].reshape(selected.shape)
        gate_scores(weights, layer + 1, hidden, scores)
    else:
        measures[ERROR, i] = 0.0 - cross_entropy(logits, labels).mean()


@inlined
def act(
    physics: Physics,
    state: State,
    world: World,
    i: int,
    action: Integers,
    selected: Flags,
    taken: Flags,
    measures: Floats,
    counts: Integers,
) -> None:
    """Carry out the picks and transmissions of sub-environment i, and measure what they bring.

    Args:
        physics: constants.
        state: read.
        world: exogenous input.
        i: the sub-environment.
        action: an expert per pick, then a subcarrier per link, (I·Q·D + I·K,).
        selected: written, the experts that each token ends up with, (I·Q, K).
        taken: scratch, (S,).
        measures: `OUTCOMES.measures` by row, (10, n), zeros on entry, column i written.
        counts: `OUTCOMES.counts` by row, (3, n), zeros on entry, column i written.
    """
    picks = selected.shape[0] * physics.max_experts
    available = world.available[i, world.cursor[i]]
    counts[DROPPED, i] = select(physics, available, action[:picks], selected)
    transmit(physics, world, i, action[picks:], selected, taken, measures, counts)
    judge_tokens(physics, state, world, i, selected, measures, counts)
    measures[JOULES, i] += measures[SENDING_JOULES, i]
    measures[ERROR, i] = 0.0 - measures[SHORTFALL, i]


@inlined
def settle(physics: Physics, state: State, world: World, i: int, measures: Floats) -> None:
    """Sum the reward's terms and move on to the next layer."""
    measures[ENERGY, i] = 0.0 - measures[JOULES, i]
    measures[REWARD, i] = (
        physics.error_weight * measures[ERROR, i] + physics.energy_weight * measures[ENERGY, i]
    )
    world.cursor[i] = (world.cursor[i] + 1) % world.available.shape[1]
    state.layer[i] += 1
