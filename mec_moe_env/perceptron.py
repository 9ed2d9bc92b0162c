"""Experts with two hidden layers: how a network learns a task, and how wrong it is, compiled.

The paper's experiments on images train such networks (Li & Duan 2024); layers and update are
written out here so that one compiled step serves any number of servers and sub-environments.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mec_moe_env.core.buffers import Floats
from mec_moe_env.core.kernels import device
from mec_moe_env.core.rng import EXPERTS, NormalScratch, Streams, draw_normals, scratch_for
from mec_moe_env.experts import inner
from mec_moe_env.offloading.config import OffloadingConfig

GROUP = 4
"""Terms that are added to a vector at once: a store for four products."""
BLOCK = 16
"""Held-out samples that pass through a network together."""
LONGEST = 1e6
"""A network whose parameters are longer has diverged; all before it is finite."""


class Network(NamedTuple):
    """What all networks have in common: their sizes, and how they are trained.

    A network is a vector of P numbers: W₁ (d, h₁), b₁, W₂ (h₁, h₂), b₂, w₃ (h₂), b₃; its output is
    f(x) = w₃ᵀ relu(W₂ᵀ relu(W₁ᵀ x + b₁) + b₂) + b₃.
    """

    inputs: int
    """d."""
    first: int
    """h₁."""
    second: int
    """h₂."""
    epochs: int
    rate: float
    batch: int
    logistic: bool
    """Whether the loss is ln(1 + exp(−y·f)), or else (f − y)²."""
    restart: bool
    """Whether every training begins at the initial network instead of the present one."""


class NetworkScratch(NamedTuple):
    """Room for what passes through a network: at most B samples at once."""

    first: Floats
    """relu(W₁ᵀx + b₁), (B, h₁), and after it ∂/∂(W₁ᵀx + b₁)."""
    first_slope: Floats
    second: Floats
    """(B, h₂)."""
    second_slope: Floats
    output: Floats
    """f, (B, 1), and after it ∂/∂f."""
    normals: NormalScratch


def make_network(config: OffloadingConfig) -> Network | None:
    """Return the sizes of a scenario's networks; None where experts are linear."""
    if config.experts == "linear":
        return None
    first, second = config.hidden_widths
    return Network(
        inputs=config.feature_dim,
        first=first,
        second=second,
        epochs=config.sgd_epochs,
        rate=float(config.sgd_rate),
        batch=min(config.sgd_batch, config.samples_per_task),
        logistic=config.expert_loss == "logistic",
        restart=config.expert_restart,
    )


def count_parameters(network: Network) -> int:
    """Return P."""
    first = (network.inputs + 1) * network.first
    return first + (network.first + 1) * network.second + network.second + 1


def make_network_scratch(network: Network) -> NetworkScratch:
    """Allocate one thread's room."""
    rows = max(network.batch, BLOCK)
    return NetworkScratch(
        first=np.empty((rows, network.first)),
        first_slope=np.empty((rows, network.first)),
        second=np.empty((rows, network.second)),
        second_slope=np.empty((rows, network.second)),
        output=np.empty((rows, 1)),
        normals=scratch_for(count_parameters(network)),
    )


@device
def draw_network(streams: Streams, network: Network, scratch: NetworkScratch, out: Floats) -> None:
    """Draw the initial network of an episode, (P,).

    Hidden weights are N(0, 2/inputs) (He et al. 2015), biases and the output's weights 0: an
    untrained network is the zero model, whose error a rejected task counts.
    """
    d, first, second = network.inputs, network.first, network.second
    normals = scratch.normals.normals
    draw_normals(streams, EXPERTS, scratch.normals, (d + second) * first)
    for p in range(out.shape[0]):
        out[p] = 0.0
    for p in range(d * first):
        out[p] = math.sqrt(2.0 / d) * normals[p]
    for p in range(first * second):
        out[(d + 1) * first + p] = math.sqrt(2.0 / first) * normals[d * first + p]


@device
def dense(inputs: Floats, weights: Floats, count: int, out: Floats) -> None:
    """Write Wᵀx + b of `count` samples; `weights` is W, (a, b), then b, (b,), in one vector."""
    a, b = inputs.shape[1], out.shape[1]
    for s in range(count):
        x, y = inputs[s], out[s]
        for j in range(b):
            y[j] = weights[a * b + j]
        grouped = a - a % GROUP
        for f in range(0, grouped, GROUP):
            x0, x1, x2, x3 = x[f], x[f + 1], x[f + 2], x[f + 3]
            w0 = weights[f * b : (f + 1) * b]
            w1 = weights[(f + 1) * b : (f + 2) * b]
            w2 = weights[(f + 2) * b : (f + 3) * b]
            w3 = weights[(f + 3) * b : (f + 4) * b]
            for j in range(b):
                y[j] += (x0 * w0[j] + x1 * w1[j]) + (x2 * w2[j] + x3 * w3[j])
        for f in range(grouped, a):
            for j in range(b):
                y[j] += x[f] * weights[f * b + j]


@device
def deduct(inputs: Floats, slopes: Floats, count: int, weights: Floats) -> None:
    """Subtract Σ x·slopeᵀ and Σ slope over `count` samples from W and b of a layer."""
    a, b = inputs.shape[1], slopes.shape[1]
    grouped = count - count % GROUP
    for s in range(0, grouped, GROUP):
        g0, g1, g2, g3 = slopes[s], slopes[s + 1], slopes[s + 2], slopes[s + 3]
        for f in range(a):
            x0, x1, x2, x3 = inputs[s, f], inputs[s + 1, f], inputs[s + 2, f], inputs[s + 3, f]
            w = weights[f * b : (f + 1) * b]
            for j in range(b):
                w[j] -= (x0 * g0[j] + x1 * g1[j]) + (x2 * g2[j] + x3 * g3[j])
        for j in range(b):
            weights[a * b + j] -= (g0[j] + g1[j]) + (g2[j] + g3[j])
    for s in range(grouped, count):
        for f in range(a):
            for j in range(b):
                weights[f * b + j] -= inputs[s, f] * slopes[s, j]
        for j in range(b):
            weights[a * b + j] -= slopes[s, j]


@device
def send_back(slopes: Floats, weights: Floats, outputs: Floats, count: int, out: Floats) -> None:
    """Write ∂/∂(a layer's input before its relu) of `count` samples, `outputs` those after it."""
    a, b = out.shape[1], slopes.shape[1]
    for s in range(count):
        for f in range(a):
            out[s, f] = 0.0
            if outputs[s, f] > 0.0:
                out[s, f] = inner(slopes[s], weights[f * b : (f + 1) * b])


@device
def forward(network: Network, model: Floats, samples: Floats, scratch: NetworkScratch) -> None:
    """Send samples, (count, d), through a network; leave f of each in `scratch.output`."""
    count = samples.shape[0]
    second = (network.inputs + 1) * network.first
    output = second + (network.first + 1) * network.second
    dense(samples, model[:second], count, scratch.first)
    rectify(scratch.first, count)
    dense(scratch.first, model[second:output], count, scratch.second)
    rectify(scratch.second, count)
    dense(scratch.second, model[output:], count, scratch.output)


@device
def rectify(values: Floats, count: int) -> None:
    """Replace values of the first `count` rows by relu(value) = max(value, 0)."""
    for s in range(count):
        for j in range(values.shape[1]):
            values[s, j] = max(values[s, j], 0.0)


@device
def loss_of(network: Network, output: float, label: float) -> float:
    """Return the loss of one sample."""
    if not network.logistic:
        return (output - label) * (output - label)
    margin = label * output
    # exp of what is never positive does not overflow.
    return max(-margin, 0.0) + math.log1p(math.exp(-abs(margin)))


@device
def loss_slope(network: Network, output: float, label: float) -> float:
    """Return the derivative of one sample's loss by the output."""
    if not network.logistic:
        return 2.0 * (output - label)
    margin = label * output
    small = math.exp(-abs(margin))
    return -label * (small if margin > 0.0 else 1.0) / (1.0 + small)


@device
def descend(
    network: Network, samples: Floats, labels: Floats, model: Floats, scratch: NetworkScratch
) -> None:
    """Move a network, (P,), by one step against the mean gradient of a batch, (count, d)."""
    count = samples.shape[0]
    second = (network.inputs + 1) * network.first
    output = second + (network.first + 1) * network.second
    forward(network, model, samples, scratch)
    for s in range(count):
        slope = loss_slope(network, scratch.output[s, 0], labels[s])
        scratch.output[s, 0] = network.rate / count * slope
    last, middle = model[output:], model[second:output]
    send_back(scratch.output, last, scratch.second, count, scratch.second_slope)
    send_back(scratch.second_slope, middle, scratch.first, count, scratch.first_slope)
    deduct(scratch.second, scratch.output, count, last)
    deduct(scratch.first, scratch.second_slope, count, middle)
    deduct(samples, scratch.first_slope, count, model[:second])


@device
def train_network(
    network: Network,
    present: Floats,
    begin: Floats,
    features: Floats,
    labels: Floats,
    out: Floats,
    scratch: NetworkScratch,
) -> None:
    """Write to `out`, (P,), what E epochs of SGD on a task make of the network `begin`.

    Batches are taken in the order of the samples: `features` is Xᵀ, (k, d), `labels` y, (k,). A
    training that diverges is undone: the server keeps its `present` network.
    """
    k = features.shape[0]
    for p in range(out.shape[0]):
        out[p] = begin[p]
    for _ in range(network.epochs):
        for start in range(0, k, network.batch):
            end = min(start + network.batch, k)
            descend(network, features[start:end], labels[start:end], out, scratch)
    # Written so that NaN fails too.
    if not inner(out, out) <= LONGEST * LONGEST:
        for p in range(out.shape[0]):
            out[p] = present[p]


@device
def judge_network(
    network: Network, model: Floats, features: Floats, labels: Floats, scratch: NetworkScratch
) -> tuple[float, float]:
    """Return a network's mean loss and accuracy on held-out samples, (H, d), labels ±1.

    Labels of 0 follow the last sample.
    """
    loss, hits, count = 0.0, 0.0, 0
    for start in range(0, features.shape[0], BLOCK):
        end = min(start + BLOCK, features.shape[0])
        if labels[start] == 0.0:
            break
        forward(network, model, features[start:end], scratch)
        for h in range(start, end):
            if labels[h] != 0.0:
                output = scratch.output[h - start, 0]
                count += 1
                loss += loss_of(network, output, labels[h])
                margin = labels[h] * output
                # The zero model guesses.
                hits += 1.0 if margin > 0.0 else (0.5 if margin == 0.0 else 0.0)
    return loss / count, hits / count
