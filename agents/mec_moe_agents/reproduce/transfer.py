"""How the policy that was trained on `default` does where it was not trained (our extension).

The shipped weights saw M = 8 servers, one Doppler frequency, no failure and no bursts. Each sweep
changes one of these and nothing else: with M, the subcarriers and types stay as they are. All
schedulers meet the same tasks, channels and failures, on seeds that no training, tuning or choice
of weights has used. `oracle` is a greedy yardstick that can be beaten.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mec_moe_agents.evaluation.rollout import evaluate
from mec_moe_agents.evaluation.statistics import Estimate, estimate_mean
from mec_moe_agents.reproduce.output import as_json
from mec_moe_agents.reproduce.study import Answer, Headline, Row, Study
from mec_moe_agents.reproduce.transfer_conditions import (
    AGENTS,
    BASELINES,
    LEARNED,
    PRESET,
    Found,
    conditions,
    returns,
)
from mec_moe_agents.reproduce.transfer_drawing import draw

METRICS = ("return", "generalization_error", "energy_j", "delay_slots", "rejected", "lost")


def run(seeds: Sequence[int]) -> Answer:
    """Run every scheduler in every condition on the same seeds."""
    found = {
        condition: {
            agent: evaluate(
                agent, config, seeds, options={"preset": PRESET} if agent == LEARNED else None
            )
            for agent in AGENTS
        }
        for condition, config in conditions().items()
    }
    return Answer(_rows(found), draw(found), headlines(found))


def lead(found: Found, condition: str, baseline: str) -> Estimate:
    """Estimate by how much the learned policy's return exceeds a baseline's, seed by seed."""
    difference = returns(found, condition, LEARNED) - returns(found, condition, baseline)
    return estimate_mean(difference)


def verdict(estimate: Estimate) -> bool | None:
    """Tell whether a lead is positive; None where its interval does not decide."""
    return estimate.mean > 0 if estimate.excludes_zero else None


def headlines(found: Found) -> list[Headline]:
    """State the lead over `guard` and over the best other baseline, condition by condition."""
    lines, ahead, behind = [], 0, 0
    for condition in found:
        leads = {baseline: lead(found, condition, baseline) for baseline in BASELINES}
        verdicts = {baseline: verdict(estimate) for baseline, estimate in leads.items()}
        ahead += all(verdicts.values())
        behind += False in verdicts.values()
        lines += [
            Headline(f"{condition}: learned − {name}", leads[name], "> 0", verdicts[name])
            for name in ("guard", best_other(found, condition))
        ]
    lines.append(_count(f"ahead of every baseline (of {len(found)})", ahead))
    lines.append(_count(f"behind a baseline (of {len(found)})", behind))
    return lines


def best_other(found: Found, condition: str) -> str:
    """Return the baseline with the highest mean return, `guard` left out."""
    others = [baseline for baseline in BASELINES if baseline != "guard"]
    return max(others, key=lambda agent: float(returns(found, condition, agent).mean()))


def _count(label: str, count: int) -> Headline:
    return Headline(label, Estimate(float(count), np.nan, np.nan), decimals=0)


def _rows(found: Found) -> list[Row]:
    configs = conditions()
    return [
        {
            "condition": condition,
            "scheduler": agent,
            "seed": seed,
            **{name: episodes.metrics[name][row] for name in METRICS},
            "to_guard": (episodes.metrics["return"] - returns(found, condition, "guard"))[row],
            "config": as_json(configs[condition]),
        }
        for condition, by_agent in found.items()
        for agent, episodes in by_agent.items()
        for row, seed in enumerate(episodes.seeds.tolist())
    ]


STUDY = Study("transfer", "Does the learned policy hold where it was not trained?", run)
