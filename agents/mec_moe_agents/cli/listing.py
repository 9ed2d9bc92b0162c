"""`mec-moe scenarios` and `mec-moe agents`: what there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from mec_moe_agents.cli.options import reported

SYMBOLS: Mapping[str, str] = MappingProxyType(
    {
        "offloading": "M servers, S subcarriers, N task types, T slots, U tasks per slot,\n"
        "D experts per task.",
        "dmoe": "K nodes, S subcarriers, I sources, Q tokens per source, L layers,\n"
        "D experts per token.",
    }
)
"""What the columns count, in their order, by `Environment.name`, as are the purposes."""
PURPOSES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "offloading": {
            "default": "training RL agents",
            "paper-synthetic": "setting of Li & Duan 2024",
            "mec-norm": "the same, ground truths of length σ0",
            "continual": "the program of Li et al. 2025: no network",
            "digits": "real handwritten digits",
            "mnist": "needs --set data_path=…",
            "mnist-5k": "5,000 real MNIST images",
            "teacher": "truths for experts=mlp, not linear",
            "joint": "several tasks and experts",
            "scarce": "too few servers",
            "congested": "too few subcarriers",
            "massive": "scale, memoryless channels",
            "toy": "a known optimum",
        },
        "dmoe": {
            "default": "training RL agents",
            "paper": "setting of Qin et al. 2025",
            "contended": "too few subcarriers",
            "digits-moe": "a real model on handwritten digits",
            "large": "64 experts",
            "massive": "2,048 experts",
            "toy": "a known optimum",
        },
    }
)


def scenarios() -> None:
    """List the scenarios of both environments."""
    with reported():
        from mec_moe_agents.environments import ENVIRONMENTS
        from mec_moe_agents.evaluation.naming import scenario_name
        from mec_moe_agents.evaluation.rollout import TRAITS

        for position, environment in enumerate(ENVIRONMENTS):
            name = environment.name
            columns = [word for word in SYMBOLS[name].split() if len(word) == 1]
            fields = [TRAITS[name].sizes[symbol][0] for symbol in columns]
            rows = []
            for preset, config in environment.presets.items():
                sizes = [str(getattr(config, field)) for field in fields]
                rows.append([scenario_name(name, preset), *sizes, PURPOSES[name][preset]])
            if position:
                print()
            _print_table(name, ["Scenario", *columns, "For"], rows)
            print(SYMBOLS[name])


def agents() -> None:
    """List the agents of both environments."""
    with reported():
        from mec_moe_agents.environments import ENVIRONMENTS
        from mec_moe_agents.registry import catalogue

        for environment in ENVIRONMENTS:
            entries = catalogue(environment.config())
            rows = [[name, entry.description] for name, entry in entries.items()]
            _print_table(environment.name, ["Agent", "What it does"], rows)


def _print_table(env: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console

    from mec_moe_agents.evaluation.rollout import TRAITS
    from mec_moe_agents.evaluation.tables import plain_table

    print(TRAITS[env].title)
    table = plain_table()
    for heading in headings:
        table.add_column(heading, justify="right" if len(heading) == 1 else "left")
    for row in rows:
        table.add_row(*row)
    Console(highlight=False).print(table)
