"""The agents for `mec_moe/DMoE-v0`, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mec_moe_agents.agent import Agent, CatalogueEntry
from mec_moe_agents.dmoe.agent import SchedulingAgent
from mec_moe_agents.dmoe.layer import Importance, ThresholdSchedule, same_for_all_layers
from mec_moe_agents.dmoe.learned import has_learned_importance, learned_schedule
from mec_moe_agents.dmoe.schedulers import (
    ExactScheduler,
    JointScheduler,
    RandomScheduler,
    SelectionScheduler,
    TopScheduler,
    is_small,
)
from mec_moe_env import DMoEConfig
from mec_moe_env.config import Whole, reject

Seed = int | Sequence[int]
EFFORT = 200
"""Moves of JESA+ in a layer; on `paper` more hardly ever find anything."""


def _random(config: DMoEConfig, env: Any, seed: Seed) -> Agent:
    return SchedulingAgent(config, RandomScheduler(config, seed))


def _topk(config: DMoEConfig, env: Any, seed: Seed) -> Agent:
    return SchedulingAgent(config, TopScheduler(config))


def _homogeneous(config: DMoEConfig, env: Any, seed: Seed, qos: float | None = None) -> Agent:
    return SchedulingAgent(config, JointScheduler(config, same_for_all_layers(config, qos)))


def _des(
    config: DMoEConfig,
    env: Any,
    seed: Seed,
    importance: Importance | None = None,
    qos: float | None = None,
) -> Agent:
    schedule = ThresholdSchedule(config, importance, qos)
    return SchedulingAgent(config, SelectionScheduler(config, schedule))


def _jesa(
    config: DMoEConfig,
    env: Any,
    seed: Seed,
    importance: Importance | None = None,
    qos: float | None = None,
) -> Agent:
    schedule = ThresholdSchedule(config, importance, qos)
    return SchedulingAgent(config, JointScheduler(config, schedule))


def _jesa_plus(
    config: DMoEConfig,
    env: Any,
    seed: Seed,
    importance: Importance | None = None,
    qos: float | None = None,
    effort: int = EFFORT,
) -> Agent:
    if not Whole(1).admits(effort):
        raise reject("effort", effort, Whole(1))
    schedule = ThresholdSchedule(config, importance, qos)
    return SchedulingAgent(config, JointScheduler(config, schedule, effort))


def _exact(
    config: DMoEConfig,
    env: Any,
    seed: Seed,
    importance: Importance | None = None,
    qos: float | None = None,
    time_limit: float = 20.0,
) -> Agent:
    schedule = ThresholdSchedule(config, importance, qos)
    return SchedulingAgent(config, ExactScheduler(config, schedule, time_limit))


def _learned(
    config: DMoEConfig,
    env: Any,
    seed: Seed,
    trade_off: float | None = None,
    accuracy: float | None = None,
    path: str | Path | None = None,
) -> Agent:
    importance = learned_schedule(config, trade_off, accuracy, path).importance
    schedule = ThresholdSchedule(config, importance)
    return SchedulingAgent(config, JointScheduler(config, schedule))


DMOE_AGENTS: Mapping[str, CatalogueEntry] = MappingProxyType(
    {
        "random": CatalogueEntry("random experts and subcarriers", _random),
        "topk": CatalogueEntry("the D most relevant experts", _topk),
        "homogeneous": CatalogueEntry(
            "JESA with one threshold for all layers: H(z, D)", _homogeneous
        ),
        "des": CatalogueEntry("cheapest experts above the threshold, then subcarriers", _des),
        "jesa": CatalogueEntry("experts and subcarriers in turns (Qin et al. 2025)", _jesa),
        "jesa-plus": CatalogueEntry("JESA, then a local search over links", _jesa_plus),
        "learned": CatalogueEntry(
            "JESA with learned layer importance", _learned, serves=has_learned_importance
        ),
        "exact": CatalogueEntry("the optimum of each layer, where small", _exact, serves=is_small),
    }
)
