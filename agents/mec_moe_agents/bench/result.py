"""All that one run of the benchmark measured, and its file."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import gymnasium
import numba
import numpy as np

from mec_moe_agents.bench.peers import PeerRow
from mec_moe_agents.bench.rows import Row
from mec_moe_agents.bench.scale import ScaleRow
from mec_moe_agents.evaluation.provenance import current_provenance
from mec_moe_env.files import replacing


@dataclass
class BenchResult:
    """Rows of the three parts; a part that was not asked for is empty."""

    seconds: float
    """Time given to each measurement."""
    rows: list[Row] = field(default_factory=list)
    peers: list[PeerRow] = field(default_factory=list)
    scale: list[ScaleRow] = field(default_factory=list)


def write_json(result: BenchResult, path: Path) -> None:
    """Write a result with what it was measured on.

    Raises:
        OSError: the file cannot be written; nothing is left half-written.
    """
    provenance = current_provenance()
    document: dict[str, Any] = {
        "version": provenance.version,
        "commit": provenance.commit,
        "machine": describe_machine(),
        "seconds_per_measurement": result.seconds,
        "rows": [asdict(row) | {"steps_per_second": row.steps_per_second} for row in result.rows],
        "peers": [asdict(row) | {"steps_per_second": row.steps_per_second} for row in result.peers],
        "scale": [
            asdict(row)
            | {
                "ns_each": row.ns_each,
                "ns_per_link": row.ns_per_link,
                "resident_kb_each": row.resident_kb_each,
            }
            for row in result.scale
        ],
    }
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def describe_machine() -> dict[str, Any]:
    """Return what speed depends on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
        "gymnasium": gymnasium.__version__,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
