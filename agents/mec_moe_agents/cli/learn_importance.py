"""`mec-moe learn-importance`: learn what the paper sets by hand, and evaluate it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mec_moe_agents.cli.options import reported


def learn_importance(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("runs/importance"),
    seeds: Annotated[
        int, typer.Option(min=1, help="Episodes to compare_matches on, from seed 100000.")
    ] = 1000,
    shipped: Annotated[
        bool, typer.Option("--shipped", help="Judge the shipped schedules instead of learning.")
    ] = False,
) -> None:
    """Learn the layer importance of `digits-moe` and compare it with γ0^l at equal accuracy.

    Writes digits_moe.json (for the agent `learned`, option path), importance.png and
    importance.csv. Learns on seeds from 2^31 and judges on others; both meet the same 540 images.
    """
    with reported():
        from rich.console import Console

        from mec_moe_agents.cli.options import check_writable
        from mec_moe_agents.dmoe.learned import DIGITS_MOE, ScheduleFamily
        from mec_moe_agents.evaluation.provenance import current_provenance
        from mec_moe_agents.evaluation.rollout import FIRST_RANKING_SEED
        from mec_moe_agents.reproduce.importance import compare_matches
        from mec_moe_agents.reproduce.study import print_headlines, write_answer
        from mec_moe_agents.training.importance import CONFIG, SHARED, learn_family

        check_writable(out)
        provenance = current_provenance()
        path = DIGITS_MOE if shipped else out / DIGITS_MOE.name
        if not shipped:
            about = {
                "scenario": "digits-moe",
                "retrain": "mec-moe learn-importance",
                "practice": SHARED,
            }
            learn_family(_tell).save(path, about)
        family = ScheduleFamily.load(path, CONFIG.num_layers)
        _tell(f"judging the schedules of {len(family.matches)} values of γ0 on {seeds} episodes")
        chosen = range(FIRST_RANKING_SEED, FIRST_RANKING_SEED + seeds)
        answer = compare_matches(family.matches, chosen)
        write_answer(out, "importance", answer, provenance)
        print_headlines(Console(highlight=False), {"importance": answer.headlines})
        print(SHARED)
        for written in (path, out / "importance.png", out / "importance.csv"):
            print(written)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
