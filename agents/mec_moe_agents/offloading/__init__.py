"""Agents for `mec_moe/Offloading-v0`."""
