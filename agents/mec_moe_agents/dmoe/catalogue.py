"""The agents for `mec_moe/DMoE-v0`, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mec_moe_agents.agent import Agent, CatalogueEntry, Seed
from mec_moe_agents.dmoe import schedulers
from mec_moe_agents.dmoe.agent import Scheduler, SchedulingAgent
from mec_moe_agents.dmoe.layer import Importance, ThresholdSchedule, same_for_all_layers
from mec_moe_agents.dmoe.learned import has_learned_importance, learned_schedule
from mec_moe_env import DMoEConfig
from mec_moe_env.config import Whole, reject


def _by(scheduler: Callable[..., Scheduler]) -> Callable[..., Agent]:
    """Serve every token as its layer's threshold asks, the configured one by default."""

    def build(
        config: DMoEConfig,
        env: Any,
        seed: Seed,
        importance: Importance | None = None,
        qos: float | None = None,
        **options: Any,
    ) -> Agent:
        schedule = ThresholdSchedule(config, importance, qos)
        return SchedulingAgent(config, scheduler(config, schedule, **options))

    return build


def _jesa(config: DMoEConfig, schedule: ThresholdSchedule) -> Scheduler:
    return schedulers.JointScheduler(config, schedule)


def _jesa_plus(
    config: DMoEConfig, schedule: ThresholdSchedule, effort: int = schedulers.EFFORT
) -> Scheduler:
    if not Whole(1).admits(effort):
        raise reject("effort", effort, Whole(1))
    return schedulers.JointScheduler(config, schedule, effort)


def _optimal(
    config: DMoEConfig, schedule: ThresholdSchedule, patience: int | None = None
) -> Scheduler:
    """Solve each layer in the return's terms.

    Args:
        config: the environment's configuration.
        schedule: the thresholds.
        patience: of the search; by default more where subcarriers are scarce.
    """
    if patience is not None and not Whole(0).admits(patience):
        raise reject("patience", patience, "None or an integer ≥ 0")
    return schedulers.OptimalScheduler(config, schedule, patience)


def _homogeneous(config: DMoEConfig, env: Any, seed: Seed, qos: float | None = None) -> Agent:
    return SchedulingAgent(
        config, schedulers.JointScheduler(config, same_for_all_layers(config, qos))
    )


def _learned(
    config: DMoEConfig,
    env: Any,
    seed: Seed,
    trade_off: float | None = None,
    accuracy: float | None = None,
    path: str | Path | None = None,
) -> Agent:
    learned = learned_schedule(config, trade_off, accuracy, path)
    return _by(_jesa)(config, env, seed, learned.importance)


DMOE_AGENTS: Mapping[str, CatalogueEntry] = MappingProxyType(
    {
        "random": CatalogueEntry(
            "random experts and subcarriers",
            lambda config, env, seed: SchedulingAgent(
                config, schedulers.RandomScheduler(config, seed)
            ),
        ),
        "no-expert": CatalogueEntry(
            "no expert for any token: the floor",
            lambda config, env, seed: SchedulingAgent(config, schedulers.IdleScheduler(config)),
        ),
        "topk": CatalogueEntry(
            "the D most relevant experts",
            lambda config, env, seed, experts=None: SchedulingAgent(
                config, schedulers.TopScheduler(config, experts)
            ),
            takes=(schedulers.TopScheduler,),
        ),
        "homogeneous": CatalogueEntry(
            "JESA with one threshold for all layers: H(z, D)",
            _homogeneous,
            takes=(same_for_all_layers,),
        ),
        "des": CatalogueEntry(
            "cheapest experts above the threshold, then subcarriers",
            _by(schedulers.SelectionScheduler),
            takes=(ThresholdSchedule,),
        ),
        "jesa": CatalogueEntry(
            "experts and subcarriers alternating (Qin et al. 2025)",
            _by(_jesa),
            takes=(ThresholdSchedule,),
        ),
        "jesa-plus": CatalogueEntry(
            "JESA, then a local search over links",
            _by(_jesa_plus),
            takes=(ThresholdSchedule, _jesa_plus, schedulers.JointScheduler),
        ),
        "optimal": CatalogueEntry(
            "each layer's best action in the return's terms; a reference, never a contender",
            _by(_optimal),
            contender=False,
            takes=(ThresholdSchedule, _optimal),
        ),
        "learned": CatalogueEntry(
            "JESA with learned layer importance",
            _learned,
            serves=has_learned_importance,
            takes=(learned_schedule,),
        ),
        "exact": CatalogueEntry(
            "the optimum of each layer, where small; a reference, never a contender",
            _by(schedulers.ExactScheduler),
            contender=False,
            serves=schedulers.is_small,
            takes=(ThresholdSchedule, schedulers.ExactScheduler),
        ),
    }
)
