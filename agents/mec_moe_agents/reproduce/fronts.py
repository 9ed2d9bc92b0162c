"""What schedulers make of the reward's terms, weighted otherwise: fronts and hypervolumes.

The vector return of an episode, as `mec_moe/MO-Offloading-v0` and `mec_moe/MO-DMoE-v0` have it, is
(error, energy, delay) or (error, energy), none of them above 0. Every scheduler is run under
several mixes of their weights, on the same seeds; it reads the weights from the configuration. What
it can reach is the set of its mean vectors, one point if it does not look at the weights.

The hypervolume is the share of the box between a reference point and 0 that such a set dominates
(Zitzler and Thiele 1999). By default the reference is where each term alone, at its configured
weight, costs what it costs to do nothing at all: with c the mean loss of the idle scheduler
(`reject-all`, `no-expert`), it is c·w_error/w_k in term k. The tasks and the weights fix it, no
scheduler's result does; who does nothing dominates nothing, and who pays more for one term than
all tasks are worth does not either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from mec_moe_agents.environments import DMOE, OFFLOADING, environment_of
from mec_moe_agents.evaluation.rollout import Episodes
from mec_moe_agents.evaluation.statistics import (
    CURVE_RESAMPLES,
    Estimate,
    interval,
    resampled_means,
)
from mec_moe_agents.registry import find_agent
from mec_moe_agents.reproduce import Headline, Row, rows_of
from mec_moe_env.config import Config, Whole, reject
from mec_moe_env.core.buffers import Floats
from mec_moe_env.fronts import DECIMALS, hypervolume, nondominated

QUESTION = "Which trade-offs between the reward's terms are within a scheduler's reach?"
CONFIGURED = "as configured"
IDLE: Mapping[str, str] = {OFFLOADING.name: "reject-all", DMOE.name: "no-expert"}
"""By environment the scheduler that does nothing."""
ALL, EXACT = "all contenders", "exact front"
STEPS = Whole(1, 20)


class Mix(NamedTuple):
    """A weighting of the terms, in a configuration that is otherwise the scenario's."""

    name: str
    config: Config


def mixes(config: Config, steps: int) -> list[Mix]:
    """Return the configured weighting and every one whose shares are multiples of 1/steps.

    A term of share s has s·k times its configured weight, k terms in all: equal shares are the
    configured weights (Das and Dennis 1998 for the lattice).

    Raises:
        ValueError: a configured weight is 0, or `steps` is out of range.
    """
    if not STEPS.admits(steps):
        raise reject("weights", steps, STEPS)
    named = (f"{term}_weight" for term in config.outcomes.reward_terms)
    weights = {name: getattr(config, name) for name in named if hasattr(config, name)}
    for name, weight in weights.items():
        if weight == 0.0:
            raise reject(name, weight, "above 0 where weights are swept, as multiples of it")
    found = [Mix(CONFIGURED, config)]
    for parts in _compositions(steps, len(weights)):
        if len(set(parts)) > 1:
            changed = {
                name: weight * part * len(weights) / steps
                for (name, weight), part in zip(weights.items(), parts, strict=True)
            }
            shares = " ".join(f"{part / steps:.2g}" for part in parts)
            found.append(Mix(shares, config.override(**changed)))
    return found


def _compositions(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    """Yield all ways to write a total as an ordered sum of so many integers from 0."""
    if parts == 1:
        yield (total,)
        return
    for first in range(total, -1, -1):
        for rest in _compositions(total - first, parts - 1):
            yield (first, *rest)


@dataclass(frozen=True, eq=False)
class Reached:
    """What one scheduler reached under the mixes in which it can act."""

    agent: str
    contender: bool
    mixes: Sequence[Mix]
    vectors: Floats
    """Vector returns of every episode, (n, mixes, k)."""

    @property
    def means(self) -> Floats:
        """The mean vector of each mix, (mixes, k)."""
        return np.asarray(self.vectors.mean(axis=0))


@dataclass(frozen=True, eq=False)
class Trades:
    """All schedulers of a scenario on the same seeds."""

    config: Config
    seeds: Sequence[int]
    reached: Sequence[Reached]
    given: Floats | None = None
    """The reference point, (k,), if it is not to come from the idle scheduler."""
    exact: Floats | None = None
    """Vector returns that no episode dominates, (points, k), where they are known."""

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the components."""
        return tuple(self.config.outcomes.terms)

    @cached_property
    def reference(self) -> Floats:
        """The reference point, (k,)."""
        return self._references(self._idle.vectors.mean(axis=0))

    @property
    def _idle(self) -> Reached:
        name = IDLE[environment_of(self.config).name]
        return next(each for each in self.reached if each.agent == name)

    def _references(self, idle: Floats) -> Floats:
        """Return reference points (..., k) from mean vectors (..., mixes, k) of idling."""
        if self.given is not None:
            return np.broadcast_to(self.given, (*idle.shape[:-2], idle.shape[-1]))
        weights = self.config.reward_weights
        return np.asarray(idle[..., 0, :1] * weights[0] / weights)

    @cached_property
    def front(self) -> Floats:
        """Mean vectors of contenders that those of no other contender dominate, (points, k)."""
        return nondominated(np.concatenate([each.means for each in self._contenders]))

    @property
    def _contenders(self) -> list[Reached]:
        return [each for each in self.reached if each.contender]

    def on_front(self, point: Floats) -> bool:
        """Tell whether a mean vector is one of the front."""
        same = np.round(self.front, DECIMALS) == np.round(point, DECIMALS)
        return bool(same.all(axis=1).any())

    @cached_property
    def shares(self) -> Mapping[str, tuple[float, Floats]]:
        """By scheduler, and of all contenders together, the hypervolume and its resamples, (r,)."""
        counted = {each.agent: each.vectors for each in self.reached}
        counted[ALL] = np.concatenate([each.vectors for each in self._contenders], axis=1)
        resampled = {name: _resampled(vectors) for name, vectors in counted.items()}
        references = self._references(resampled[self._idle.agent])
        return {
            name: (
                float(share(vectors.mean(axis=0), self.reference)),
                share(resampled[name], references),
            )
            for name, vectors in counted.items()
        }

    def volume(self, name: str) -> Estimate:
        """Return a hypervolume with its 95 % bootstrap interval over the seeds."""
        value, resamples = self.shares[name]
        return self._estimate(value, resamples)

    def behind(self, name: str) -> Estimate:
        """Return by how much a hypervolume is less than that of the best contender, paired."""
        value, resamples = self.shares[name]
        best, best_resamples = self.shares[self.best]
        return self._estimate(best - value, best_resamples - resamples)

    def _estimate(self, value: float, resamples: Floats) -> Estimate:
        if len(self.seeds) < 2:
            return Estimate(value)
        low, high = interval(resamples, len(self.seeds))
        return Estimate(value, float(low), float(high))

    @property
    def best(self) -> str:
        """The contender of the largest hypervolume."""
        return max((each.agent for each in self._contenders), key=lambda name: self.shares[name][0])

    @property
    def rows(self) -> list[Row]:
        """A row for each scheduler, mix and seed; the first is of the scenario as configured."""
        found: list[Row] = []
        for each in self.reached:
            for place, mix in enumerate(each.mixes):
                labels: dict[str, object] = {
                    "agent": each.agent,
                    "mix": mix.name,
                    "on_front": each.contender and self.on_front(each.means[place]),
                }
                columns = dict(zip(self.terms, each.vectors[:, place].T, strict=True))
                found += rows_of(labels, self.seeds, columns, mix.config)
        return found


def _resampled(vectors: Floats) -> Floats:
    """Return mean vectors of resamples of the seeds, (resamples, mixes, k), the same for all."""
    flat = resampled_means(vectors.reshape(len(vectors), -1), CURVE_RESAMPLES)
    return flat.reshape(-1, *vectors.shape[1:])


def share(points: Floats, reference: Floats) -> Floats:
    """Return the share of the box between references (..., k) and 0 that points dominate."""
    return np.asarray(hypervolume(points, reference) / np.abs(reference).prod(axis=-1))


def sweep(
    config: Config,
    agents: Sequence[str],
    seeds: Sequence[int],
    steps: int,
    run: Callable[[Mix, Sequence[str]], Mapping[str, Episodes]],
    *,
    reference: Sequence[float] | None = None,
    exact: Sequence[Floats] | None = None,
) -> Trades:
    """Run schedulers under every mix of the weights.

    Args:
        config: the scenario.
        agents: names; the idle scheduler takes part in any case.
        seeds: one episode each.
        steps: of each weight, see `mixes`.
        run: carries out a mix for some schedulers, one episode for each seed.
        reference: a point below 0 in every term, instead of that of the idle scheduler.
        exact: the vectors that no episode dominates, where they are known.

    Raises:
        ValueError: a weight is 0, `steps` is out of range, or the reference does not fit.
    """
    given = None if reference is None else check_reference(reference, config)
    idle = IDLE[environment_of(config).name]
    names = list(dict.fromkeys([*agents, idle]))
    found: dict[str, dict[Mix, Floats]] = {name: {} for name in names}
    for mix in mixes(config, steps):
        able = [name for name in names if find_agent(name, mix.config).serves(mix.config)]
        for name, episodes in run(mix, able).items():
            vectors = [episodes.metrics[term] for term in config.outcomes.terms]
            found[name][mix] = np.stack(vectors, axis=1)
    reached = [
        Reached(
            name,
            find_agent(name, config).contender,
            list(by_mix),
            np.stack(list(by_mix.values()), axis=1),
        )
        for name, by_mix in found.items()
    ]
    return Trades(config, seeds, reached, given, None if exact is None else np.array(exact))


def check_reference(reference: Sequence[float], config: Config) -> Floats:
    """Return a reference point as an array, (k,).

    Raises:
        ValueError: it has not one negative number for each term.
    """
    terms = config.outcomes.terms
    point = np.array(reference, np.float64)
    if point.shape != (len(terms),) or not (np.isfinite(point) & (point < 0)).all():
        wanted = f"{len(terms)} numbers below 0, for {', '.join(terms)}"
        raise reject("reference", tuple(reference), wanted)
    return point


def headlines(trades: Trades) -> list[Headline]:
    """State the reference and every hypervolume, largest first, with its paired distance."""
    found = [
        Headline(f"reference point: {term}", Estimate(float(value)), decimals=2)
        for term, value in zip(trades.terms, trades.reference, strict=True)
    ]
    if trades.exact is not None:
        exact = Estimate(float(share(trades.exact, trades.reference)))
        found.append(Headline(f"hypervolume: {EXACT}", exact, decimals=3))
    for name in by_volume(trades):
        found.append(Headline(f"hypervolume: {name}", trades.volume(name), decimals=3))
        if name not in (ALL, trades.best):
            label = f"hypervolume: {name} behind {trades.best}"
            found.append(Headline(label, trades.behind(name), decimals=3))
    return found


def by_volume(trades: Trades) -> list[str]:
    """Name all contenders together, then every scheduler by falling hypervolume."""
    names = [each.agent for each in trades.reached]
    return [ALL, *sorted(names, key=lambda name: -trades.shares[name][0])]
