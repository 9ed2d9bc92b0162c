"""DMoE: multi-layer mixture-of-experts inference over edge nodes (Qin et al. 2025)."""

from mec_moe_env.dmoe.env import DMoEEnv, DMoEVectorEnv

__all__ = ["DMoEEnv", "DMoEVectorEnv"]
