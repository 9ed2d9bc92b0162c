"""Searching for the importance of layers that the paper sets by hand (Qin et al. 2025, P1).

A direct search in a fast stand-in for `digits-moe`, on training seeds that evaluation never meets;
what it finds is recorded in the environment itself, and the best of it kept. Search and evaluation
share the 540 held-out images that `digits-moe` shows; which of them come together, the channels
and the nodes are new.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from mec_moe_agents.dmoe.layer import SAFETY, token_joules
from mec_moe_agents.dmoe.learned import DIGIT_CLASSES, LearnedSchedule, Match, ScheduleFamily
from mec_moe_agents.evaluation.rollout import FIRST_TRAINING_SEED, check_training_seeds, evaluate
from mec_moe_agents.solvers import select_experts
from mec_moe_env import DMOE_PRESETS, DMoEConfig, DMoEVectorEnv, Layer, moe
from mec_moe_env.core.buffers import Floats
from mec_moe_env.tasks.images import load_digits_split

Schedule = tuple[float, ...]

CONFIG = DMOE_PRESETS["digits-moe"]
SHARED = (
    "Practice and evaluation share the 540 held-out images of digits-moe; their seeds (which "
    "images come together, channels, geometry) are disjoint."
)
HAND_SET = tuple(round(step / 20, 2) for step in range(1, 21))
"""γ0 = 0.05, 0.10, …, 1."""
ROUGH_EPISODES, FINE_EPISODES, RECORD_EPISODES = 60, 500, 2000
FIRST_RECORD_SEED = FIRST_TRAINING_SEED + 1_000_000
"""Energy, loss and accuracy are recorded on episodes other than those of the search, because the
schedules that won there were lucky there."""
STANDARD_ERRORS = 2.0
"""By which a schedule has to lead: of many nearly as accurate the luckiest is not to win."""

GRID: Schedule = (0.0, 0.15, 0.3, 0.45, 0.6, 0.9)
STEPS: Schedule = (0.1, 0.05, 0.025)
ROUNDS = 3
"""With each step length."""
SPACING = 0.05
"""Of schedules on the front, in relative energy."""
LEAST_JOULES = 1e-6


class Outcome(NamedTuple):
    """What a schedule brings, means over the tokens."""

    joules: float
    """Energy over all layers."""
    loss: float
    """Cross-entropy of the final output, nats."""
    accuracy: float


Evaluator = Callable[[Schedule], Outcome]


class Record(NamedTuple):
    """Episodes of the environment under one schedule, n of them."""

    joules: Floats
    """Per token, all layers, (n,)."""
    spent: Floats
    """Energy as the reward measures it, (n,)."""
    loss: Floats
    """Cross-entropy of the final output, nats, (n,)."""
    accuracy: Floats
    """(n,)."""

    @property
    def outcome(self) -> Outcome:
        """The means."""
        return Outcome(*(float(each.mean()) for each in (self.joules, self.loss, self.accuracy)))


def learn_family(tell: Callable[[str], None] = lambda text: None) -> ScheduleFamily:
    """Search for schedules from thrifty to accurate; minutes on one core, always the same.

    Args:
        tell: called with what is being done.

    Raises:
        ImportError: scikit-learn, the extra `digits`, is not installed.
    """
    tell("searching for schedules")
    start = FIRST_TRAINING_SEED
    rough = ImportanceEnvironment(CONFIG, range(start, start + ROUGH_EPISODES))
    start += ROUGH_EPISODES
    fine = ImportanceEnvironment(CONFIG, range(start, start + FINE_EPISODES))
    schedules = search_front(CONFIG.num_layers, rough.run, fine.run)
    seeds = recording_seeds()
    tell(f"trying {len(schedules)} schedules on {len(seeds)} training episodes")
    records = {each: record(CONFIG, each, seeds) for each in schedules}
    outcomes = {each: found.outcome for each, found in records.items()}
    best = front(outcomes)
    tell(f"trying JESA with {len(HAND_SET)} values of γ0 on the same episodes")
    candidates = {each: records[each] for each in best}
    return ScheduleFamily(
        tuple(as_learned(each, records[each]) for each in best),
        tuple(
            choose_match(hand_set, record(CONFIG, powers(hand_set), seeds), candidates)
            for hand_set in HAND_SET
        ),
    )


def as_learned(schedule: Schedule, record: Record) -> LearnedSchedule:
    """Return a schedule with the means of its record."""
    return LearnedSchedule(schedule, *(float(each.mean()) for each in record))


def recording_seeds() -> range:
    """Return the training seeds on which schedules are chosen."""
    return range(FIRST_RECORD_SEED, FIRST_RECORD_SEED + RECORD_EPISODES)


def powers(hand_set: float) -> Schedule:
    """Return γ0^l of every layer."""
    return CONFIG.override(importance=hand_set).layer_importance


def record(config: DMoEConfig, importance: Sequence[float], seeds: Sequence[int]) -> Record:
    """Run JESA under a schedule through one episode of the environment per training seed.

    The same seeds make records comparable episode by episode.

    Raises:
        ValueError: a seed is below 2³¹, where evaluation has its own.
    """
    check_training_seeds(seeds)
    metrics = evaluate("jesa", config, seeds, options={"importance": tuple(importance)}).metrics
    return Record(
        metrics["energy_per_token_j"],
        -metrics["reward_energy"],
        # The reward's term is 1 for a guess.
        -metrics["reward_error"] * math.log(DIGIT_CLASSES),
        metrics["accuracy"],
    )


def choose_match(hand_set: float, jesa: Record, candidates: Mapping[Schedule, Record]) -> Match:
    """Choose the cheapest candidate that is more accurate than JESA by a safety margin.

    The margin is `STANDARD_ERRORS` paired standard errors of the difference, episodes being the
    units: the lead is sure on new seeds, not on new images. Where no candidate reaches its own
    margin, the one that comes nearest. All episodes are of the same seeds, JESA's under γ0^l.
    """
    matches = []
    for schedule, ours in candidates.items():
        gains = ours.accuracy - jesa.accuracy
        margin = STANDARD_ERRORS * float(gains.std(ddof=1) / np.sqrt(gains.size))
        matches.append(Match(hand_set, schedule, float(gains.mean()), margin))
    safe = [each for each in matches if each.gain >= each.margin]
    if not safe:
        return max(matches, key=lambda each: each.gain - each.margin)
    return min(safe, key=lambda each: candidates[each.importance].joules.mean())


def search_front(
    layers: int, rough: Evaluator, fine: Evaluator, grid: Schedule = GRID, steps: Schedule = STEPS
) -> list[Schedule]:
    """Look for the front: all of a coarse grid, then the neighbours of the best, ever nearer.

    `rough` evaluates the grid, |grid|^L schedules, and `fine` the rest.
    """
    on_grid = {schedule: rough(schedule) for schedule in itertools.product(grid, repeat=layers)}
    found = {schedule: fine(schedule) for schedule in front(on_grid)}
    for step, _ in itertools.product(steps, range(ROUNDS)):
        near = {other for schedule in front(found) for other in neighbours(schedule, step)}
        found |= {schedule: fine(schedule) for schedule in sorted(near - found.keys())}
    return front(found)


def front(found: Mapping[Schedule, Outcome]) -> list[Schedule]:
    """Return the schedules that no cheaper one equals in loss or in accuracy, by rising energy.

    The two are not one: a surer classifier loses less, and is right no more often. Of schedules
    within `SPACING` of each other in energy, the best of either kind.
    """
    least_lossy = _leaders(found, lambda each: each.loss)
    most_accurate = _leaders(found, lambda each: -each.accuracy)
    return sorted(least_lossy | most_accurate, key=lambda each: found[each].joules)


def _leaders(
    found: Mapping[Schedule, Outcome], badness: Callable[[Outcome], float]
) -> set[Schedule]:
    best: dict[int, Schedule] = {}
    for schedule, outcome in found.items():
        band = math.floor(math.log(max(outcome.joules, LEAST_JOULES)) / SPACING)
        if band not in best or badness(outcome) < badness(found[best[band]]):
            best[band] = schedule
    kept: set[Schedule] = set()
    least = math.inf
    for schedule in sorted(best.values(), key=lambda each: found[each].joules):
        if badness(found[schedule]) < least:
            kept.add(schedule)
            least = badness(found[schedule])
    return kept


def neighbours(schedule: Schedule, step: float) -> list[Schedule]:
    """Return the schedules in which one layer's importance differs by a step, within [0, 1]."""
    near = []
    for layer, change in itertools.product(range(len(schedule)), (-step, step)):
        moved = round(min(max(schedule[layer] + change, 0.0), 1.0), 6)
        near.append((*schedule[:layer], moved, *schedule[layer + 1 :]))
    return near


class ImportanceEnvironment:
    """A fast stand-in for `digits-moe`: each token takes the cheapest experts allowed.

    Prices are those of the environment's own channels. Every link has its best subcarrier, as in
    LB(γ0, D) of Qin et al. 2025, from which JESA differs by a fraction of a percent where
    subcarriers abound: tokens are then independent of each other, and a schedule is evaluated in a
    tenth of the time.

    Args:
        config: `digits-moe`, or it with other fields of the radio network.
        seeds: of the episodes whose channels are taken, and of the images.
        images: `heldout`, which the environment shows too, or `train`, those that the classifier
            learned from.

    Raises:
        ValueError: a seed is below 2³¹, where evaluation has its own.
        ImportError: scikit-learn, the extra `digits`, is not installed.
    """

    def __init__(
        self,
        config: DMoEConfig,
        seeds: Sequence[int],
        images: Literal["heldout", "train"] = "heldout",
    ) -> None:
        check_training_seeds(seeds)
        self._config = config
        self._weights = moe.load_digits_moe()
        self._prices = record_prices(config, seeds)
        split = load_digits_split()
        shown, classes = getattr(split, images), getattr(split, f"{images}_classes")
        rng = np.random.default_rng(list(seeds))
        chosen = rng.integers(len(shown), size=self._prices.shape[1])
        self._labels = classes[chosen]
        self._hidden = moe.embed(self._weights, shown[chosen])

    def run(self, importance: Sequence[float]) -> Outcome:
        """Take all tokens through all layers, layer l at the threshold z·importance[l]."""
        hidden = self._hidden.copy()
        scores, joules = np.empty(self._prices.shape[1:]), 0.0
        for layer, prices in enumerate(self._prices):
            moe.gate_scores(self._weights, layer, hidden, scores)
            threshold = self._config.qos * importance[layer] * (1.0 + SAFETY)
            selected = select_experts(prices, scores, threshold, self._config.max_experts).selected
            joules += float((prices * selected).sum(axis=1).mean())
            moe.apply_experts(self._weights, layer, scores, selected, hidden)
        logits = moe.classify(self._weights, hidden)
        return Outcome(
            joules,
            float(moe.cross_entropy(logits, self._labels).mean()),
            float((logits.argmax(axis=1) == self._labels).mean()),
        )


def record_prices(config: DMoEConfig, seeds: Sequence[int]) -> Floats:
    """Return joules per token on every node, best subcarriers, (L, tokens, K).

    The channel does not depend on what a scheduler does.
    """
    env = DMoEVectorEnv(len(seeds), config)
    observation, _ = env.reset(seed=list(seeds))
    idle = np.zeros((len(seeds), len(env.single_action_space.nvec)), np.int64)
    prices = []
    for _ in range(config.num_layers):
        joules = token_joules(Layer.read(observation, config), config)
        prices.append(np.repeat(joules, config.tokens_per_source, axis=1))
        observation, *_ = env.step(idle)
    env.close()
    return np.stack(prices).reshape(config.num_layers, -1, config.num_nodes)
