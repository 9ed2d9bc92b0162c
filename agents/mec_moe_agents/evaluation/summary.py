"""How agents stand, as plain numbers: what `compare`, `evaluate`, `train` and `rank` write as JSON.

A document has `version`, `commit`, `code`, `first_seed`, `seeds`, `scenarios` and `aggregates`.
An estimate is `[mean, low, high]`, its bounds null for a single seed.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

from mec_moe_agents.evaluation.aggregate import THRESHOLDS, Aggregate, AggregateLine
from mec_moe_agents.evaluation.columns import COLUMNS, FEASIBILITY
from mec_moe_agents.evaluation.leaderboard import Leaderboard
from mec_moe_agents.evaluation.line import Line
from mec_moe_agents.evaluation.markdown import scale_in_words
from mec_moe_agents.evaluation.provenance import Provenance
from mec_moe_agents.evaluation.scenarios import Scenario
from mec_moe_agents.evaluation.statistics import Estimate
from mec_moe_env.config import Config

Document = dict[str, Any]


def summary(
    provenance: Provenance,
    seeds: Sequence[int],
    scenarios: Sequence[Document],
    aggregates: Sequence[Aggregate] = (),
) -> Document:
    """Return the whole document; `scenarios` are of `standing`."""
    return {
        "version": provenance.version,
        "commit": provenance.commit,
        "code": provenance.fingerprint,
        "first_seed": seeds[0],
        "seeds": len(seeds),
        "scenarios": list(scenarios),
        "aggregates": [_aggregate(group) for group in aggregates],
    }


def standing(board: Leaderboard, scenario: Scenario, verdict: str) -> Document:
    """Return how all agents of a scenario stand, best first; `gain` is to `compared_with`."""
    bound = board.bound
    return {
        "scenario": scenario.name,
        "size": scenario.size,
        "config": plain_config(scenario.config),
        "compared_with": board.opponent,
        "largest_return": board.largest_return,
        "baseline": {"agent": board.baseline, "mean_return": board.scale.baseline},
        "certified_bound": {
            "source": board.bounds.source,
            "mean_return": None if bound is None else plain_estimate(bound.mean_return),
            "gain": None if bound is None else plain_estimate(bound.gain),
        },
        "has_scores": board.scale.is_defined,
        "scale": scale_in_words(board),
        "no_scale": board.scale.why_none(board.baseline) or board.scale.lack or None,
        "verdict": verdict,
        "agents": [_line(line, board) for line in board.lines],
    }


def plain_config(config: Config) -> Document:
    """Return all fields of a configuration as JSON has them, which knows no infinity."""
    return {name: _plain(value) for name, value in config.to_dict().items()}


def plain_estimate(estimate: Estimate | None) -> list[float | None] | None:
    """Turn an estimate into [mean, low, high]; JSON has no NaN."""
    if estimate is None:
        return None
    return [None if math.isnan(number) else number for number in estimate]


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and math.isinf(value):
        return str(value)
    # A task stream of the user's own has no other form.
    return value if value is None or isinstance(value, bool | int | float | str) else repr(value)


def _line(line: Line, board: Leaderboard) -> Document:
    return {
        "agent": line.agent,
        "contender": line.contender,
        "training_runs": line.training_runs,
        "return": plain_estimate(line.mean_return),
        "gain": plain_estimate(line.gain),
        "p": line.p_value,
        "p_holm": board.adjusted.get(line.agent),
        "score": plain_estimate(line.score),
        "iqm": plain_estimate(line.iqm),
        "better_on_seeds": plain_estimate(line.better_on),
        "probability_of_improvement": plain_estimate(line.improvement),
        "feasibility": _measures(line, FEASIBILITY),
        "measures": _measures(line, COLUMNS.keys() - set(FEASIBILITY)),
    }


def _measures(line: Line, names: Collection[str]) -> Document:
    shown = (name for name in COLUMNS if name in names and name in line.metrics)
    return {name: plain_estimate(line.metrics[name]) for name in shown}


def _aggregate(group: Aggregate) -> Document:
    return {
        "environment": group.environment,
        "scenarios": group.scenarios,
        "left_out": dict(group.left_out),
        "profile_thresholds": THRESHOLDS,
        "agents": [_aggregate_line(line) for line in group.lines],
    }


def _aggregate_line(line: AggregateLine) -> Document:
    return {
        "agent": line.agent,
        "contender": line.contender,
        "iqm": plain_estimate(line.iqm),
        "profile": line.profile.tolist(),
    }
