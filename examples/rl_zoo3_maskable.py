"""rl-zoo3's commands, and MaskablePPO among its algorithms.

    pip install mec-moe-env 'rl_zoo3[plots]'
    python examples/rl_zoo3_maskable.py train --algo ppo_mask \
        --conf-file examples/rl_zoo3/ppo_mask.yml --env mec_moe/Offloading-toy-flat-v0
    python examples/rl_zoo3_maskable.py enjoy --algo ppo_mask --folder logs --no-render \
        --env mec_moe/Offloading-toy-flat-v0

rl-zoo3 does not know MaskablePPO, and evaluates without masks. Here `predict` reads the mask beside
the observation, where `MaskedObservation` puts it, so that learning, evaluation and `enjoy` see the
same. The other files of the folder need no more than rl-zoo3 itself, `rl_zoo3 train --algo ppo
--gym-packages mec_moe_env …`. Its plots call a run by its folder: `--env
mec_moe-Offloading-toy-flat-v0`.
"""

from __future__ import annotations

from typing import Any

import rl_zoo3.hyperparams_opt
from rl_zoo3 import ALGOS, cli
from sb3_contrib import MaskablePPO

import mec_moe_env  # noqa: F401 — registers the ids


class MaskedPPO(MaskablePPO):
    """MaskablePPO that finds the masks in the observation."""

    def predict(self, observation: Any, *args: Any, **options: Any) -> tuple[Any, Any]:
        """Choose actions that the observation's mask admits."""
        options.setdefault("action_masks", observation["action_mask"])
        return super().predict(observation, *args, **options)


def add_algorithm() -> None:
    """Enter the algorithm where rl-zoo3 keeps its own; it is tuned as PPO is."""
    ALGOS["ppo_mask"] = MaskedPPO
    for table in ("HYPERPARAMS_SAMPLER", "HYPERPARAMS_CONVERTER"):
        known = getattr(rl_zoo3.hyperparams_opt, table)
        known["ppo_mask"] = known["ppo"]


if __name__ == "__main__":
    add_algorithm()
    cli.main()
