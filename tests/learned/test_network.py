"""The network in NumPy is the one that was trained in torch."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from mec_moe_agents.offloading.features import CONTEXT, OF_SERVER, SERVER
from mec_moe_agents.offloading.network import IMPOSSIBLE, Network, arrays_of
from numpy.typing import NDArray

from tests.learned.models import Untrained, arrays


def some_features(
    batch: int, servers: int, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(batch, CONTEXT + servers * SERVER)).astype(np.float32)
    blocks = features[:, CONTEXT:].reshape(batch, servers, SERVER)
    blocks[..., OF_SERVER.available] = rng.random((batch, servers)) < 0.6
    return features, blocks[..., OF_SERVER.available] > 0


@pytest.mark.parametrize("servers", [2, 8, 64])
def test_numpy_equals_torch_for_any_number_of_servers(servers: int) -> None:
    model = Untrained()
    features, available = some_features(32, servers)
    with torch.no_grad():
        expected = model.network.forward_actor(torch.as_tensor(features)).numpy()
    found = Network(arrays_of(model)).logits(features)
    assert found.shape == (32, servers + 1)
    assert (found[:, :-1][~available] == IMPOSSIBLE).all()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_order_of_the_servers_does_not_matter() -> None:
    network = Network(arrays())
    features, _ = some_features(4, 6)
    order = np.random.default_rng(1).permutation(6)
    blocks = features[:, CONTEXT:].reshape(4, 6, SERVER)[:, order].reshape(4, -1)
    moved = network.logits(np.concatenate([features[:, :CONTEXT], blocks], 1))
    straight = network.logits(features)
    np.testing.assert_allclose(moved[:, :-1], straight[:, order], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(moved[:, -1], straight[:, -1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda found: found.pop("skip.weight"), "'skip.weight' is missing"),
        (lambda found: found.update({"score.bias": np.zeros(2, np.float32)}), "shape .2,."),
        (lambda found: found.update({"score.bias": np.zeros(1)}), "float64"),
        (lambda found: found["reject.weight"].fill(np.nan), "NaN"),
    ],
)
def test_unfit_arrays_are_refused(change: Callable[[Any], Any], message: str) -> None:
    found = {name: array.copy() for name, array in arrays().items()}
    change(found)
    with pytest.raises(ValueError, match=message):
        Network(found)


def test_the_agent_needs_no_torch() -> None:
    code = (
        "import sys, mec_moe_agents, mec_moe_agents.offloading.learned\n"
        "print([m for m in ('torch', 'stable_baselines3', 'safetensors') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
