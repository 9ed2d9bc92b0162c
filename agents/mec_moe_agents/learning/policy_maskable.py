"""The policy of the problem's shape for sb3-contrib's MaskablePPO."""

from __future__ import annotations

from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy

from mec_moe_agents.learning.policy import ShapeHead


class MaskableShapePolicy(ShapeHead, MaskableActorCriticPolicy):  # type: ignore[misc]
    """Actor and critic of MaskablePPO."""
