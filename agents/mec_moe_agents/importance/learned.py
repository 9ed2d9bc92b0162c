"""Which learned schedule an agent follows."""

from __future__ import annotations

from pathlib import Path

from mec_moe_agents.importance.family import DIGITS_MOE, LearnedSchedule, ScheduleFamily
from mec_moe_env import DMoEConfig
from mec_moe_env.config import Config, Real, reject


def has_learned_importance(config: Config) -> bool:
    """Tell whether schedules were learned for a scenario: for its model, the digits' one."""
    return isinstance(config, DMoEConfig) and config.gates == "digits"


def learned_schedule(
    config: DMoEConfig,
    trade_off: float | None = None,
    accuracy: float | None = None,
    path: str | Path | None = None,
) -> LearnedSchedule:
    """Choose the operating point.

    Args:
        config: the scenario.
        trade_off: joules per token that a nat of cross-entropy is worth. None follows the
            reward: error_weight / (energy_weight·I·Q).
        accuracy: instead, the least accuracy on the training episodes that it was learned on.
        path: a file that `mec-moe learn-importance` wrote; None takes the shipped one.

    Raises:
        ValueError: nothing was learned for the scenario; an option is out of range, or both say
            what to choose; the file is damaged.
        FileNotFoundError: there is no such file.
    """
    if not has_learned_importance(config):
        raise ValueError(
            f"learned needs a scenario with gates = 'digits', got {config.gates!r}: take jesa"
        )
    if trade_off is not None and accuracy is not None:
        raise ValueError(f"give trade_off = {trade_off} or accuracy = {accuracy}, not both")
    family = ScheduleFamily.load(DIGITS_MOE if path is None else path, config.num_layers)
    if accuracy is not None:
        return family.reaching(accuracy)
    if trade_off is not None:
        if not (allowed := Real(0)).admits(trade_off):
            raise reject("trade_off", trade_off, allowed)
        return family.best_for(trade_off, 1.0)
    tokens = config.sources * config.tokens_per_source
    return family.best_for(config.error_weight, config.energy_weight * tokens)
