"""The agents for `mec_moe/Offloading-v0`, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mec_moe_agents.agent import Agent
from mec_moe_agents.catalogue_entry import CatalogueEntry
from mec_moe_agents.learned.shipped import learned_agent, preset_for
from mec_moe_agents.offloading.economical import TURNS, economical_agent
from mec_moe_agents.offloading.gating import GatingNetwork
from mec_moe_agents.offloading.guard import GuardGate
from mec_moe_agents.offloading.oracle import OracleGate
from mec_moe_agents.offloading.profile import ProfileGate
from mec_moe_agents.offloading.routing_agent import RoutingAgent
from mec_moe_agents.offloading.topk import Seed, topk_agent
from mec_moe_agents.offloading.traditional import (
    MostPowerfulGate,
    NearestGate,
    RandomGate,
    RejectAllGate,
)
from mec_moe_env import OffloadingConfig


def _random(config: OffloadingConfig, env: Any, seed: Seed) -> Agent:
    return RoutingAgent(config, RandomGate(config, seed))


def _nearest(config: OffloadingConfig, env: Any, seed: Seed) -> Agent:
    return RoutingAgent(config, NearestGate())


def _most_powerful(config: OffloadingConfig, env: Any, seed: Seed) -> Agent:
    return RoutingAgent(config, MostPowerfulGate())


def _reject_all(config: OffloadingConfig, env: Any, seed: Seed) -> Agent:
    return RoutingAgent(config, RejectAllGate())


def _gating(config: OffloadingConfig, env: Any, seed: Seed, **options: Any) -> Agent:
    return RoutingAgent(config, GatingNetwork(config, seed=seed, **options))


def _profile(config: OffloadingConfig, env: Any, seed: Seed, **options: Any) -> Agent:
    return RoutingAgent(config, ProfileGate(config, **options))


def _guard(config: OffloadingConfig, env: Any, seed: Seed, **options: Any) -> Agent:
    return RoutingAgent(config, GuardGate(config, **options))


def _topk(config: OffloadingConfig, env: Any, seed: Seed, **options: Any) -> Agent:
    return topk_agent(config, seed=seed, **options)


def _des(config: OffloadingConfig, env: Any, seed: Seed, **options: Any) -> Agent:
    return economical_agent(config, 0, seed=seed, **options)


def _jesa(config: OffloadingConfig, env: Any, seed: Seed, **options: Any) -> Agent:
    return economical_agent(config, TURNS, seed=seed, **options)


def _learned(config: OffloadingConfig, env: Any, seed: Seed, **options: Any) -> Agent:
    return learned_agent(config, **options, seed=seed)


def _oracle(config: OffloadingConfig, env: Any, seed: Seed) -> Agent:
    return RoutingAgent(config, OracleGate(config, env))


OFFLOADING_AGENTS: Mapping[str, CatalogueEntry] = MappingProxyType(
    {
        "random": CatalogueEntry("random idle server (the paper's ablation)", _random),
        "nearest": CatalogueEntry("nearest idle server (traditional edge computing)", _nearest),
        "most-powerful": CatalogueEntry(
            "fastest idle server (traditional edge computing)", _most_powerful
        ),
        "reject-all": CatalogueEntry("takes no task: the floor", _reject_all),
        "gating": CatalogueEntry("gating network learned online (Li & Duan 2024)", _gating),
        "profile": CatalogueEntry("most similar profile; a new kind opens a new server", _profile),
        "guard": CatalogueEntry("as profile, but rather rejects than overwrites", _guard),
        "topk": CatalogueEntry(
            "the D most relevant experts by a gate", _topk, same_as_with_one_expert="profile"
        ),
        "des": CatalogueEntry("the cheapest servers that are relevant enough", _des),
        "jesa": CatalogueEntry(
            "as des, servers and subcarriers in turns", _jesa, same_as_with_one_pick="des"
        ),
        "learned": CatalogueEntry(
            "policy trained by reinforcement learning (see learned/weights)",
            _learned,
            serves=lambda config: preset_for(config) is not None,
        ),
        "oracle": CatalogueEntry(
            "clairvoyant: reads true errors; a yardstick, never a contender",
            _oracle,
            contender=False,
        ),
    }
)
