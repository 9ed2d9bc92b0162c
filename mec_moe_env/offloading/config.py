"""What can be configured in offloading, and its presets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from mec_moe_env.config import Interval, OneOf, Real, Recorded, Whole, reject, setting
from mec_moe_env.offloading.expert_config import ExpertConfig
from mec_moe_env.offloading.table import ENTRIES, OUTCOMES

TASK_STREAMS = ("synthetic", "teacher", "digits", "mnist", "mnist-5k", "toy")
WITHOUT_HELDOUT = ("synthetic", "toy")
"""Streams whose truth is known, so that no sample is held out to judge by."""
LAWS = ("gaussian", "sphere")
"""Of a random vector: independent normal coordinates, or a uniform direction of fixed length."""


@dataclass(frozen=True, kw_only=True)
class OffloadingConfig(ExpertConfig):
    """Continual learning over edge servers (Li & Duan 2024); symbols as in the paper."""

    entries: ClassVar = ENTRIES
    outcomes: ClassVar = OUTCOMES
    length_field: ClassVar = "horizon"

    tasks: Any = "synthetic"
    """Name of the task stream, or a `mec_moe_env.tasks.TaskStream` of your own."""
    data_path: str | None = None
    """MNIST only: an .npz or CSV file, or a folder with the four IDX files."""
    arrivals: Any = setting(
        None, Recorded("a CSV file of slot, type, origin, payload (Mbit)", rows=True)
    )
    """Which tasks arrive, rather than U a slot of types, origins and payloads that are drawn: any
    number a slot up to U."""
    num_tasks: int = setting(1, Whole(1, 10**5))
    """U, arrivals per slot."""
    max_experts: int = setting(1, Whole(1, 10**5))
    """D, most experts per task."""
    num_servers: int = setting(8, Whole(1, 10**5))
    """M, servers = experts."""
    num_subcarriers: int = setting(8, Whole(1, 10**5))
    """S, subcarriers."""
    num_types: int = setting(4, Whole(1, 10**5))
    """N, task types."""
    horizon: int = setting(200, Whole(1, 2**62), "slots")
    """T, slots per episode."""
    feature_dim: int = setting(10, Whole(1, 10**5))
    """d, features of a sample."""
    samples_per_task: int = setting(6, Whole(1, 10**5))
    """k, samples of a task; from k = d on they determine its ground truth."""
    feature_rank: int = setting(0, Whole(0, 10**5))
    """Synthetic only: r, coordinates that truths and samples have, at most d; 0 is all d. The
    others of a sample are a thousandth of those."""
    truth_scale: float = setting(0.6, Real(1e-9, 1e6))
    """σ0, standard deviation of the ground truths' coordinates; on a sphere their length."""
    truth_law: str = setting("gaussian", OneOf(LAWS))
    """Synthetic only: how ground truths are drawn."""
    truth_clusters: int = setting(0, Whole(0, 10**5))
    """Synthetic only: K, types with a ground truth of their own; the truth of type n ≥ K is that
    of type n − K and an offset. 0 is all N."""
    cluster_spread: float = setting(0.0, Real(0, 1e6))
    """Standard deviation of the coordinates of such an offset."""
    type_jitter: float = setting(0.05, Real(0, 1e6))
    """Half width of the uniform spread of ground truths within a type; 0 is a fixed pool."""
    signal_direction: str = setting("orthogonal", OneOf(("orthogonal", "parallel")))
    """Synthetic only: feature signals are orthogonal to each other, while there are dimensions,
    or parallel to the ground truths."""
    signal_norm: float = setting(0.0, Real(0, 1e6))
    """Synthetic only: length of the feature signals; 0 is √d."""
    signal_strength: tuple[float, float] = setting((0.5, 1.0), Interval(Real(0, 1e6)))
    """Synthetic only: β, by which a task multiplies its signal, above the first number and up to
    the second."""
    noise_scale: float = setting(0.1, Real(1e-9, 1e6))
    """σ_t, standard deviation of the features that carry no signal; on a sphere their length."""
    noise_law: str = setting("gaussian", OneOf(LAWS))
    """Synthetic only: how samples without a signal are drawn."""
    type_frequencies: tuple[float, ...] | None = None
    """Relative frequency of each type; None is uniform."""
    type_persistence: float = setting(0.0, Real(0, 1))
    """Probability that a task repeats the type of the one before (bursts)."""
    proximal: float = setting(0.0, Real(0, 1e12))
    """κ, proximal term of Lemma 1; 0 interpolates."""
    max_delay: int = setting(5, Whole(1, 10**6), "slots")
    """d_u, longest delay in slots; 1 trains every task at once: all servers are always idle."""
    payload_mbit: tuple[float, float] = setting((0.2, 1.0), Interval(Real(0, 1e6)), "Mbit")
    """Data of a task, uniform over the tasks."""
    result_mbit: float = setting(0.0, Real(0, 1e6), "Mbit")
    """What goes back to the origin's base station from any other server, over the same link."""
    compute_joules: tuple[float, float] = setting((0.001, 0.004), Interval(Real(0, 1e6)), "J")
    """Energy per sample, uniform over the servers."""
    compute_seconds: tuple[float, float] = setting((0.005, 0.03), Interval(Real(0, 1e9)), "s")
    """Time per sample, uniform over the servers."""
    failure_rate: float = setting(0.0, Real(0, 1), "1/slot")
    """Probability that a working server fails in a slot."""
    repair_rate: float = setting(0.1, Real(0, 1), "1/slot")
    """Probability that a failed server is repaired in a slot."""
    error_weight: float = setting(1.0, Real(0, 1e9))
    """w_err, of the growth of E."""
    energy_weight: float = setting(5.0, Real(0, 1e9), "1/J")
    """w_energy, of the joules spent."""
    delay_weight: float = setting(0.02, Real(0, 1e9), "1/slot")
    """w_delay, of the slots of delay."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.tasks, str) and self.tasks not in TASK_STREAMS:
            raise reject("tasks", self.tasks, f"one of {TASK_STREAMS} or a TaskStream")
        self._check_frequencies()
        if self.tasks in WITHOUT_HELDOUT:
            self.refuse_networks()
        if self.tasks == "teacher" and self.feature_dim < 2:
            raise reject("feature_dim", self.feature_dim, "at least 2, the units of a teacher")
        if self.tasks == "synthetic" and self.feature_rank > self.feature_dim:
            raise reject(
                "feature_rank", self.feature_rank, f"at most feature_dim = {self.feature_dim}"
            )

    def refuse_networks(self) -> None:
        """Refuse networks where nothing says how wrong they are.

        Raises:
            ValueError: the experts are networks.
        """
        if self.experts != "linear":
            raise reject(
                "experts",
                self.experts,
                f"'linear' with tasks = {self.tasks!r}, whose types have no held-out samples",
            )

    def _check_frequencies(self) -> None:
        frequencies = self.type_frequencies
        if frequencies is None:
            return
        relative = Real(0, 1e12)
        if (
            not isinstance(frequencies, tuple)
            or len(frequencies) != self.num_types
            or not all(map(relative.admits, frequencies))
            or sum(frequencies) <= 0
        ):
            raise reject(
                "type_frequencies",
                frequencies,
                f"None or num_types = {self.num_types} numbers, each {relative}, not all 0",
            )

    @property
    def steps(self) -> int:
        """T, the steps of an episode."""
        return self.horizon

    @property
    def sizes(self) -> Mapping[str, int]:
        """Size of each axis of the observation, by the paper's letter."""
        return {
            "U": self.num_tasks,
            "M": self.num_servers,
            "S": self.num_subcarriers,
            "d": self.feature_dim,
        }

    @property
    def rank(self) -> int:
        """r, the dimensions of synthetic truths and samples."""
        return self.feature_rank or self.feature_dim

    @property
    def action_shape(self) -> tuple[int, int, int]:
        """Logical shape (U, D, 2) of the flat action: for each pick a server and a subcarrier."""
        return self.num_tasks, self.max_experts, 2


_REAL_DATA: dict[str, Any] = {
    "num_servers": 12,
    "num_subcarriers": 16,
    "num_types": 5,
    "horizon": 500,
    "feature_dim": 64,
    "samples_per_task": 16,
    "proximal": 1.0,
    # Sixteen images a task: half the work per sample keeps delays within d_u.
    "compute_joules": (0.0005, 0.002),
    "compute_seconds": (0.0025, 0.015),
}

_PAPER: dict[str, Any] = {
    "num_servers": 30,
    "num_subcarriers": 16,
    "num_types": 10,
    "horizon": 3000,
}

OFFLOADING_PRESETS: Mapping[str, OffloadingConfig] = MappingProxyType(
    {
        "default": OffloadingConfig(),
        "paper-synthetic": OffloadingConfig(**_PAPER),
        # Ground truths of length σ0 rather than σ0·√d, so that a server chosen by chance errs by
        # about σ0 as in the paper's figures, and signals as long as in the author's program.
        "mec-norm": OffloadingConfig(
            truth_law="sphere", signal_norm=6.0, signal_strength=(1.0, 1.0), **_PAPER
        ),
        # The first author's program of Li et al., "Theory on Mixture-of-Experts in Continual
        # Learning", ICLR 2025: a fixed pool of types, no network and no delay.
        "continual": OffloadingConfig(
            num_servers=10,
            num_subcarriers=1,
            num_types=7,
            horizon=2000,
            feature_rank=6,
            truth_scale=0.4,
            truth_law="sphere",
            truth_clusters=3,
            cluster_spread=0.4 / 200,
            type_jitter=0.0,
            signal_direction="parallel",
            signal_norm=6.0,
            signal_strength=(1.0, 1.0),
            noise_law="sphere",
            max_delay=1,
            energy_weight=0.0,
            delay_weight=0.0,
        ),
        "digits": OffloadingConfig(tasks="digits", **_REAL_DATA),
        "mnist": OffloadingConfig(tasks="mnist", **_REAL_DATA),
        "mnist-5k": OffloadingConfig(tasks="mnist-5k", **_REAL_DATA),
        # For `experts="mlp"`: linear ones learn nothing here, and it is best to take no task. Twice
        # the samples of an image task, so that a network learns from one what a teacher means;
        # half the work on each, again for the delays.
        "teacher": OffloadingConfig(
            tasks="teacher",
            num_servers=12,
            num_subcarriers=16,
            num_types=5,
            horizon=500,
            feature_dim=6,
            samples_per_task=32,
            proximal=1.0,
            compute_joules=(0.00025, 0.001),
            compute_seconds=(0.00125, 0.0075),
            sgd_epochs=5,
        ),
        "joint": OffloadingConfig(
            num_tasks=4,
            max_experts=2,
            num_servers=16,
            num_subcarriers=16,
            num_types=6,
            horizon=300,
        ),
        "scarce": OffloadingConfig(num_servers=10, num_types=10, horizon=1000),
        # Sending every task over a mean link would keep 4.8 subcarriers busy, over its best link
        # 3.8: with four of them the radio, not the servers, is what runs out.
        "congested": OffloadingConfig(num_tasks=2, num_servers=12, num_subcarriers=4, horizon=300),
        "massive": OffloadingConfig(
            num_servers=1024,
            num_subcarriers=256,
            num_types=50,
            feature_dim=64,
            area_m=1000.0,
            doppler_hz=math.inf,
        ),
        "toy": OffloadingConfig(
            tasks="toy",
            num_servers=2,
            num_subcarriers=2,
            num_types=2,
            horizon=4,
            feature_dim=2,
            samples_per_task=1,
            error_weight=1.0,
            energy_weight=1.0,
            delay_weight=0.5,
        ),
    }
)
