"""Train the mixture-of-experts classifier of digits that ships with mec_moe_env.

    pip install 'mec-moe-env[digits,rl]'
    python examples/train_digits_moe.py --output mec_moe_env/moe/digits_moe.npz

About a minute on one core, and the same weights each time. Only the training part of the split is
touched, until the report at the end. `--validate` trains on four fifths of it and reports on the
last fifth: settings were chosen that way.

The network has to bear a scheduler that saves energy, so it is trained under many: each token of
each step meets a threshold z·γ0^l and expert prices of its own, and takes the cheapest set of at
most two experts that reaches the threshold, as in Qin et al. 2025 (arXiv 2503.13421), P1.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mec_moe_agents import read_arguments
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from mec_moe_env.moe import (
    EPSILON,
    MoEWeights,
    apply_experts,
    classify,
    cross_entropy,
    embed,
    gate_scores,
    load_moe,
    save_moe,
)
from mec_moe_env.tasks import load_digits_split

PIXELS, SIDE, CLASSES = 64, 8, 10
QUANTILES = (0.1, 0.5, 0.9)
IMPORTANCES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4)

Floats = NDArray[np.float64]
# A layer, counted from 0, and its scores, (tokens, K), give the selection, (tokens, K), 0 or 1.
Rule = Callable[[int, Tensor], Tensor]


@dataclass(frozen=True)
class Arguments:
    """Settings; every field is a command-line option."""

    output: str = "digits_moe.npz"
    validate: bool = False
    seed: int = 0
    epochs: int = 300
    batch: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    layers: int = 4
    experts: int = 8
    hidden: int = 32
    units: int = 16
    balance: float = 0.05
    """Weight of the load-balancing loss."""
    shift: float = 0.9
    """Largest random shift of a training image, pixels."""
    turn: float = 0.2
    """Largest random turn of a training image, radians."""
    zoom: float = 0.15
    """Largest random zoom of a training image, each axis by itself."""
    top2_share: float = 0.4
    """Share of tokens that take their top two experts in all layers."""
    skip: float = 0.05
    """Chance that a token finds no expert in a layer."""


class DigitsMoE(nn.Module):
    """The network of `mec_moe_env.moe.model`, all experts computed, masked by the selection."""

    def __init__(self, settings: Arguments, rng: torch.Generator) -> None:
        super().__init__()
        L, K, h, f = settings.layers, settings.experts, settings.hidden, settings.units

        def normal(*shape: int) -> Tensor:
            return torch.randn(shape, generator=rng)

        self.embed_matrix = nn.Parameter(normal(PIXELS, h) / PIXELS**0.5)
        self.embed_bias = nn.Parameter(torch.zeros(h))
        self.norm_scale = nn.Parameter(torch.ones(L, h))
        self.gate_matrix = nn.Parameter(normal(L, h, K) / h**0.5)
        self.up_matrix = nn.Parameter(normal(L, K, h, f) * (2 / h) ** 0.5)
        self.up_bias = nn.Parameter(torch.zeros(L, K, f))
        self.down_matrix = nn.Parameter(normal(L, K, f, h) / (f * L) ** 0.5)
        self.down_bias = nn.Parameter(torch.zeros(L, K, h))
        self.head_scale = nn.Parameter(torch.ones(h))
        self.head_matrix = nn.Parameter(normal(h, CLASSES) / h**0.5)
        self.head_bias = nn.Parameter(torch.zeros(CLASSES))

    def forward(self, images: Tensor, select: Rule) -> tuple[Tensor, Tensor]:
        """Return logits and the load-balancing loss, experts selected by a rule."""
        hidden = images @ self.embed_matrix + self.embed_bias
        balance = torch.zeros(())
        for layer, scale in enumerate(self.norm_scale):
            normed = normalise(hidden, scale)
            scores = (normed @ self.gate_matrix[layer]).softmax(dim=1)
            shares = scores * select(layer, scores.detach())
            shares = shares / shares.sum(dim=1, keepdim=True).clamp_min(1e-9)
            units = torch.einsum("th,khf->tkf", normed, self.up_matrix[layer])
            units = functional.relu(units + self.up_bias[layer])
            outputs = torch.einsum("tkf,kfh->tkh", units, self.down_matrix[layer])
            outputs = outputs + self.down_bias[layer]
            hidden = hidden + torch.einsum("tk,tkh->th", shares, outputs)
            balance = balance + load_imbalance(scores)
        logits = normalise(hidden, self.head_scale) @ self.head_matrix + self.head_bias
        return logits, balance / len(self.norm_scale)

    def weights(self) -> MoEWeights:
        """Return the parameters as arrays."""
        parameters = dict(self.named_parameters())
        return MoEWeights(
            *(parameters[name].detach().double().numpy() for name in MoEWeights._fields)
        )


def normalise(hidden: Tensor, scale: Tensor) -> Tensor:
    """Return scale · x / sqrt(mean(x²) + ε)."""
    return hidden * (hidden.square().mean(dim=1, keepdim=True) + EPSILON).rsqrt() * scale


def load_imbalance(scores: Tensor) -> Tensor:
    """Return K Σ_j (share of top-2 picks on j)(mean score of j): 1 at best (Switch Transformer)."""
    experts = scores.shape[1]
    picks = functional.one_hot(scores.topk(2, dim=1).indices, experts).sum(dim=1).float()
    return experts * (picks.mean(dim=0) / 2 * scores.mean(dim=0)).sum()


class ThresholdRule:
    """The cheapest set of one or two experts whose scores reach a threshold, else the top two."""

    def __init__(self, experts: int) -> None:
        pairs = itertools.combinations(range(experts), 2)
        members = [*((j,) for j in range(experts)), *pairs]
        self.sets = torch.zeros(len(members), experts)
        for row, member in enumerate(members):
            self.sets[row, list(member)] = 1.0

    def __call__(self, scores: Tensor, prices: Tensor, threshold: Tensor) -> Tensor:
        """Return the selection, (tokens, K), for prices (tokens, K), thresholds (tokens,)."""
        cost = prices @ self.sets.T
        cost = cost.masked_fill(scores @ self.sets.T < threshold[:, None], torch.inf)
        cheapest, best = cost.min(dim=1)
        return torch.where(cheapest.isfinite()[:, None], self.sets[best], top(scores, 2))


def top(scores: Tensor, count: int) -> Tensor:
    """Return the mask of the `count` highest scores of each token."""
    return torch.zeros_like(scores).scatter_(1, scores.topk(count, dim=1).indices, 1.0)


def draw_prices(shape: tuple[int, ...], rng: torch.Generator) -> Tensor:
    """Return prices spread evenly over the logarithms of a decade, as fading spreads rates."""
    return 10 ** torch.rand(shape, generator=rng)


class TrainingScheduler:
    """Draws a scheduler for each token of a batch: how choosy it is, and what experts cost."""

    def __init__(self, settings: Arguments, tokens: int, rng: torch.Generator) -> None:
        self.rule = ThresholdRule(settings.experts)
        self.shape = (tokens, settings.experts)
        self.skip, self.rng = settings.skip, rng
        self.importance = 0.5 + 0.5 * torch.rand(tokens, generator=rng)
        self.top2 = torch.rand(tokens, generator=rng) < settings.top2_share

    def __call__(self, layer: int, scores: Tensor) -> Tensor:
        """Return the selection of one layer, (tokens, K)."""
        prices = draw_prices(self.shape, self.rng)
        chosen = self.rule(scores, prices, self.importance ** (layer + 1))
        chosen = torch.where(self.top2[:, None], top(scores, 2), chosen)
        found = torch.rand(self.shape[0], 1, generator=self.rng) >= self.skip
        return chosen * found


def distorted(images: Tensor, settings: Arguments, rng: torch.Generator) -> Tensor:
    """Return raw images, (n, 64), each moved, turned and zoomed a little; blank comes in."""
    count = len(images)
    moves, zooms = 2 * torch.rand(2, count, 2, generator=rng) - 1
    turns = settings.turn * (2 * torch.rand(count, generator=rng) - 1)
    cosine, sine = turns.cos(), turns.sin()
    rotation = torch.stack([cosine, -sine, sine, cosine], dim=1).view(count, 2, 2)
    matrix = rotation * (1 + settings.zoom * zooms)[:, :, None]
    # Coordinates run from -1 to 1 over the SIDE pixels.
    move = moves * settings.shift * 2 / SIDE
    grid = functional.affine_grid(
        torch.cat([matrix, move[:, :, None]], dim=2), [count, 1, SIDE, SIDE], align_corners=False
    )
    moved = functional.grid_sample(images.view(-1, 1, SIDE, SIDE), grid, align_corners=False)
    return moved.view(count, PIXELS)


def batches(count: int, size: int, rng: torch.Generator) -> Iterator[Tensor]:
    """Yield the indices of an epoch's batches."""
    order = torch.randperm(count, generator=rng)
    for start in range(0, count, size):
        yield order[start : start + size]


def train(images: Floats, classes: NDArray[np.int64], settings: Arguments) -> MoEWeights:
    """Train on centred images, (n, 64), and return the weights."""
    rng = torch.Generator().manual_seed(settings.seed)
    model = DigitsMoE(settings, rng)
    optimiser = torch.optim.AdamW(
        model.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
    )
    steps = settings.epochs * -(-len(images) // settings.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.learning_rate, steps)
    # Every pixel is blank in some image, so the smallest centred value is minus the mean.
    mean = torch.tensor(-images.min(axis=0), dtype=torch.float32)
    pixels = torch.tensor(images, dtype=torch.float32) + mean
    labels = torch.tensor(classes)
    for _ in range(settings.epochs):
        for chosen in batches(len(pixels), settings.batch, rng):
            batch = distorted(pixels[chosen], settings, rng) - mean
            logits, imbalance = model(batch, TrainingScheduler(settings, len(chosen), rng))
            loss = functional.cross_entropy(logits, labels[chosen]) + settings.balance * imbalance
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return model.weights()


@dataclass(frozen=True)
class Outcome:
    """What a rule reached on a set of images."""

    accuracy: float
    loss: float
    """Cross-entropy, nats."""
    work: float
    """Experts per token and layer."""
    price: float
    """Price paid per token and layer."""


def evaluate(
    weights: MoEWeights, images: Floats, classes: NDArray[np.int64], rule: Rule, prices: Tensor
) -> Outcome:
    """Run the shipped code, not torch's, under a rule; prices are (L, tokens, K)."""
    hidden = embed(weights, images)
    scores = np.empty(prices.shape[1:])
    work = paid = 0.0
    for layer, layer_prices in enumerate(prices):
        gate_scores(weights, layer, hidden, scores)
        selected = rule(layer, torch.tensor(scores, dtype=torch.float32))
        work += float(selected.sum(dim=1).mean())
        paid += float((selected * layer_prices).sum(dim=1).mean())
        apply_experts(weights, layer, scores, selected.numpy() > 0, hidden)
    logits = classify(weights, hidden)
    accuracy = float((logits.argmax(axis=1) == classes).mean())
    loss = float(cross_entropy(logits, classes).mean())
    return Outcome(accuracy, loss, work / len(prices), paid / len(prices))


def at_random(count: int, rng: torch.Generator) -> Rule:
    """Return the rule that takes `count` experts whatever their scores."""
    return lambda layer, scores: top(torch.rand(scores.shape, generator=rng), count)


def only_in(chosen: int, special: Rule, usual: Rule) -> Rule:
    """Return the rule that is `special` in one layer and `usual` in the others."""
    return lambda layer, scores: (special if layer == chosen else usual)(layer, scores)


def cheapest(importance: float, prices: Tensor) -> Rule:
    """Return the rule that takes the cheapest set of at most two experts above γ0^l."""
    rule = ThresholdRule(prices.shape[2])
    return lambda layer, scores: rule(
        scores, prices[layer], torch.full((len(scores),), importance ** (layer + 1))
    )


def fewest(importance: float) -> Rule:
    """Return the rule that takes the best expert, and the second unless the best reaches γ0^l."""

    def rule(layer: int, scores: Tensor) -> Tensor:
        enough = scores.max(dim=1, keepdim=True).values >= importance ** (layer + 1)
        return torch.where(enough, top(scores, 1), top(scores, 2))

    return rule


def rules_to_report(prices: Tensor) -> dict[str, Rule]:
    """Return selection rules by name; prices, (L, tokens, K), are what the thrifty ones meet."""
    rng = torch.Generator().manual_seed(1)
    top2: Rule = lambda layer, scores: top(scores, 2)  # noqa: E731
    none: Rule = lambda layer, scores: torch.zeros_like(scores)  # noqa: E731
    rules: dict[str, Rule] = {
        "top-2": top2,
        "top-1": lambda layer, scores: top(scores, 1),
        "second-best only": lambda layer, scores: top(scores, 2) - top(scores, 1),
        "all experts": lambda layer, scores: torch.ones_like(scores),
        "two random experts": at_random(2, rng),
        "one random expert": at_random(1, rng),
        "cheapest expert": lambda layer, scores: top(-prices[layer], 1),
        "no expert": none,
    }
    for layer in range(len(prices)):
        rules[f"top-2, none in layer {layer + 1}"] = only_in(layer, none, top2)
        rules[f"top-2, random in layer {layer + 1}"] = only_in(layer, at_random(2, rng), top2)
    for importance in IMPORTANCES:
        rules[f"fewest above {importance}^l"] = fewest(importance)
        rules[f"cheapest above {importance}^l"] = cheapest(importance, prices)
    return rules


def report(weights: MoEWeights, images: Floats, classes: NDArray[np.int64]) -> None:
    """Print accuracy, loss, work and price under many rules, then how the gates behave."""
    layers, _, experts = weights.gate_matrix.shape
    rng = torch.Generator().manual_seed(2)
    prices = draw_prices((layers, len(images), experts), rng)
    print(f"{'rule':<26} accuracy  loss/nat  experts/layer  price/layer")
    for name, rule in rules_to_report(prices).items():
        o = evaluate(weights, images, classes, rule, prices)
        print(f"{name:<26} {o.accuracy:8.4f} {o.loss:9.4f} {o.work:14.3f} {o.price:12.3f}")
    print("\nlayer  best score 10/50/90 %  best two 10/50/90 %   load of the experts, % of picks")
    for line in describe_gates(weights, images):
        print(line)


def describe_gates(weights: MoEWeights, images: Floats) -> Iterator[str]:
    """Yield, layer by layer, quantiles of the best scores and each expert's load under top-2."""
    hidden = embed(weights, images)
    scores = np.empty((len(images), weights.gate_matrix.shape[2]))
    for layer in range(len(weights.norm_scale)):
        gate_scores(weights, layer, hidden, scores)
        ordered = np.sort(scores, axis=1)[:, ::-1]
        best = np.quantile(ordered[:, 0], QUANTILES)
        both = np.quantile(ordered[:, :2].sum(axis=1), QUANTILES)
        selected = top(torch.tensor(scores), 2).numpy() > 0
        load = " ".join(f"{50 * share:4.1f}" for share in selected.mean(axis=0))
        numbers = [" ".join(f"{value:.3f}" for value in values) for values in (best, both)]
        yield f"{layer + 1:5}  {numbers[0]:21}  {numbers[1]:19}  {load}"
        apply_experts(weights, layer, scores, selected, hidden)


def main(settings: Arguments) -> None:
    """Train, save and report."""
    torch.set_num_threads(1)
    split = load_digits_split()
    images, classes = split.train, split.train_classes
    heldout, heldout_classes = split.heldout, split.heldout_classes
    if settings.validate:
        kept = len(images) * 4 // 5
        heldout, heldout_classes = images[kept:], classes[kept:]
        images, classes = images[:kept], classes[:kept]
    start = time.perf_counter()
    weights = train(images, classes, settings)
    print(f"trained on {len(images)} images in {time.perf_counter() - start:.0f} s")
    save_moe(settings.output, weights)
    print(f"saved {settings.output}, {Path(settings.output).stat().st_size / 1e3:.0f} kB")
    report(load_moe(settings.output), heldout, heldout_classes)


if __name__ == "__main__":
    main(read_arguments(Arguments, __doc__))
