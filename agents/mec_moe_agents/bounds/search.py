"""Where the search over the labels of a server works."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mec_moe_agents.bounds.anchors import Parts, empty_parts
from mec_moe_agents.bounds.relaxation import Relaxation
from mec_moe_agents.bounds.schedule import Programme, empty_programme
from mec_moe_env.core.buffers import Floats
from mec_moe_env.core.kernels import kernel


class Search(NamedTuple):
    """One server, n tasks, N types, R rings; an ℓ that is not named counts as one, the first."""

    server: int
    values: Floats
    """(n,), what each task is worth at its least error, its multiplier paid."""
    hopes: Floats
    """(N, n), what it is worth at most by each type of ℓ; one row if none is named."""
    hoped: Floats
    """(n,), what tasks of the programme are worth at most by ℓ itself."""
    parts: Parts
    programme: Programme
    costed: Floats
    """(n,), values of the programme's tasks under a label."""
    best: Floats
    """(n + 1,), of `fill`."""
    medoids: Floats
    """(N,), what ℓ is worth at most with each medoid."""
    of_medoids: Floats
    """(N, n), what each ℓ is worth at most with each medoid; (N, 1) and inf if none is named."""
    of_cells: Floats
    """(N, R, n), what each ℓ is worth at most in each cell; likewise."""
    promised: Floats
    """(n,), what each ℓ is worth at most; likewise. −inf once it has been looked at."""


@kernel
def search_for(relaxation: Relaxation, multipliers: Floats, m: int) -> Search:
    """Prepare the search for server m."""
    cells, anchors = relaxation.cells, relaxation.anchors
    (N, n), R = cells.distance.shape, cells.edges.shape[0] - 1
    named, samples = anchors.basis.shape[:2]
    values = relaxation.servers.gain[m] - multipliers
    hopes = values.copy().reshape((1, n))
    if named > 0:
        hopes = values - relaxation.instance.params.weights[0] * anchors.least_known
    rows = max(named, 1)
    return Search(
        m,
        values,
        hopes,
        np.empty(n),
        empty_parts(N, n, samples),
        empty_programme(n, relaxation.instance.params.horizon),
        np.empty(n),
        np.empty(n + 1),
        np.empty(N),
        np.full((N, rows), np.inf),
        np.full((N, R, rows), np.inf),
        np.full(rows, np.inf),
    )
