"""A world of one's own from files: sites, channel and arrivals.

    pip install mec-moe-env
    python examples/recorded_world.py

Writes the three files as a measurement campaign would leave them, here made up: sites as the public
EUA dataset has them, channel gains that follow the distances and fade, and a rush of tasks that
comes and goes, at most two a slot. Then baselines meet in that world.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mec_moe_agents import evaluate, read_arguments

from mec_moe_env import OffloadingConfig
from mec_moe_env.testing import check_world

AGENTS = ("random", "nearest", "profile", "guard", "reject-all")
SERVERS, SUBCARRIERS, TYPES = 8, 4, 4
CENTRE = -37.8136, 144.9631
"""Latitude and longitude, degrees."""


@dataclass(frozen=True)
class Arguments:
    """Settings; every field is a command-line option."""

    slots: int = 200
    seeds: int = 20
    first_seed: int = 100_000
    folder: str = "recorded"


def write_sites(path: Path, rng: np.random.Generator) -> np.ndarray:
    """Write sites within a few hundred metres; return their places, (M, 2), metres."""
    degrees = CENTRE + rng.uniform(-0.002, 0.002, (SERVERS, 2))
    lines = [f"{10_000 + m},{north:.6f},{east:.6f}" for m, (north, east) in enumerate(degrees)]
    path.write_text("SITE_ID,LATITUDE,LONGITUDE\n" + "\n".join(lines) + "\n")
    return 111_195.0 * (degrees - CENTRE) * [1.0, np.cos(np.deg2rad(CENTRE[0]))]


def write_gains(path: Path, places: np.ndarray, slots: int, rng: np.random.Generator) -> None:
    """Write gains in dB of all links, (slots, M·M, S): log-distance loss and Rayleigh fading."""
    metres = np.linalg.norm(places[:, np.newaxis] - places, axis=2).clip(1.0)
    loss = 43.3 + 30.0 * np.log10(metres)
    fading = rng.exponential(size=(slots, SERVERS * SERVERS, SUBCARRIERS))
    np.savez(path, gain_db=10.0 * np.log10(fading) - loss.reshape(-1, 1))


def write_arrivals(path: Path, slots: int, rng: np.random.Generator) -> int:
    """Write tasks that come twice as often in the middle of the record; return how many."""
    rush = 0.5 * (1.0 + np.sin(np.linspace(0.0, np.pi, slots)))
    lines = []
    for slot, count in enumerate(rng.binomial(2, rush)):
        for _ in range(count):
            n, origin = rng.integers(TYPES), rng.integers(SERVERS)
            lines.append(f"{slot},{n},{origin},{rng.uniform(0.2, 1.0):.3f}")
    # Says how long the record is, should nothing come in the end.
    lines.append(f"{slots - 1},,,")
    path.write_text("slot,type,origin,payload\n" + "\n".join(lines) + "\n")
    return len(lines) - 1


def main(settings: Arguments) -> None:
    """Write the files, check them, and print how baselines do."""
    folder, rng = Path(settings.folder), np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    places = write_sites(folder / "sites.csv", rng)
    write_gains(folder / "gains.npz", places, settings.slots, rng)
    count = write_arrivals(folder / "arrivals.csv", settings.slots, rng)
    config = OffloadingConfig(
        num_tasks=2,
        num_servers=SERVERS,
        num_subcarriers=SUBCARRIERS,
        num_types=TYPES,
        horizon=settings.slots,
        positions=folder / "sites.csv",
        channel_trace=folder / "gains.npz",
        arrivals=folder / "arrivals.csv",
    )
    print(f"{count} tasks in {settings.slots} slots; passed: {', '.join(check_world(config))}")
    print(f"{'':>12}{'error':>9}{'rejected':>10}{'J':>9}")
    seeds = range(settings.first_seed, settings.first_seed + settings.seeds)
    for name in AGENTS:
        found = evaluate(name, config, seeds).metrics
        error, rejected = found["generalization_error"].mean(), found["rejected_share"].mean()
        print(f"{name:>12}{error:9.3f}{rejected:10.1%}{found['energy_j'].mean():9.2f}")


if __name__ == "__main__":
    main(read_arguments(Arguments, __doc__))
