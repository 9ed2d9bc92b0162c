"""What `reproduce` leaves behind beside rows and pictures: every figure, and the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mec_moe_agents.evaluation.provenance import Provenance
from mec_moe_agents.evaluation.summary import plain_estimate
from mec_moe_agents.report.record import Drawing, Invocation, Record
from mec_moe_agents.report.setup import setups_of_rows
from mec_moe_agents.reproduce import Answer, Headline
from mec_moe_env.files import write_json

SUMMARY = "summary.json"


def record_studies(
    folder: Path,
    called: Invocation,
    provenance: Provenance,
    seeds: Sequence[int],
    answers: Mapping[str, tuple[str, Answer]],
) -> None:
    """Write summary.json and run.json of studies: their questions and answers by name."""
    document = {
        "version": provenance.version,
        "commit": provenance.commit,
        "code": provenance.fingerprint,
        "first_seed": seeds[0],
        "seeds": len(seeds),
        "studies": [
            {"study": name, "question": question, "headlines": [*map(_plain, answer.headlines)]}
            for name, (question, answer) in answers.items()
        ],
    }
    write_json(folder / SUMMARY, document, indent=1)
    Record.of(
        called,
        provenance,
        [
            each
            for name, (_, answer) in answers.items()
            for each in setups_of_rows(name, answer.rows)
        ],
        seeds,
        summary=SUMMARY,
        rows=[f"{name}.csv" for name in answers],
        drawings=[Drawing(name, f"The rows of {name}.csv, drawn.") for name in answers],
    ).write(folder)


def _plain(headline: Headline) -> dict[str, Any]:
    return {
        "label": headline.label,
        "estimate": plain_estimate(headline.estimate),
        "target": headline.target,
        "holds": headline.holds,
        "decimals": headline.decimals,
    }
