"""The policy of the problem's shape for sb3-contrib's MaskablePPO."""

from __future__ import annotations

from typing import Any

from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy

from mec_moe_agents.learning.policy import build_head, drop_last_layers


class MaskableShapePolicy(MaskableActorCriticPolicy):
    """Actor and critic of MaskablePPO."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "ortho_init": False})

    def _build_mlp_extractor(self) -> None:
        build_head(self)

    def _build(self, lr_schedule: Any) -> None:
        super()._build(lr_schedule)
        drop_last_layers(self, lr_schedule)
