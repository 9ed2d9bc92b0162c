"""The questions of Qin et al. 2025."""

from __future__ import annotations

from mec_moe_agents.reproduce import accuracy, energy, experts, optimality, search, staleness

STUDIES = tuple(
    module.STUDY for module in (energy, accuracy, experts, optimality, search, staleness)
)
