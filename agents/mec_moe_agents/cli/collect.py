"""`mec-moe collect`: datasets of episodes for offline learning."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import mec_moe_agents.cli.options as options
from mec_moe_agents.extras import explain

if TYPE_CHECKING:
    from mec_moe_agents.offline.collect import Collection
    from mec_moe_agents.offline.dataset import Written

FIRST_SEED = 2**32
"""As `mec_moe_agents.training.plan.FIRST_EPISODE_SEED`, which a help text need not wait for."""


def collect(
    scenario: options.ScenarioName = None,
    config: options.ConfigPath = None,
    env: options.EnvironmentName = None,
    agents: Annotated[
        str,
        typer.Option(metavar="AGENTS", help=f"Agents, a dataset for each: {options.REFERENCES}"),
    ] = "random,guard",
    seeds: options.Episodes = 100,
    first_seed: Annotated[
        int,
        typer.Option(
            help="The others follow it. From 2³² on, which are for training: no evaluation and no "
            "choice of a checkpoint takes one of them."
        ),
    ] = FIRST_SEED,
    references: Annotated[
        int,
        typer.Option(
            help="Episodes, on seeds of validation, of each scheduler that the scale of scores is "
            "taken from: 0 is random, 1 the best contender."
        ),
    ] = 20,
    out: Annotated[
        Path, options.path_option("Root of datasets, as MINARI_DATASETS_PATH has it.")
    ] = Path("runs/datasets"),
    settings: options.Settings = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Replace datasets that are there.")
    ] = False,
    trust_zip: options.TrustZip = False,
) -> None:
    """Write episodes of agents as Minari datasets, OUT/mec-moe/SCENARIO/AGENT-v0.

    Each has every observation, action, reward and info with the action masks,
    the environment, the scenario's fields, agent, seeds, versions and a digest
    of the code, reference scores and a card, README.md. The same command with
    the same code and packages writes the same bytes. Needs the extra `collect`,
    and no jax.
    """
    with options.reported():
        require_minari()
        from mec_moe_agents.evaluation.scenarios import Scenario, parse_agents
        from mec_moe_agents.offline.collect import (
            Collection,
            check_seeds,
            dataset_id,
            reference_scores,
        )
        from mec_moe_agents.offline.dataset import check_free, write_dataset

        chosen = range(first_seed, first_seed + seeds)
        check_seeds(chosen)
        asked = options.choose_scenario(env, scenario, config, settings)
        names = parse_agents(agents, asked.config)
        Scenario(asked.name, asked.config, names, trust_zip=trust_zip).build_agents()
        options.check_writable(out)
        for name in names:
            check_free(out, dataset_id(name, asked.name), fresh=fresh)
        options.tell("reference scores")
        scores = reference_scores(asked.config, references)
        planned = [
            Collection(name, asked.config, asked.name, chosen, scores, trust_zip) for name in names
        ]
        written = []
        for each in planned:
            options.tell(each.id)
            written.append(write_dataset(out, each, fresh=fresh))
    _show(planned, written)


def require_minari() -> None:
    """See that what collecting needs is installed; if not, say how to install it."""
    try:
        import h5py  # noqa: F401
        import minari  # noqa: F401
    except ImportError as error:
        raise ImportError(explain(error, "collecting")) from error


def _show(planned: Sequence[Collection], written: Sequence[Written]) -> None:
    """Print each dataset with its returns and score."""
    from rich.console import Console

    from mec_moe_agents.evaluation.columns import return_column
    from mec_moe_agents.evaluation.statistics import estimate_mean
    from mec_moe_agents.evaluation.tables import plain_table
    from mec_moe_agents.offline.card import SCORE

    table = plain_table()
    for heading in ("Dataset", "Episodes", "Steps", "Return", "Score"):
        table.add_column(heading, justify="left" if heading == "Dataset" else "right")
    for each, one in zip(planned, written, strict=True):
        mean = estimate_mean(one.episodes.metrics["return"])
        table.add_row(
            each.id,
            str(len(each.seeds)),
            str(len(each.seeds) * each.config.steps),
            "\n".join(return_column(max(abs(mean.mean), 1e-9)).cell(mean)),
            SCORE.number(each.scores.score(mean.mean)),
        )
    console = Console(highlight=False, markup=False)
    console.print(table)
    scores = planned[0].scores
    console.print(f"score 0 is random, 1 is {scores.best}; {scores.episodes} validation seeds\n")
    for one in written:
        options.print_places({"dataset": one.folder})
