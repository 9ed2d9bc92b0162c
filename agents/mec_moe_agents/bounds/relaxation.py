"""What bounds an episode of offloading: its prices, and what is known of final models."""

from __future__ import annotations

from typing import NamedTuple

from mec_moe_agents.bounds.anchors import Anchors, make_anchors
from mec_moe_agents.bounds.cells import Cells, make_cells
from mec_moe_agents.bounds.instance import Instance
from mec_moe_agents.bounds.schedule import Servers, make_servers

MOST_WORK = 4e9
"""Steps of dynamic programmes in a round above which last trainings are not named."""


class Relaxation(NamedTuple):
    """Everything that a server's programmes are made of."""

    instance: Instance
    servers: Servers
    cells: Cells
    anchors: Anchors


def relax(instance: Instance) -> Relaxation:
    """Collect what is known of final models.

    Raises:
        ValueError: a stream's errors have no least value.
    """
    cells = make_cells(instance)
    servers = make_servers(instance, cells.floor)
    N, R = cells.reach.shape[:2]
    interpolates = instance.params.proximal == 0.0 and instance.params.quadratic.shape[1] == 0
    named = interpolates and float(N) * N * R * instance.price.size <= MOST_WORK
    return Relaxation(instance, servers, cells, make_anchors(instance, cells, named))
