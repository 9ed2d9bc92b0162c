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
from mec_moe_agents.offloading.gating import GatingNetwork
from mec_moe_agents.offloading.learned import learned_agent, preset_for
from mec_moe_agents.offloading.profile import GuardGate, ProfileGate
from mec_moe_agents.offloading.routing import RoutingAgent, gate_class, make_gate
from mec_moe_env import OffloadingConfig


def _top1(gate: str, /, config: OffloadingConfig, env: Any, seed: Seed, **options: Any) -> Agent:
    """Give each task to the server that a gate finds most relevant."""
    return RoutingAgent(config, make_gate(gate, config, seed=seed, **options))


def _topk(
    config: OffloadingConfig, env: Any, seed: Seed, gate: str = "profile", **options: Any
) -> Agent:
    """Serve each task by the D servers that a gate finds most relevant (Qin et al. 2025).

    Args:
        config: the environment's configuration.
        env: it acts in.
        seed: of the gate's noise.
        gate: whose relevance counts: profile, guard or gating; its options can be given, too.
        options: of the gate.
    """
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
    """Serve each task by the cheapest servers that a gate finds relevant enough.

    Args:
        most_iterations: between servers and subcarriers.
        config: the environment's configuration.
        env: it acts in.
        seed: of the gate's noise.
        gate: whose relevance counts: profile, guard or gating; its options can be given, too.
        quality: share of the best reachable score that a task needs.
        temperature: difference in relevance at which a server's score falls to 1/e.
        options: of the gate.
    """
    scores_by = make_gate(gate, config, seed=seed, **options)
    return EnergyMinimalAgent(config, scores_by, most_iterations, quality, temperature)


def _chosen_gate(options: Mapping[str, Any]) -> Any:
    return gate_class(options.get("gate", "profile"))


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
            "gating network learned online (Li & Duan 2024)",
            partial(_top1, "gating"),
            takes=(GatingNetwork,),
        ),
        "profile": CatalogueEntry(
            "most similar profile; a new kind opens a new server",
            partial(_top1, "profile"),
            takes=(ProfileGate,),
        ),
        "guard": CatalogueEntry(
            "as profile, but rather rejects than overwrites",
            partial(_top1, "guard"),
            takes=(GuardGate,),
        ),
        "topk": CatalogueEntry(
            "the D most relevant experts by a gate",
            _topk,
            # With D = 1 it is `profile`.
            serves=lambda config: config.max_experts > 1,
            takes=(_topk,),
            forwards=_chosen_gate,
        ),
        "des": CatalogueEntry(
            "the cheapest servers that are relevant enough",
            partial(_cheapest, 0),
            takes=(_cheapest,),
            forwards=_chosen_gate,
        ),
        "jesa": CatalogueEntry(
            "as des, servers and subcarriers alternating",
            partial(_cheapest, MOST_ITERATIONS),
            # With U·D = 1 nothing competes for a subcarrier, and it is `des`.
            serves=lambda config: config.num_tasks * config.max_experts > 1,
            takes=(_cheapest,),
            forwards=_chosen_gate,
        ),
        "learned": CatalogueEntry(
            "policy trained by reinforcement learning (see offloading/weights)",
            lambda config, env, seed, **options: learned_agent(config, seed=seed, **options),
            serves=lambda config: preset_for(config) is not None,
            takes=(learned_agent,),
        ),
        "clairvoyant": CatalogueEntry(
            "plans with the whole episode known beforehand; a reference, never a contender",
            lambda config, env, seed, **options: ClairvoyantAgent(config, env, **options),
            contender=False,
            serves=lambda config: config.experts == "linear",
            takes=(ClairvoyantAgent,),
        ),
        "greedy-oracle": CatalogueEntry(
            "greedy on the true errors, without a plan; a reference, never a contender",
            lambda config, env, seed: RoutingAgent(config, gates.GreedyOracleGate(config, env)),
            contender=False,
        ),
    }
)
