"""Raw results on disk: a table for any tool, and the curves behind the picture."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mec_moe_agents.evaluation.episodes import Episodes
from mec_moe_agents.evaluation.provenance import Provenance
from mec_moe_env.config import Config
from mec_moe_env.files import replacing


def write_rows(
    path: Path, results: Mapping[str, Episodes], config: Config, provenance: Provenance
) -> None:
    """Write one CSV row per agent and seed: metrics, config fields, version and commit.

    Raises:
        OSError: the file cannot be written.
    """
    rows = list(_rows(results, config, provenance))
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _rows(
    results: Mapping[str, Episodes], config: Config, provenance: Provenance
) -> Iterator[dict[str, object]]:
    fields = {
        f"config.{field.name}": getattr(config, field.name) for field in dataclasses.fields(config)
    }
    for agent, episodes in results.items():
        for index, seed in enumerate(episodes.seeds.tolist()):
            yield {
                "agent": agent,
                "seed": seed,
                **{name: values[index].item() for name, values in episodes.metrics.items()},
                **fields,
                "version": provenance.version,
                "commit": provenance.commit or "",
                "code": provenance.fingerprint,
            }


def write_curves(path: Path, results: Mapping[str, Episodes]) -> None:
    """Write the curves as .npz: `seeds` (n,) and, for each agent, `Episodes.curve`, (n, T).

    Raises:
        OSError: the file cannot be written.
    """
    arrays: dict[str, Any] = {"seeds": next(iter(results.values())).seeds}
    arrays |= {agent: episodes.curve for agent, episodes in results.items()}
    with replacing(path) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, **arrays)
