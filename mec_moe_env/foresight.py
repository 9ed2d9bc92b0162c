"""The whole exogenous episode ahead of time: what happens whatever the scheduler does.

For bounds on the return, model-predictive control, datasets and plots; no scheduler may see it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple, overload

import numpy as np
from gymnasium.utils import seeding

from mec_moe_env.config import Whole, reject
from mec_moe_env.core.buffers import Flags, Floats, Integers, Singles
from mec_moe_env.core.simulator import IGNORE, RESET, STEP, Simulator
from mec_moe_env.dmoe.config import DMoEConfig
from mec_moe_env.dmoe.simulator import DMoESimulator
from mec_moe_env.offloading.config import OffloadingConfig
from mec_moe_env.offloading.simulator import OffloadingSimulator
from mec_moe_env.shown import shown


class OffloadingForesight(NamedTuple):
    """An episode of offloading: T slots, U tasks, k samples, d features, M servers, S subcarriers.

    Of an episode under way, T counts the slots that are left, the present one first.
    """

    types: Integers
    """(T, U)."""
    origin: Integers
    """(T, U), the server where each task arrives."""
    payload: Floats
    """(T, U), Mbit."""
    constant: Floats
    """(T, U), c, the error of the zero model."""
    features: Floats
    """(T, U, k, d), Xᵀ."""
    labels: Floats
    """(T, U, k), y."""
    linear: Floats
    """(T, U, d), b: a model w has the error wᵀAw − 2bᵀw + c, A of the task's type."""
    spectral_efficiency: Singles
    """(T, U, M, S), bit/s/Hz from the task's origin."""
    joules: Floats
    """(M,), per sample."""
    seconds: Floats
    """(M,), per sample."""
    working: Flags
    """(T + 1, M), whether each server works in a slot; the last row is after the end."""


class DMoEForesight(NamedTuple):
    """An episode of DMoE: L layers, I sources, Q tokens, K nodes, S subcarriers.

    Of an episode under way, L counts the layers that are left, the present one first.
    """

    gates: Floats
    """(L, I, Q, K); with a real model (1, I, Q, K), as the later ones follow from the choices."""
    spectral_efficiency: Singles
    """(L, I, K, S), bit/s/Hz, that transmissions meet."""
    shown_efficiency: Singles
    """(L, I, K, S), what the scheduler sees: `csi_delay` slots old."""
    return_efficiency: Singles
    """(L, I, K, S) of the way back; S = 0 when it is not counted."""
    joules: Floats
    """(K,), per token."""
    available: Flags
    """(L, K), whether each expert can be used."""
    hidden: Floats
    """(I·Q, h), the tokens' states before the present layer of a real model; h = 0 without one."""
    classes: Integers
    """(I·Q,), their true classes."""


@overload
def foresight(source: OffloadingConfig, seed: int | None = None) -> OffloadingForesight: ...
@overload
def foresight(source: DMoEConfig, seed: int | None = None) -> DMoEForesight: ...
@overload
def foresight(source: Any, seed: int | None = None, *, row: int = 0) -> Any: ...
def foresight(source: Any, seed: int | None = None, *, row: int = 0) -> Any:
    """Return all that an episode will show, whatever is done in it.

    Args:
        source: a configuration, or an environment of it, scalar or vector, wrapped or not.
        seed: what `reset(seed=...)` is or will be given. May be left out for an environment: then
            it is the rest of the episode that it is in, which goes on undisturbed.
        row: which sub-environment of a vector environment, where no seed is given.

    Returns:
        `OffloadingForesight` or `DMoEForesight`.

    Example:
        >>> from mec_moe_env import OFFLOADING_PRESETS, foresight
        >>> future = foresight(OFFLOADING_PRESETS["toy"], seed=0)
        >>> future.types.ravel()  # of the task of each slot
        array([0, 1, 0, 1])

    Raises:
        TypeError: `source` is neither.
        ValueError: the seed is negative, missing for a configuration, or there is no such row.
        RuntimeError: no seed was given, and no episode is under way.
    """
    base = getattr(source, "unwrapped", source)
    config = getattr(base, "config", base)
    if not isinstance(config, OffloadingConfig | DMoEConfig):
        raise TypeError(f"source must be a configuration or an environment, got {shown(source)}")
    if seed is None:
        if base is config:
            raise reject("seed", seed, "an integer ≥ 0 where no environment is given")
        simulator = _copy_of(base, row)
    else:
        simulator, row = begin_simulator(config, seed), 0
    if isinstance(simulator, OffloadingSimulator):
        return _offloading(simulator, row)
    return _dmoe(simulator, row)


def begin_simulator(config: OffloadingConfig | DMoEConfig, seed: int) -> Any:
    """Return a simulator at the start of the episode that `reset(seed=seed)` begins."""
    if not Whole(0).admits(seed):
        raise reject("seed", seed, "an integer ≥ 0")
    simulator: Simulator
    if isinstance(config, OffloadingConfig):
        simulator = OffloadingSimulator(config, 1)
    else:
        simulator = DMoESimulator(config, 1)
    simulator.adopt(np.zeros(1, np.int64), [seeding.np_random(int(seed))[0]])
    simulator.run(np.array([RESET], np.int8))
    return simulator


def _copy_of(env: Any, row: int) -> Any:
    """Return a copy of an environment's simulator, whose future is the same."""
    simulator: Simulator = env._simulator
    if not Whole(0, simulator.num_envs - 1).admits(row):
        raise reject("row", row, f"0..{simulator.num_envs - 1}")
    if not env._begun or simulator.finished[row]:
        raise RuntimeError("no episode is under way: call reset() before foresight, or give a seed")
    return copy.deepcopy(simulator)


def _slots(simulator: Simulator, row: int) -> Iterator[int]:
    """Stop at every slot that is left, the present one first; nothing is ever picked."""
    orders = np.full(simulator.num_envs, IGNORE, np.int8)
    orders[row] = STEP
    # The last choice of a server or an expert is none.
    nothing = np.tile(simulator.nvec - 1, (simulator.num_envs, 1))
    slot = 0
    while not simulator.finished[row]:
        yield slot
        simulator.run(orders, nothing)
        slot += 1


def _offloading(simulator: OffloadingSimulator, row: int) -> OffloadingForesight:
    slot, servers = simulator.exogenous, simulator.state.servers
    nodes = slot.nodes[row]
    working = [servers["working"][row].copy()]
    seen: list[tuple[Any, ...]] = []
    for _ in _slots(simulator, row):
        tasks = slot.tasks[row]
        of_tasks = (tasks[name] for name in ("type", "origin", "payload", "constant"))
        rest = slot.features, slot.labels, slot.linear, slot.spectral_efficiency
        seen.append(tuple(array.copy() for array in (*of_tasks, *(part[row] for part in rest))))
        working.append(nodes["works_next"].copy())
    constants = nodes["joules"].copy(), nodes["seconds"].copy()
    stacked = [np.stack(arrays) for arrays in zip(*seen, strict=True)]
    return OffloadingForesight._make([*stacked, *constants, np.stack(working)])


def _dmoe(simulator: DMoESimulator, row: int) -> DMoEForesight:
    slot, state = simulator.exogenous, simulator.state
    first, real = int(state.layer[row]), state.hidden.shape[2] > 0
    gates = slot.gates[row, first : first + 1 if real else None].copy()
    hidden, classes = state.hidden[row].copy(), state.labels[row].copy()
    seen: list[tuple[Any, ...]] = []
    for _ in _slots(simulator, row):
        kept, now = slot.spectral_efficiency[row], slot.now[row]
        shown = kept[(now + 1) % len(kept)]
        back, available = slot.return_efficiency[row], slot.nodes["available"][row]
        seen.append(tuple(array.copy() for array in (kept[now], shown, back, available)))
    met, shown, back, available = map(np.stack, zip(*seen, strict=True))
    joules = slot.nodes["joules"][row].copy()
    return DMoEForesight(gates, met, shown, back, joules, available, hidden, classes)
