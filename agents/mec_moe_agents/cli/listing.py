"""`mec-moe scenarios` and `mec-moe agents`: what there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill
from types import MappingProxyType
from typing import Annotated

import typer

from mec_moe_agents.cli.options import reported

WIDTH, INDENT = 80, " " * 6
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


def scenarios(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME|FILE]",
            help="One of them, DMoE's as dmoe/NAME, or the file of a configuration: its fields.",
        ),
    ] = None,
) -> None:
    """List the scenarios of both environments, or the fields of one.

    A field has its value, its unit, what is allowed, and what it means. In the list stand shipped
    presets, then the scenarios of other packages (entry points `mec_moe.scenarios`).
    """
    with reported():
        if name is None:
            _list_scenarios()
        else:
            _show_fields(name)


def _list_scenarios() -> None:
    from mec_moe_agents.environments import ENVIRONMENTS
    from mec_moe_agents.evaluation.naming import scenario_name
    from mec_moe_agents.evaluation.rollout import TRAITS
    from mec_moe_env.scenarios import plugin_names

    for position, environment in enumerate(ENVIRONMENTS):
        name = environment.name
        columns = [word for word in SYMBOLS[name].split() if len(word) == 1]
        fields = [TRAITS[name].sizes[symbol][0] for symbol in columns]
        rows = []
        for preset, config in environment.scenarios.items():
            sizes = [str(getattr(config, field)) for field in fields]
            purpose = PURPOSES[name].get(preset, "registered")
            rows.append([scenario_name(name, preset), *sizes, purpose])
        if position:
            print()
        _print_table(TRAITS[name].title, ["Scenario", *columns, "For"], rows)
        print(SYMBOLS[name])
    if others := plugin_names():
        print(f"\nOf other packages: {', '.join(others)}")


def _show_fields(name: str) -> None:
    from mec_moe_agents.evaluation.naming import choose
    from mec_moe_agents.evaluation.overrides import setting_text
    from mec_moe_agents.evaluation.scenarios import Scenario
    from mec_moe_env.config_files import SUFFIXES
    from mec_moe_env.fields import describe, differences

    is_file = name.endswith(SUFFIXES)
    chosen = choose(
        None, None if is_file else name, {}, Path(name).expanduser() if is_file else None
    )
    changed = differences(chosen.config)
    print(Scenario(chosen.name, chosen.config, ()).summary)
    print("* differs from the environment's defaults. Set one by --set FIELD=VALUE, or in a")
    print("file for --config.\n")
    for field in describe(chosen.config):
        unit = "" if field.unit in ("", "1") else f" {field.unit}"
        mark = "*" if field.name in changed else " "
        print(f"{mark} {field.name} = {setting_text(field.value)}{unit}")
        meaning = f"{field.meaning} Allowed: {field.allowed}.".replace("`", "")
        print(fill(meaning, width=WIDTH, initial_indent=INDENT, subsequent_indent=INDENT))


def agents(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[AGENT]",
            help="One, as --agents of `mec-moe compare` takes them: its options.",
        ),
    ] = None,
) -> None:
    """List the agents of both environments, or the options of one.

    An option has its type, its default and what it means; options follow a name in brackets:
    des[quality=0.7,gate=guard]. In the list stand the agents that come with the package, then those
    of other packages (entry points `mec_moe.agents`).
    """
    with reported():
        if name is None:
            _list_agents()
        else:
            _show_options(name)


def _list_agents() -> None:
    from mec_moe_agents.evaluation.rollout import TRAITS
    from mec_moe_agents.outside.code import plugins
    from mec_moe_agents.registry import CATALOGUES

    for environment, entries in CATALOGUES.items():
        rows = [[name, entry.description] for name, entry in entries.items()]
        _print_table(TRAITS[environment].title, ["Agent", "What it does"], rows)
    if others := plugins():
        rows = [[name, point.value] for name, point in others.items()]
        _print_table("Of other packages", ["Agent", "Where it comes from"], rows)


def _show_options(name: str) -> None:
    from mec_moe_agents.environments import ENVIRONMENTS
    from mec_moe_agents.evaluation.overrides import setting_text
    from mec_moe_agents.evaluation.rollout import TRAITS
    from mec_moe_agents.outside.find import is_outside
    from mec_moe_agents.outside.signature import entry_options
    from mec_moe_agents.outside.syntax import parse_reference
    from mec_moe_agents.registry import CATALOGUES, find_agent

    target, given = parse_reference(name)
    outside = is_outside(target)
    where = [each for each in ENVIRONMENTS if outside or target in CATALOGUES[each.name]]
    for environment in where[:1] if outside else where or ENVIRONMENTS:
        entry = find_agent(target, environment.config())
        rows = [
            [option.name, option.type, setting_text(option.default), option.meaning]
            for option in entry_options(entry, given)
        ]
        title = target if outside else f"{TRAITS[environment.name].title} · {target}"
        print(f"{title}: {entry.description}")
        if rows:
            _print_table("", ["Option", "Type", "Default", "Meaning"], rows)
        else:
            print("It has no options.\n")


def _print_table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console

    from mec_moe_agents.evaluation.tables import plain_table

    if title:
        print(title)
    table = plain_table()
    for heading in headings:
        table.add_column(heading, justify="right" if len(heading) == 1 else "left")
    for row in rows:
        table.add_row(*row)
    Console(highlight=False, markup=False).print(table)
