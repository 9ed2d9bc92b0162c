"""`mec-moe replay`: two agents side by side in the same world, in a browser."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import mec_moe_agents.cli.options as options

if TYPE_CHECKING:
    from mec_moe_agents.evaluation.bounds import Bounds
    from mec_moe_agents.evaluation.scenarios import Scenario
    from mec_moe_agents.replay.recording import Recording


def replay(
    scenario: options.ScenarioName,
    agents: Annotated[
        str, typer.Option(help="One name, or two with a comma between; may be the same.")
    ],
    env: options.EnvironmentName = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the episode and the agents.")] = 0,
    out: Annotated[
        Path | None,
        options.path_option("Unless given, runs/SCENARIO/replay-AGENTS-SEED.html.", "FILE"),
    ] = None,
    settings: options.Settings = None,
    certify: Annotated[
        bool,
        typer.Option(
            "--certify", help="Compute the certified bound where it is not shipped: seconds."
        ),
    ] = False,
) -> None:
    """Record an episode of one agent, or of two in the same world, as a page to play back.

    Writes one HTML file that any browser opens from disk, without a network: what each agent saw
    and chose and what it cost, step by step, with the steps in which they differ, the return, and
    the certified bound that no policy exceeds where it is known.
    """
    with options.reported():
        checked, names = check(env, scenario, agents, settings, seed)
        folder = Path("runs") / checked.folder_name
        page = out or folder / f"replay-{'-'.join(names)}-{seed}.html"
        options.check_writable(page.parent)
    with options.reported():
        recording, bound = _record(checked, names, seed, folder / "cells", certify=certify)
        _write(recording, checked, bound, _command(checked, names, seed, certify=certify), page)


def check(
    env: str | None, name: str, agents: str, settings: list[str] | None, seed: int
) -> tuple[Scenario, list[str]]:
    """Resolve every name, build the environment and the agents once."""
    from mec_moe_agents.evaluation.naming import (
        find_config,
        find_preset,
        scenario_name,
        split_names,
    )
    from mec_moe_agents.evaluation.rollout import check_evaluation_seeds, make_vector_env
    from mec_moe_agents.evaluation.scenarios import Scenario
    from mec_moe_agents.registry import make_agent
    from mec_moe_agents.replay.recording import check_agents

    check_evaluation_seeds([seed])
    config = find_config(env, name, options.parse_overrides(settings))
    names = split_names(agents)
    check_agents(names)
    one = make_vector_env(config, 1)
    for agent in names:
        make_agent(agent, one)
    one.close()
    environment, preset = find_preset(env, name)
    return Scenario(scenario_name(environment.name, preset), config, names), names


def _record(
    scenario: Scenario, agents: list[str], seed: int, cells: Path, *, certify: bool
) -> tuple[Recording, Bounds]:
    """Play the episodes, and look up or compute the bound, in view."""
    from mec_moe_agents.cli.progress import progress_of
    from mec_moe_agents.evaluation.bounds import find_bounds, will_certify
    from mec_moe_agents.evaluation.provenance import current_provenance
    from mec_moe_agents.evaluation.store import CellStore
    from mec_moe_agents.replay.recording import record

    config, store = scenario.config, CellStore(cells)
    with progress_of(len(agents) + will_certify(config, [seed], certify=certify)) as progress:
        recording = record(config, agents, seed, progress)
        code = current_provenance().identity
        bound = find_bounds(config, [seed], store, code, progress, certify=certify)
    return recording, bound


def _command(scenario: Scenario, agents: list[str], seed: int, *, certify: bool) -> str:
    """Write the command that makes the same page again."""
    words = ["mec-moe", "replay", "--scenario", scenario.name, "--agents", ",".join(agents)]
    words += ["--seed", str(seed)]
    for field, value in scenario.overrides.items():
        words += ["--set", f"{field}={value}"]
    return shlex.join(words + ["--certify"] * certify)


def _write(
    recording: Recording, scenario: Scenario, bound: Bounds, command: str, page: Path
) -> None:
    from mec_moe_agents.replay.page import render_page
    from mec_moe_env.files import write_text

    write_text(page, render_page(recording, scenario, bound, command))
    for agent, run in zip(recording.agents, recording.runs, strict=True):
        print(f"{agent:>12}  return {run['return'][-1]:.4f}")
    if bound.values is not None:
        print(f"{'bound':>12}  return {bound.values[0]:.4f}, which no policy exceeds")
    if len(recording.agents) > 1:
        print(f"{'differ':>12}  in {len(recording.differs)} of {recording.config.steps} steps")
    options.print_places({"page": page})
