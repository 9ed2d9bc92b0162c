"""Agents for `mec_moe/DMoE-v0`."""
