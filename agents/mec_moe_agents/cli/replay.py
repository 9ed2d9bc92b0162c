"""`mec-moe replay`: two agents side by side in the same world, in a browser."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import mec_moe_agents.cli.options as options

if TYPE_CHECKING:
    from mec_moe_agents.evaluation.bounds import Bounds
    from mec_moe_agents.evaluation.naming import Chosen
    from mec_moe_agents.evaluation.scenarios import Scenario
    from mec_moe_agents.replay.recording import Recording


def replay(
    agents: Annotated[
        str,
        typer.Option(
            metavar="AGENTS",
            help="One agent, or two with a comma between, may be the same; as --agents of "
            "`mec-moe compare`.",
        ),
    ],
    scenario: options.ScenarioName = None,
    config: options.ConfigPath = None,
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
    trust_zip: options.TrustZip = False,
) -> None:
    """Record an episode of one agent, or of two in the same world, as a page to play back.

    Writes one HTML file that any browser opens from disk, without a network: what each agent saw
    and chose and what it cost, step by step, with the steps in which they differ, the return, and
    the certified bound that no policy exceeds where it is known.
    """
    with options.reported():
        from mec_moe_agents.evaluation.overrides import file_stem

        asked = options.choose_scenario(env, scenario, config, settings)
        checked = check(asked, agents, seed, trust_zip=trust_zip)
        names = list(checked.agents)
        folder = Path("runs") / checked.folder_name
        page = out or folder / f"replay-{'-'.join(map(file_stem, names))}-{seed}.html"
        options.check_writable(page.parent)
    with options.reported():
        recording, bound = _record(checked, names, seed, folder / "cells", certify=certify)
        command = _command(checked, config, seed, certify=certify)
        _write(recording, checked, bound, command, page)


def check(asked: Chosen, agents: str, seed: int, *, trust_zip: bool) -> Scenario:
    """Resolve every agent, build the environment and the agents once."""
    from mec_moe_agents.evaluation.rollout import check_evaluation_seeds
    from mec_moe_agents.evaluation.scenarios import Scenario
    from mec_moe_agents.outside.syntax import split_references
    from mec_moe_agents.replay.recording import check_agents

    check_evaluation_seeds([seed])
    names = split_references(agents)
    check_agents(names)
    scenario = Scenario(asked.name, asked.config, names, trust_zip=trust_zip)
    scenario.build_agents()
    return scenario


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
        recording = record(config, agents, seed, progress, trust_zip=scenario.trust_zip)
        code = current_provenance().identity
        bound = find_bounds(config, [seed], store, code, progress, certify=certify)
    return recording, bound


def _command(scenario: Scenario, file: Path | None, seed: int, *, certify: bool) -> str:
    """Write the command that makes the same page again."""
    named = scenario.is_named
    words = ["mec-moe", "replay", *(["--scenario", scenario.name] if named else [])]
    words += ["--config", str(file)] if file is not None and not named else []
    words += ["--agents", ",".join(scenario.agents), "--seed", str(seed)]
    for field, value in scenario.overrides.items():
        words += ["--set", f"{field}={value}"]
    words += ["--certify"] * certify + ["--trust-zip"] * scenario.trust_zip
    return shlex.join(words)


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
