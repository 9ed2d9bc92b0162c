"""Agents for `mec_moe/Offloading-v0`: traditional, gated, energy-minimal, and learned."""
