"""The learned scheduler: a trained network decides the tasks of a slot one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from mec_moe_agents.agent import BatchAgent, Observation, Seed, UniformRows, row_seeds
from mec_moe_agents.offloading.features import enter_remembered, scales_of, width, write_offers
from mec_moe_agents.offloading.network import SUFFIX, Network, load
from mec_moe_agents.offloading.picks import Openings
from mec_moe_agents.offloading.recognition import empty_memory, enter_picks, enter_slot, forget
from mec_moe_env import OFFLOADING_PRESETS, OffloadingConfig, Slot
from mec_moe_env.config import suggest
from mec_moe_env.core.buffers import Flags, Floats, Integers, Singles

FOLDER = Path(__file__).with_name("weights")
"""The weights that come with the package."""
TRANSFERABLE = (
    "num_servers",
    "num_subcarriers",
    "horizon",
    "doppler_hz",
    "failure_rate",
    "repair_rate",
    "area_m",
    "payload_mbit",
    "type_persistence",
)
"""Fields that may differ from the preset which the weights were trained on."""


class Decisions:
    """n slots whose U tasks are decided in their order of arrival, one server each or none.

    A choice is a server, over its best free subcarrier (nothing is lost: the best is always one
    subcarrier per link), or M, a rejection. A server or subcarrier that one task takes is busy
    for the later ones. Second experts are never used: a task counts the mean of its experts'
    errors, so that another cannot better the best.

    Args:
        config: the environment's configuration.
        batch: n.
    """

    def __init__(self, config: OffloadingConfig, batch: int) -> None:
        self.config = config
        self.batch = batch
        self.width = width(config)
        self._scales = scales_of(config)
        self._covered = min(config.samples_per_task / config.rank, 1.0)
        self._memory = empty_memory(config, batch)
        self._picks = np.zeros((batch, *config.action_shape), np.int64)

    def forget(self, rows: Flags) -> None:
        """Begin new episodes in `rows`, (n,)."""
        forget(self._memory, rows)

    def begin(self, observation: Observation) -> None:
        """Look at the next slots, entries of shape (n, size)."""
        # The kernels that are entered below count on these types.
        contiguous = partial(np.ascontiguousarray, dtype=np.float32)
        entries = {key: contiguous(value) for key, value in observation.items()}
        self._slot = Slot.read(entries, self.config)
        self._openings = Openings(self._slot)
        enter_slot(self._memory, self._slot, self._covered)
        self._picks[..., 0] = self.config.num_servers
        self._picks[..., 1] = 0

    def features(self, task: int) -> Singles:
        """Return the features of a task's decision, (n, width); to be called once, in order."""
        memory, slot, openings, scales = self._memory, self._slot, self._openings, self._scales
        out = np.full((self.batch, self.width), np.nan, np.float32)
        write_offers(memory, slot, openings, self.config, scales, task, out)
        enter_remembered(memory, slot, openings.idle, openings.free, scales, task, out)
        return out

    def choose(self, task: int, choices: Integers) -> None:
        """Give the task to the servers `choices`, (n,), M = none; all of them available."""
        self._picks[:, task, 0] = self._openings.serve(task, choices)
        enter_picks(self._memory, self._slot, task, np.asarray(choices, np.int64))

    @property
    def action(self) -> Integers:
        """Return the flat action of the slots decided, (n, U·D·2)."""
        return self._picks.reshape(self.batch, -1).copy()


Memory = tuple[Decisions, UniformRows]


class LearnedAgent(BatchAgent):
    """Decides the tasks of a slot in their order, each by the network's best or sampled choice.

    Args:
        config: the environment's configuration; any M and S.
        weights: of the network, see `mec_moe_agents.offloading.network.load`.
        seed: of the samples when `deterministic` is false; row i draws from seed + i.

    Raises:
        ValueError: an array of the weights is missing or does not fit.
    """

    def __init__(
        self, config: OffloadingConfig, weights: Mapping[str, Singles], seed: Seed = 0
    ) -> None:
        self.config = config
        self._network = Network(weights)
        self._seed = seed

    def start(self, batch: int) -> Memory:
        """Return the decisions of `batch` fresh episodes, and the numbers that sample them."""
        uniforms = UniformRows(row_seeds(self._seed, batch), self.config.num_servers + 1)
        return Decisions(self.config, batch), uniforms

    def restart(self, memory: Memory, rows: Flags) -> None:
        """Begin new episodes in `rows`, (n,)."""
        memory[0].forget(rows)

    def act(self, observation: Observation, memory: Memory, deterministic: bool) -> Integers:
        """Decide the tasks of each slot, by the most probable choice or by a sample."""
        decisions, uniforms = memory
        decisions.begin(observation)
        for task in range(self.config.num_tasks):
            logits = self._network.logits(decisions.features(task))
            noise = 0.0 if deterministic else gumbel(uniforms.draw())
            decisions.choose(task, np.argmax(logits + noise, axis=1))
        return decisions.action


def gumbel(uniforms: Floats) -> Floats:
    """Turn U[0, 1) numbers into Gumbel noise: the largest of logits + noise is a sample."""
    noise: Floats = -np.log(-np.log(np.maximum(uniforms, 1e-300)))
    return noise


def learned_agent(
    config: OffloadingConfig,
    preset: str | None = None,
    path: str | Path | None = None,
    *,
    seed: Seed = 0,
) -> LearnedAgent:
    """Build the agent from shipped weights, or from weights of your own.

    Args:
        config: the environment's configuration.
        preset: whose weights to take; None is the one that suits the scenario, or failing that
            the one most like it.
        path: an `.npz` file that `export` wrote, instead.
        seed: of samples.

    Raises:
        ValueError: the preset has no weights, both arguments are given, or a file is damaged.
        FileNotFoundError: a file is missing.
    """
    if path is not None and preset is not None:
        raise ValueError(f"give preset = {preset!r} or path = {path}, not both")
    if preset is not None and preset not in presets():
        raise ValueError(f"preset = {preset!r} has no weights: {suggest(preset, presets())}")
    if path is None:
        path = FOLDER / f"{preset or preset_for(config) or most_like(config)}{SUFFIX}"
    return LearnedAgent(config, load(path).weights, seed)


def presets() -> list[str]:
    """Return the names of the presets with weights."""
    return sorted(path.stem for path in FOLDER.glob(f"*{SUFFIX}"))


def preset_for(config: OffloadingConfig) -> str | None:
    """Return the preset whose weights suit a scenario; None if there are none.

    The scenario may differ from it in `TRANSFERABLE` fields; of several that fit, the one with
    the nearest number of servers.
    """
    kept = {field: getattr(config, field) for field in TRANSFERABLE}
    distance = {
        name: abs(OFFLOADING_PRESETS[name].num_servers - config.num_servers)
        for name in presets()
        if OFFLOADING_PRESETS[name].override(**kept) == config
    }
    return min(distance, key=distance.__getitem__, default=None)


def most_like(config: OffloadingConfig) -> str:
    """Return the preset with weights that resembles a scenario for which nothing was trained."""
    if config.tasks in ("digits", "mnist", "mnist-5k"):
        name = "digits"
    elif config.num_tasks > 1:
        name = "joint"
    else:
        name = "scarce" if config.num_servers < 1.5 * config.num_types else "default"
    return name if name in presets() else "default"
