"""What can be configured in DMoE, and its presets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from mec_moe_env.config import Interval, Real, Whole, reject, setting
from mec_moe_env.dmoe.reserve import most_links
from mec_moe_env.dmoe.table import ENTRIES, OUTCOMES
from mec_moe_env.radio.config import RadioConfig

GATE_SOURCES = ("random", "digits", "trace", "toy")


@dataclass(frozen=True, kw_only=True)
class DMoEConfig(RadioConfig):
    """Multi-layer mixture-of-experts inference over edge nodes (Qin et al. 2025)."""

    entries: ClassVar = ENTRIES
    outcomes: ClassVar = OUTCOMES
    length_field: ClassVar = "num_layers"

    area_m: float = setting(200.0, Real(0, 1e9, open_low=True), "m")
    """Side of the square over which the nodes are spread."""
    gates: str = "random"
    """Where gate scores come from: random, a trained model on digits, or a recorded trace."""
    data_path: str | None = None
    """Trace only: the .npz file with the recorded gate scores."""
    num_nodes: int = setting(4, Whole(2, 10**5))
    """K, nodes = experts."""
    num_sources: int | None = None
    """I, nodes that hold queries (the first I); None is all K."""
    tokens_per_source: int = setting(2, Whole(1, 10**5))
    """Q, tokens of a source."""
    num_layers: int = setting(4, Whole(1, 10**5))
    """L, layers = steps of an episode."""
    num_subcarriers: int = setting(16, Whole(1, 10**5))
    """S, subcarriers."""
    max_experts: int = setting(2, Whole(1, 10**5))
    """D, most experts per token."""
    state_bits: float = setting(65536.0, Real(0, 1e15, open_low=True), "bit")
    """s0, bits of one hidden state (4,096 values of 16 bit)."""
    qos: float = setting(1.0, Real(0, 1))
    """z, relevance required of a layer of importance 1."""
    importance: float | tuple[float, ...] = 0.8
    """γ0, so that layer l has importance γ0^l; or the importance of every layer."""
    gate_spread: float = setting(1.5, Real(0, 1e6))
    """Random gates only: standard deviation of the logits. Among more experts it takes more for
    the best D to hold as much of the mass, as they do in trained gates: `large` and `massive` set
    it such that they hold two thirds, as in `paper`; otherwise no threshold could be met there."""
    compute_joules: tuple[float, float] = setting((0.0005, 0.0015), Interval(Real(0, 1e6)), "J")
    """Energy per token, uniform over the nodes."""
    csi_delay: int = setting(0, Whole(0, 10**4), "slots")
    """Slots by which the channel that the agent sees is old."""
    deadline_seconds: float = setting(float("inf"), Real(0, open_low=True, infinite=True), "s")
    """Longest time of a link's transfer; states that need longer are lost (our extension)."""
    count_backward: bool = False
    """Whether returning the results is sent over the same subcarrier and counted likewise."""
    failure_rate: float = setting(0.0, Real(0, 1), "1/slot")
    """Probability that an available node fails in a slot."""
    repair_rate: float = setting(0.5, Real(0, 1, open_low=True), "1/slot")
    """Probability that a failed node is available again in a slot."""
    error_weight: float = setting(1.0, Real(0, 1e9))
    """w_err, of the charge for violated thresholds, or of a real model's cross-entropy."""
    energy_weight: float = setting(1.0, Real(0, 1e9))
    """w_energy; where it exceeds w_err, violating thresholds may pay."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.gates not in GATE_SOURCES:
            raise reject("gates", self.gates, f"one of {GATE_SOURCES}")
        sources = Whole(1, self.num_nodes)
        if self.num_sources is not None and not sources.admits(self.num_sources):
            raise reject("num_sources", self.num_sources, f"None or {sources} (num_nodes)")
        if not isinstance(self.count_backward, bool):
            raise reject("count_backward", self.count_backward, "True or False")
        self._check_importance()

    def _check_importance(self) -> None:
        unit = Real(0, 1)
        given = self.importance
        if isinstance(given, tuple):
            if len(given) != self.num_layers or not all(map(unit.admits, given)):
                raise reject(
                    "importance",
                    given,
                    f"a number in [0, 1] or num_layers = {self.num_layers} of them",
                )
        elif not unit.admits(given):
            raise reject("importance", given, "a number in [0, 1], or one for every layer")

    @property
    def sources(self) -> int:
        """I, the number of sources."""
        return self.num_nodes if self.num_sources is None else self.num_sources

    @property
    def most_links(self) -> int:
        """L = min(I·(K − 1), I·Q·D), most links over which a layer's states can have to travel."""
        return most_links(self.sources, self.tokens_per_source, self.num_nodes, self.max_experts)

    @property
    def layer_importance(self) -> tuple[float, ...]:
        """γ^(l) of every layer l = 1..L: γ0^l, or what was given (Qin et al. 2025, P1)."""
        if isinstance(self.importance, tuple):
            return self.importance
        return tuple(self.importance**layer for layer in range(1, self.num_layers + 1))

    @property
    def steps(self) -> int:
        """L, the steps of an episode."""
        return self.num_layers

    @property
    def sizes(self) -> Mapping[str, int]:
        """Size of each axis of the observation, by the paper's letter."""
        return {
            "I": self.sources,
            "Q": self.tokens_per_source,
            "K": self.num_nodes,
            "S": self.num_subcarriers,
            "L": self.num_layers,
        }

    @property
    def expert_shape(self) -> tuple[int, int, int]:
        """Logical shape (I, Q, D) of the action's first part: an expert per pick, K = none."""
        return self.sources, self.tokens_per_source, self.max_experts

    @property
    def link_shape(self) -> tuple[int, int]:
        """Logical shape (I, K) of the action's second part: a subcarrier per link."""
        return self.sources, self.num_nodes


DMOE_PRESETS: Mapping[str, DMoEConfig] = MappingProxyType(
    {
        "default": DMoEConfig(),
        "paper": DMoEConfig(num_nodes=8, tokens_per_source=4, num_layers=8, num_subcarriers=64),
        # A cell's width, and radio that runs out: a link's best subcarrier has 0.7 bit/s/Hz in the
        # median, its fourth best costs a third more. There are L = 56 links for 24 subcarriers,
        # and serving each token as cheaply as it can be takes 37 of them in the first layer, 24
        # in the fifth: some thresholds have to be violated, and a scheduler chooses whose.
        "contended": DMoEConfig(
            area_m=2000.0,
            num_nodes=8,
            tokens_per_source=4,
            num_layers=8,
            num_subcarriers=24,
        ),
        # The weight leaves a scheduler no reason to give up accuracy: on practice seeds JESA's
        # best γ0 is 0.6, at 98.6 % against Top-D's 98.7 %, for all weights from 15 to 25; at 10 it
        # lies between 0.4 and 0.5, at 97.5 to 98 %.
        "digits-moe": DMoEConfig(
            gates="digits",
            num_nodes=8,
            tokens_per_source=4,
            num_subcarriers=64,
            error_weight=20.0,
        ),
        "large": DMoEConfig(
            num_nodes=64,
            num_sources=8,
            tokens_per_source=8,
            num_layers=8,
            num_subcarriers=512,
            gate_spread=3.0,
        ),
        "massive": DMoEConfig(
            num_nodes=2048,
            num_sources=1,
            tokens_per_source=16,
            num_subcarriers=256,
            max_experts=4,
            gate_spread=4.5,
        ),
        "toy": DMoEConfig(
            gates="toy",
            num_nodes=2,
            tokens_per_source=1,
            num_layers=2,
            num_subcarriers=2,
            importance=(1.0, 0.5),
            state_bits=1e6,
        ),
    }
)
