"""What a schedule brings in the environment itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mec_moe_agents.evaluation.rollout import check_training_seeds, evaluate
from mec_moe_agents.importance.practice import Outcome
from mec_moe_env import DMoEConfig
from mec_moe_env.core.buffers import Floats


@dataclass(frozen=True)
class Record:
    """Episodes under one schedule, n of them."""

    joules: Floats
    """Per token, all layers, (n,)."""
    loss: Floats
    """Cross-entropy of the final output, nats, (n,)."""
    accuracy: Floats
    """(n,)."""

    @property
    def outcome(self) -> Outcome:
        """The means."""
        return Outcome(*(float(each.mean()) for each in (self.joules, self.loss, self.accuracy)))


def practise(config: DMoEConfig, importance: Sequence[float], seeds: Sequence[int]) -> Record:
    """Run JESA under a schedule through one episode of the environment per training seed.

    Args:
        config: `digits-moe`, or it with other fields of the radio network.
        importance: of every layer.
        seeds: the same ones make records comparable episode by episode.

    Raises:
        ValueError: a seed is below 2³¹, where evaluation has its own.
    """
    check_training_seeds(seeds)
    metrics = evaluate("jesa", config, seeds, options={"importance": tuple(importance)}).metrics
    # The reward is −(w_err·loss + w_energy·J), and the loss is in no info.
    cost = -metrics["return"] - config.energy_weight * metrics["energy_j"]
    return Record(metrics["energy_per_token_j"], cost / config.error_weight, metrics["accuracy"])
