"""One layer of distributed mixture-of-experts inference (Qin et al. 2025), compiled.

Act, run a real model if there is one, draw the next slot, observe.
"""

from __future__ import annotations

import math

from mec_moe_env.core.buffers import Flags, Floats, Integers
from mec_moe_env.core.kernels import device, inline, kernel
from mec_moe_env.core.rng import Streams
from mec_moe_env.core.simulator import IGNORE, RESET, STEP, Orders
from mec_moe_env.core.step_buffers import Buffers
from mec_moe_env.dmoe.charge import average_joules, charge_violations
from mec_moe_env.dmoe.exogenous import (
    Process,
    Workspace,
    begin_episode,
    draw_gates,
    draw_slot,
)
from mec_moe_env.dmoe.links import link_efficiency, sending_joules, states_seconds
from mec_moe_env.dmoe.observe import observe, write_mask
from mec_moe_env.dmoe.reserve import find_best, wanted_relevance
from mec_moe_env.dmoe.state import Exogenous, Params, State
from mec_moe_env.dmoe.table import OUTCOMES
from mec_moe_env.moe.model import apply_experts, classify, cross_entropy, gate_scores
from mec_moe_env.moe.weights import MoEWeights

REWARD, FIRST_TERM = OUTCOMES.row("reward"), OUTCOMES.row(OUTCOMES.terms[0])
ERROR, ENERGY = (OUTCOMES.row(term) for term in OUTCOMES.terms)
JOULES = OUTCOMES.row("energy_j")
SENDING_JOULES = OUTCOMES.row("transmission_energy_j")
RELEVANCE = OUTCOMES.row("relevance")
SHORTFALL = OUTCOMES.row("shortfall")
VIOLATED, COST = OUTCOMES.row("violated"), OUTCOMES.row("cost")
EXPERTS = OUTCOMES.row("experts_per_token")
HITS = OUTCOMES.row("accuracy")
DROPPED, LOST = OUTCOMES.row("dropped_picks"), OUTCOMES.row("lost_states")
UNSERVED = OUTCOMES.row("unserved")

TOLERANCE = 1e-6
"""Largest share of a reachable threshold that counts as met: schedulers see float32."""


@kernel
def advance(
    params: Params,
    process: Process | None,
    gate_spread: float | None,
    weights: MoEWeights | None,
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

    What belongs to an argument that is None is not compiled: no `process` where Python code has
    written the slots for ever, no `gate_spread` where scores come from elsewhere, no `weights`
    without a real model. Measures and counts are zeros on entry; `actions` is (n, I·Q·D + I·K),
    `work` this thread's alone.
    """
    for i in range(first, last):
        drawn = 0
        if orders[i] == STEP:
            act(params, state, exogenous, actions[i], work, buffers, i)
            if weights is None:
                charge(params, exogenous, work, buffers.measures, i)
            else:
                infer(weights, state, exogenous, work.selected, buffers.measures, i)
                relate(params, exogenous, work, buffers.measures, i)
            settle(params, state, buffers.measures, i)
            drawn = 1
        elif orders[i] == RESET:
            state.layer[i] = 0
            # The scheduler's first view of the channel is as old as all later ones.
            drawn = exogenous.spectral_efficiency.shape[1]
            if process is not None:
                begin_episode(process, exogenous, streams[i], i)
            if gate_spread is not None:
                draw_gates(gate_spread, streams[i], work.gates, exogenous.gates[i])
        if process is not None:
            for _ in range(drawn):
                draw_slot(process, exogenous, streams[i], work.noise, i)
        if orders[i] != IGNORE:
            observe(params, state, exogenous, offsets, i, buffers.observation[i])
            write_mask(params, exogenous, i, buffers.masks[i])


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
    """Carry out the picks and transmissions of sub-environment i, and measure what they bring.

    `action` holds an expert per pick, then a subcarrier per link, (I·Q·D + I·K,).
    """
    picks = work.selected.shape[0] * params.max_experts
    buffers.counts[DROPPED, i] = select(params, exogenous, action[:picks], work.selected, i)
    transmit(params, exogenous, action[picks:], work, buffers, i)
    measure_tokens(params, state, exogenous, work, buffers, i)
    buffers.measures[JOULES, i] += buffers.measures[SENDING_JOULES, i]


@device
def select(params: Params, exogenous: Exogenous, action: Integers, selected: Flags, i: int) -> int:
    """Read the picks into `selected`, (I·Q, K); return how many were dropped.

    A pick of an unavailable expert, or of one that the token already has, is dropped.
    """
    dropped = 0
    tokens, K = selected.shape
    for token in range(tokens):
        for j in range(K):
            selected[token, j] = False
        for pick in range(params.max_experts):
            j = action[token * params.max_experts + pick]
            if j == K:
                continue
            if not exogenous.nodes[i, j]["available"] or selected[token, j]:
                dropped += 1
            else:
                selected[token, j] = True
    return dropped


@inline
def discard(selected: Flags, source: int, node: int, per_source: int) -> None:
    """Take expert `node` from all tokens of a source whose link failed."""
    for token in range(source * per_source, (source + 1) * per_source):
        selected[token, node] = False


@device
def transmit(
    params: Params,
    exogenous: Exogenous,
    subcarriers: Integers,
    work: Workspace,
    buffers: Buffers,
    i: int,
) -> None:
    """Send the hidden states over the links (C3: each subcarrier carries one link).

    The first link in row order keeps a subcarrier; the tokens of a later one lose that expert.
    So do those of a link that does not meet the deadline, which spends its energy in vain.
    """
    selected, taken = work.selected, work.taken
    I, K = exogenous.spectral_efficiency.shape[2:4]
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
                buffers.counts[DROPPED, i] += states
                discard(selected, source, node, per_source)
                continue
            taken[s] = True
            efficiency = link_efficiency(exogenous, i, source, node, s)
            seconds = states_seconds(params, efficiency, states)
            buffers.measures[SENDING_JOULES, i] += sending_joules(params, seconds)
            if seconds > params.deadline_seconds:
                buffers.counts[LOST, i] += states
                discard(selected, source, node, per_source)


@device
def measure_tokens(
    params: Params,
    state: State,
    exogenous: Exogenous,
    work: Workspace,
    buffers: Buffers,
    i: int,
) -> None:
    """Measure relevance, what it misses of the reachable threshold, experts and their energy."""
    layer, measures = state.layer[i], buffers.measures
    tokens, K = work.selected.shape
    Q = exogenous.gates.shape[3]
    for token in range(tokens):
        scores = exogenous.gates[i, layer, token // Q, token % Q]
        relevance = 0.0
        experts = 0
        for j in range(K):
            if work.selected[token, j]:
                relevance += scores[j]
                measures[JOULES, i] += exogenous.nodes[i, j]["joules"]
                experts += 1
        find_best(scores, exogenous.nodes[i]["available"], work.best[token])
        wanted = wanted_relevance(params.thresholds[layer], scores, work.best[token])
        violated = wanted - relevance > TOLERANCE * wanted
        work.missing[token] = 1.0 - relevance / wanted if violated else 0.0
        measures[RELEVANCE, i] += relevance / tokens
        measures[SHORTFALL, i] += wanted * work.missing[token] / tokens
        measures[VIOLATED, i] += violated / tokens
        measures[COST, i] += violated
        measures[EXPERTS, i] += experts / tokens
        buffers.counts[UNSERVED, i] += experts == 0


@kernel
def infer(
    weights: MoEWeights,
    state: State,
    exogenous: Exogenous,
    selected: Flags,
    measures: Floats,
    i: int,
) -> None:
    """Run a real model's layer with the tokens' experts; measure what the last layer gives.

    The cross-entropy is that of a guess among the classes at 1.
    """
    layer, gates = state.layer[i], exogenous.gates[i]
    hidden, labels = state.hidden[i], state.labels[i]
    apply_experts(weights, layer, gates[layer].reshape(selected.shape), selected, hidden)
    logits = classify(weights, hidden)
    for token in range(labels.shape[0]):
        measures[HITS, i] += (logits[token].argmax() == labels[token]) / labels.shape[0]
    if layer + 1 < gates.shape[0]:
        scores = gates[layer + 1].reshape(selected.shape)
        gate_scores(weights, layer + 1, hidden, scores)
    else:
        guessing = math.log(logits.shape[1])
        measures[ERROR, i] = 0.0 - cross_entropy(logits, labels).mean() / guessing


@device
def charge(params: Params, exogenous: Exogenous, work: Workspace, measures: Floats, i: int) -> None:
    """Write the reward's terms under given gates: charge and energy per E_ref of the layer.

    Where E_ref = 0 (the Top-D of all tokens cost nothing) they are in joules.
    """
    reference, charged = charge_violations(params, exogenous, work, i)
    unit = reference if reference > 0.0 else 1.0
    measures[ERROR, i] = 0.0 - charged / unit
    measures[ENERGY, i] = 0.0 - measures[JOULES, i] / unit


@device
def relate(params: Params, exogenous: Exogenous, work: Workspace, measures: Floats, i: int) -> None:
    """Write a real model's energy term: J per E_ref of the layer, an L-th of it.

    Where E_ref = 0 it is in joules.
    """
    reference = average_joules(params, exogenous, work, i)
    unit = reference if reference > 0.0 else 1.0
    measures[ENERGY, i] = 0.0 - measures[JOULES, i] / (unit * params.thresholds.shape[0])


@inline
def settle(params: Params, state: State, measures: Floats, i: int) -> None:
    """Sum the reward's terms and move on to the next layer."""
    for term in range(params.weights.shape[0]):
        measures[REWARD, i] += params.weights[term] * measures[FIRST_TERM + term, i]
    state.layer[i] += 1
