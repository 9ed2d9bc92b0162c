"""Where an episode's gate scores come from."""

from __future__ import annotations

import numpy as np

from mec_moe_env.config import keep_fixed, reject
from mec_moe_env.core.rng import Randomness
from mec_moe_env.core.simulator import RESET, Orders
from mec_moe_env.dmoe.config import DMOE_PRESETS, DMoEConfig
from mec_moe_env.dmoe.state import Exogenous, State
from mec_moe_env.moe.model import embed, gate_scores
from mec_moe_env.moe.trace import load_gate_trace
from mec_moe_env.moe.weights import MoEWeights, load_digits_moe
from mec_moe_env.tasks.images import load_digits_split

TOY_GATES = (((0.75, 0.25), (0.5, 0.5)), ((0.25, 0.75), (1.0, 0.0)))
"""Scores by layer, source and expert."""
TOY_EFFICIENCY = ((5.0, 2.5), (4.0, 2.0))
"""bit/s/Hz of subcarriers 0 and 1, from node 0 to node 1 and back."""
TOY_JOULES = (0.02, 0.01)
TOY_FREE = (
    "bandwidth_hz",
    "power_w",
    "min_spectral_efficiency",
    "max_spectral_efficiency",
    "max_experts",
    "state_bits",
    "qos",
    "importance",
    "deadline_seconds",
    "error_weight",
    "energy_weight",
)
"""What can be overridden; all else is fixed by hand, or of the radio and of gates that are not."""


class GateSource:
    """Softmax of independent normal logits, which compiled code draws with the channel."""

    weights: MoEWeights | None = None
    """The real model that goes on from an episode's first scores."""

    def start(
        self, orders: Orders, randomness: Randomness, state: State, exogenous: Exogenous
    ) -> None:
        """Write what compiled code cannot of the episodes that begin, before it begins them."""


class GivenGates(GateSource):
    """Scores that Python code writes for one episode after the other."""

    def start(
        self, orders: Orders, randomness: Randomness, state: State, exogenous: Exogenous
    ) -> None:
        """Begin every episode that is to begin."""
        for index in np.flatnonzero(orders == RESET).tolist():
            self.begin(index, randomness[index], state, exogenous)

    def begin(self, i: int, rng: np.random.Generator, state: State, exogenous: Exogenous) -> None:
        """Write the scores, and what they depend on, of sub-environment i."""
        raise NotImplementedError


class TraceGates(GivenGates):
    """Scores recorded from any mixture-of-experts model; an episode replays one batch."""

    def __init__(self, config: DMoEConfig) -> None:
        """Load the trace.

        Raises:
            FileNotFoundError: no file was named, or there is none.
            ValueError: the file is damaged, or does not fit the scenario.
        """
        if config.data_path is None:
            raise FileNotFoundError("gates = 'trace' replays a file: set data_path to its path")
        self._gate = load_gate_trace(config.data_path).gate
        self._tokens = config.sources * config.tokens_per_source
        _, layers, tokens, experts = self._gate.shape
        recorded = f"as recorded in {config.data_path}"
        if config.num_nodes != experts:
            raise reject("num_nodes", config.num_nodes, f"{experts}, {recorded}")
        if config.num_layers > layers:
            raise reject("num_layers", config.num_layers, f"at most {layers}, {recorded}")
        if self._tokens > tokens:
            most = f"at most {tokens // config.sources}, {recorded}"
            raise reject("tokens_per_source", config.tokens_per_source, most)

    def begin(self, i: int, rng: np.random.Generator, state: State, exogenous: Exogenous) -> None:
        """Pick a batch and, out of it, as many different tokens as there are."""
        gates = exogenous.gates[i]
        batch = self._gate[rng.integers(len(self._gate))]
        tokens = rng.choice(batch.shape[1], self._tokens, replace=False)
        gates[:] = batch[: len(gates), tokens].reshape(gates.shape)


class DigitGates(GivenGates):
    """A trained classifier of handwritten digits: a token is one held-out image."""

    def __init__(self, config: DMoEConfig) -> None:
        """Load the model and the images.

        Raises:
            ImportError: scikit-learn, the extra `digits`, is not installed.
            ValueError: the scenario's sizes are not the model's.
        """
        self.weights = self._model = load_digits_moe()
        layers, _, experts = self._model.gate_matrix.shape
        for field, held in (("num_nodes", experts), ("num_layers", layers)):
            if getattr(config, field) != held:
                raise reject(field, getattr(config, field), f"{held}, as in the digits model")
        images = load_digits_split()
        self._images, self._classes = images.heldout, images.heldout_classes

    def begin(self, i: int, rng: np.random.Generator, state: State, exogenous: Exogenous) -> None:
        """Pick a digit for every token and run embedding and first gate."""
        tokens = state.labels.shape[1]
        chosen = rng.integers(len(self._images), size=tokens)
        state.labels[i] = self._classes[chosen]
        state.hidden[i] = embed(self._model, self._images[chosen])
        gate_scores(self._model, 0, state.hidden[i], exogenous.gates[i, 0].reshape(tokens, -1))


class ToyGates(GivenGates):
    """The `toy` scenario: two nodes, two subcarriers, two layers, everything fixed by hand."""

    def __init__(self, config: DMoEConfig) -> None:
        """Check that the config keeps what is fixed by hand.

        Raises:
            ValueError: a field was changed that would do nothing.
        """
        keep_fixed(config, DMOE_PRESETS["toy"], TOY_FREE)
        least, most = config.min_spectral_efficiency, config.max_spectral_efficiency
        self._links = np.clip(TOY_EFFICIENCY, least, most)
        self._in_situ = most

    def begin(self, i: int, rng: np.random.Generator, state: State, exogenous: Exogenous) -> None:
        """Fix the gate scores, the nodes' energies and the channel."""
        exogenous.nodes["joules"][i] = TOY_JOULES
        exogenous.nodes["available"][i] = True
        exogenous.gates[i, :, :, 0] = TOY_GATES
        efficiency = exogenous.spectral_efficiency[i]
        efficiency[:] = self._in_situ
        efficiency[:, 0, 1], efficiency[:, 1, 0] = self._links


def make_gates(config: DMoEConfig) -> GateSource:
    """Build the source of gate scores that a config names."""
    if config.gates == "digits":
        return DigitGates(config)
    if config.gates == "trace":
        return TraceGates(config)
    return ToyGates(config) if config.gates == "toy" else GateSource()
