"""Checks of a recorded world: that its data can be used, mean something, and are what is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mec_moe_env.core.buffers import Flags, Singles
from mec_moe_env.dmoe.config import DMoEConfig
from mec_moe_env.foresight import begin_simulator, foresight
from mec_moe_env.offloading.config import OffloadingConfig
from mec_moe_env.testing.conformance import (
    NOTHING_EXPECTED,
    Check,
    basic,
    bind,
    check_kind,
    require,
    run_checks,
)
from mec_moe_env.worlds import read_arrivals, read_channel_trace, read_positions
from mec_moe_env.worlds.arrivals import Limits

SEEDS = (0, 1)
MOST_CLIPPED = 0.95
"""Share of links beyond what codes carry from which on a trace is likely in other units."""


@dataclass(frozen=True)
class WorldCase:
    """A scenario whose world is recorded, in part at least."""

    config: OffloadingConfig | DMoEConfig

    @property
    def nodes(self) -> tuple[str, int]:
        """The field that counts nodes, and their number."""
        field = "num_servers" if isinstance(self.config, OffloadingConfig) else "num_nodes"
        return field, getattr(self.config, field)

    @property
    def origins(self) -> int:
        """Nodes that send."""
        config = self.config
        return config.sources if isinstance(config, DMoEConfig) else config.num_servers

    def trace(self) -> Singles:
        """Read the trace anew, (R, origins, M, S)."""
        config, (_, M), O = self.config, self.nodes, self.origins
        assert config.channel_trace is not None
        slots = config.steps + getattr(config, "csi_delay", 0)
        links = read_channel_trace(
            config.channel_trace, config, O, M, config.num_subcarriers, slots
        )
        first = len(links), 1 if links.shape[1] == M else O
        spread = np.broadcast_to(
            links.reshape(*first, M, -1), (len(links), O, M, config.num_subcarriers)
        )
        return spread

    def begun(self, seed: int) -> tuple[Any, int]:
        """Return a simulator at the start of an episode, and the row at which that began."""
        simulator = begin_simulator(self.config, seed)
        if isinstance(self.config, DMoEConfig):
            return simulator, int(simulator.process.row[0]) - self.config.csi_delay - 1
        return simulator, int(simulator.process.memory["row"][0]) - 1


@basic
def something_is_recorded(case: WorldCase) -> None:
    """The configuration names positions, a channel or arrivals."""
    names = case.config.recorded
    given = [name for name in names if getattr(case.config, name) is not None]
    require(given, f"nothing is recorded: give one of {', '.join(names)}")


@basic
def data_fit(case: WorldCase) -> None:
    """Every file can be read and fits the scenario's sizes and ranges."""
    begin_simulator(case.config, 0)


def channel_is_within_the_codes(case: WorldCase) -> None:
    """Not nearly all links are beyond what codes carry: the units would be others."""
    if case.config.channel_trace is None:
        return
    config, trace = case.config, case.trace()
    links = trace[:, _others(trace)]
    for name in ("min_spectral_efficiency", "max_spectral_efficiency"):
        share = float((links == np.float32(getattr(config, name))).mean())
        require(
            share <= MOST_CLIPPED,
            f"{share:.0%} of the links are clipped to {name} = {getattr(config, name)} bit/s/Hz: "
            "see whether the trace is in other units",
        )


def positions_are_shown(case: WorldCase) -> None:
    """Nodes stand where the record has them, in every episode."""
    if case.config.positions is None:
        return
    field, count = case.nodes
    read = read_positions(case.config.positions, count, field)
    for seed in SEEDS:
        shown = case.begun(seed)[0].process.positions[0]
        require(
            np.allclose(shown, read - read.min(axis=0)),
            "an episode has nodes elsewhere than the record",
        )


def channel_is_shown(case: WorldCase) -> None:
    """Spectral efficiencies are those of the record, slot by slot."""
    config = case.config
    if config.channel_trace is None:
        return
    trace = case.trace()
    for seed in SEEDS:
        row, future = case.begun(seed)[1], _foresight(config, seed)
        for t in range(config.steps):
            if isinstance(config, DMoEConfig):
                here = future.spectral_efficiency[t]
                there, others = trace[row + config.csi_delay + t], _others(trace)
            else:
                came = future.origin[t] >= 0
                here, origin = future.spectral_efficiency[t][came], future.origin[t][came]
                there, others = trace[row + t][origin], _others(trace)[origin]
            require(
                np.array_equal(here[others], there[others]),
                f"slot {t} of the episode of seed {seed} shows another channel than the record",
            )


def arrivals_are_shown(case: WorldCase) -> None:
    """Tasks are those of the record, slot by slot."""
    config = case.config
    if not isinstance(config, OffloadingConfig) or config.arrivals is None:
        return
    U, M, T = config.num_tasks, config.num_servers, config.horizon
    limits = Limits(U, config.num_types, M, float(config.payload_mbit[1]), T)
    table = read_arrivals(config.arrivals, limits)
    for seed in SEEDS:
        row, future = case.begun(seed)[1], foresight(config, seed)
        for t in range(T):
            wanted = slice(table.starts[row + t], table.starts[row + t + 1])
            came = future.types[t] >= 0
            shown = future.types[t][came], future.origin[t][came], future.payload[t][came]
            recorded = table.types[wanted], table.origins[wanted], table.payloads[wanted]
            require(
                all(map(np.array_equal, shown, recorded)),
                f"slot {t} of the episode of seed {seed} has other tasks than the record",
            )


WORLD_CHECKS = (
    something_is_recorded,
    data_fit,
    channel_is_within_the_codes,
    positions_are_shown,
    channel_is_shown,
    arrivals_are_shown,
)


def world_checks(config: OffloadingConfig | DMoEConfig) -> list[Check]:
    """Return the checks of the world that a configuration names, not yet run."""
    check_kind(config, OffloadingConfig | DMoEConfig)
    return bind(WORLD_CHECKS, WorldCase(config))


def check_world(
    config: OffloadingConfig | DMoEConfig,
    *,
    expected_failures: Mapping[str, str] = NOTHING_EXPECTED,
) -> list[str]:
    """Check the recorded world of a scenario; return the names of the checks that passed.

    Args:
        config: with `positions`, `channel_trace` or `arrivals`.
        expected_failures: by name of a check, why it may fail.

    Example:
        >>> from mec_moe_env import OffloadingConfig
        >>> from mec_moe_env.testing import check_world
        >>> corners = [(0, 0), (0, 300), (300, 0), (300, 300)]
        >>> passed = check_world(OffloadingConfig(positions=corners, num_servers=4, horizon=5))

    Raises:
        ConformanceError: a check failed that should not, or the reverse; each is named.
        ValueError: there is no check of an expected failure's name, or `config` is none.
    """
    return run_checks(type(config).__name__, world_checks(config), expected_failures)


def _foresight(config: OffloadingConfig | DMoEConfig, seed: int) -> Any:
    return foresight(config, seed)


def _others(trace: Singles) -> Flags:
    """Tell which links are between two nodes, (origins, M)."""
    return ~np.eye(*trace.shape[1:3], dtype=np.bool_)
