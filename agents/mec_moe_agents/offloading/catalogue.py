"""The agents for `mec_moe/Offloading-v0`, by name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from mec_moe_agents.agent import Agent, CatalogueEntry, Seed
from mec_moe_agents.offloading import gates
from mec_moe_agents.offloading.clairvoyant import ClairvoyantAgent
from mec_moe_agents.offloading.energy_minimal import MOST_ITERATIONS, EnergyMinimalAgent
from mec_moe_agents.offloading.learned import learned_agent, preset_for
from mec_moe_agents.offloading.routing import RoutingAgent, make_gate
from mec_moe_env import OffloadingConfig


def _top1(gate: str, /, config: OffloadingConfig, env: Any, seed: Seed, **options: Any) -> Agent:
    """Give each task to the server that a gate finds most relevant."""
    return RoutingAgent(config, make_gate(gate, config, seed=seed, **options))


def _topk(
    config: OffloadingConfig, env: Any, seed: Seed, gate: str = "profile", **options: Any
) -> Agent:
    """Serve each task by the D servers that a gate finds most relevant (Qin et al. 2025)."""
    return RoutingAgent(config, make_gate(gate, config, seed=seed, **options), config.max_experts)


def _cheapest(
    most_iterations: int,
    /,
    config: OffloadingConfig,
    env: Any,
    seed: Seed,
    gate: str = "profile",
    quality: float = 0.5,
    temperature: float = 0.2,
    **options: Any,
) -> Agent:
    """Serve each task by the cheapest servers that a gate finds relevant enough."""
    scores_by = make_gate(gate, config, seed=seed, **options)
    return EnergyMinimalAgent(config, scores_by, most_iterations, quality, temperature)


OFFLOADING_AGENTS: Mapping[str, CatalogueEntry] = MappingProxyType(
    {
        "random": CatalogueEntry(
            "random idle server (the paper's ablation)",
            lambda config, env, seed: RoutingAgent(config, gates.RandomGate(config, seed)),
        ),
        "nearest": CatalogueEntry(
            "nearest idle server (traditional edge computing)",
            lambda config, env, seed: RoutingAgent(config, gates.NearestGate()),
        ),
        "most-powerful": CatalogueEntry(
            "fastest idle server (traditional edge computing)",
            lambda config, env, seed: RoutingAgent(config, gates.MostPowerfulGate()),
        ),
        "reject-all": CatalogueEntry(
            "takes no task: the floor",
            lambda config, env, seed: RoutingAgent(config, gates.RejectAllGate()),
        ),
        "gating": CatalogueEntry(
            "gating network learned online (Li & Duan 2024)", partial(_top1, "gating")
        ),
        "profile": CatalogueEntry(
            "most similar profile; a new kind opens a new server", partial(_top1, "profile")
        ),
        "guard": CatalogueEntry(
            "as profile, but rather rejects than overwrites", partial(_top1, "guard")
        ),
        "topk": CatalogueEntry(
            "the D most relevant experts by a gate",
            _topk,
            # With D = 1 it is `profile`.
            serves=lambda config: config.max_experts > 1,
        ),
        "des": CatalogueEntry(
            "the cheapest servers that are relevant enough",
            partial(_cheapest, 0),
        ),
        "jesa": CatalogueEntry(
            "as des, servers and subcarriers alternating",
            partial(_cheapest, MOST_ITERATIONS),
            # With U·D = 1 nothing competes for a subcarrier, and it is `des`.
            serves=lambda config: config.num_tasks * config.max_experts > 1,
        ),
        "learned": CatalogueEntry(
            "policy trained by reinforcement learning (see offloading/weights)",
            lambda config, env, seed, **options: learned_agent(config, seed=seed, **options),
            serves=lambda config: preset_for(config) is not None,
        ),
        "clairvoyant": CatalogueEntry(
            "plans with the whole episode known beforehand; a reference, never a contender",
            lambda config, env, seed, **options: ClairvoyantAgent(config, env, **options),
            contender=False,
            serves=lambda config: config.experts == "linear",
        ),
        "greedy-oracle": CatalogueEntry(
            "greedy on the true errors, without a plan; a reference, never a contender",
            lambda config, env, seed: RoutingAgent(config, gates.GreedyOracleGate(config, env)),
            contender=False,
        ),
    }
)
