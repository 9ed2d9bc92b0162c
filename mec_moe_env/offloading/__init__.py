"""Offloading: continual learning over edge servers (Li & Duan 2024)."""

from mec_moe_env.offloading.env import OffloadingEnv, OffloadingVectorEnv

__all__ = ["OffloadingEnv", "OffloadingVectorEnv"]
