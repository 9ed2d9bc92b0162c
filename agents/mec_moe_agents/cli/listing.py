"""`mec-moe scenarios` and `mec-moe agents`: what there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from mec_moe_agents.cli.options import reported

PURPOSES: Mapping[str, str] = MappingProxyType(
    {
        "default": "training RL agents",
        "paper-synthetic": "setting of Li & Duan 2024",
        "digits": "real handwritten digits",
        "mnist": "needs --set data_path=…",
        "joint": "several tasks and experts",
        "scarce": "too few servers",
        "massive": "scale, memoryless channels",
        "toy": "a known optimum",
    }
)
DMOE_PURPOSES: Mapping[str, str] = MappingProxyType(
    {
        "default": "training RL agents",
        "paper": "setting of Qin et al. 2025",
        "digits-moe": "a real model on handwritten digits",
        "large": "64 experts",
        "massive": "2,048 experts",
        "toy": "a known optimum",
    }
)


def scenarios() -> None:
    """List the scenarios of both environments."""
    with reported():
        from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS

        rows = [
            [
                name,
                *map(str, (c.num_servers, c.num_subcarriers, c.num_types)),
                *map(str, (c.horizon, c.num_tasks, c.max_experts)),
                PURPOSES.get(name, ""),
            ]
            for name, c in OFFLOADING_PRESETS.items()
        ]
        print("Offloading (--env offloading)")
        _print_table(["Scenario", "M", "S", "N", "T", "U", "D", "For"], rows)
        print("M servers, S subcarriers, N task types, T slots, U tasks per slot,")
        print("D experts per task.")
        rows = [
            [
                name,
                *map(str, (d.num_nodes, d.num_subcarriers, d.sources, d.tokens_per_source)),
                *map(str, (d.num_layers, d.max_experts)),
                DMOE_PURPOSES.get(name, ""),
            ]
            for name, d in DMOE_PRESETS.items()
        ]
        print("\nDMoE (--env dmoe)")
        _print_table(["Scenario", "K", "S", "I", "Q", "L", "D", "For"], rows)
        print("K nodes, S subcarriers, I sources, Q tokens per source, L layers,")
        print("D experts per token.")


def agents() -> None:
    """List the agents of both environments."""
    with reported():
        from mec_moe_agents.dmoe.catalogue import DMOE_AGENTS
        from mec_moe_agents.offloading.catalogue import OFFLOADING_AGENTS

        for heading, catalogue in (
            ("Offloading (--env offloading)", OFFLOADING_AGENTS),
            ("DMoE (--env dmoe)", DMOE_AGENTS),
        ):
            print(heading)
            rows = [[name, entry.description] for name, entry in catalogue.items()]
            _print_table(["Agent", "What it does"], rows)


def _print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console

    from mec_moe_agents.evaluation.tables import plain_table

    table = plain_table()
    for heading in headings:
        table.add_column(heading, justify="right" if len(heading) == 1 else "left")
    for row in rows:
        table.add_row(*row)
    Console(highlight=False).print(table)
