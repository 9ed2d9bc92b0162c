"""Bad configurations are refused with the field, the value and what is allowed."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from mec_moe_env import OFFLOADING_PRESETS, OffloadingConfig, OffloadingEnv

BELOW: dict[str, Any] = {
    "bandwidth_hz": 0.0,
    "power_w": 0,
    "slot_seconds": -1.0,
    "doppler_hz": -0.1,
    "carrier_hz": 1.0,
    "area_m": 0.0,
    "path_loss_exponent": -1.0,
    "shadowing_db": -1.0,
    "noise_density_dbm_hz": -4000.0,
    "noise_figure_db": -1.0,
    "rician_factor": -1.0,
    "min_spectral_efficiency": 0.0,
    "max_spectral_efficiency": 0.05,
    "positions": 3,
    "channel_trace": (0.5, 1.0),
    "trace_start": "last",
    "arrivals": "",
    "experts": "deep",
    "hidden_widths": (64, 0),
    "expert_loss": "hinge",
    "sgd_epochs": 0,
    "sgd_rate": 0.0,
    "sgd_batch": 0,
    "expert_restart": 1,
    "tasks": "mnits",
    "num_tasks": 0,
    "max_experts": 0,
    "num_servers": 0,
    "num_subcarriers": 0,
    "num_types": 0,
    "horizon": 0,
    "feature_dim": 0,
    "samples_per_task": 0,
    "feature_rank": 11,
    "truth_scale": 0.0,
    "truth_law": "uniform",
    "truth_clusters": -1,
    "cluster_spread": -0.1,
    "signal_direction": "random",
    "signal_norm": -1.0,
    "signal_strength": (1.0, 0.5),
    "noise_scale": -0.1,
    "noise_law": "normal",
    "type_jitter": -0.1,
    "type_frequencies": (0.5, 0.5),
    "type_persistence": 1.1,
    "proximal": -1.0,
    "max_delay": 0,
    "payload_mbit": (1.0, 0.5),
    "result_mbit": -0.1,
    "compute_joules": (-1.0, 0.5),
    "compute_seconds": 0.5,
    "failure_rate": 1.5,
    "repair_rate": -0.5,
    "error_weight": -1.0,
    "energy_weight": -1.0,
    "delay_weight": -1.0,
}


def test_every_field_is_tried() -> None:
    fields = {field.name for field in dataclasses.fields(OffloadingConfig)}
    assert fields - BELOW.keys() == {"data_path"}


@pytest.mark.parametrize("field", BELOW)
def test_out_of_range(field: str) -> None:
    with pytest.raises(ValueError, match=field) as caught:
        OffloadingEnv(**{field: BELOW[field]})
    assert repr(BELOW[field]) in str(caught.value) or field == "max_spectral_efficiency"
    assert "must be" in str(caught.value)


@pytest.mark.parametrize("value", [math.nan, "8", None, True, 2.5])
def test_wrong_kind(value: Any) -> None:
    with pytest.raises(ValueError, match="num_servers = .* must be an integer in"):
        OffloadingConfig(num_servers=value)


def test_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="noise_scale = nan"):
        OffloadingConfig(noise_scale=math.nan)


def test_tasks_of_a_strange_kind() -> None:
    with pytest.raises(ValueError, match="tasks = 3 is not allowed: .* or a TaskStream"):
        OffloadingEnv(tasks=3)


def test_config_is_immutable() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        OFFLOADING_PRESETS["default"].num_servers = 3  # type: ignore[misc]
    with pytest.raises(TypeError):
        OFFLOADING_PRESETS["default"] = OffloadingConfig()  # type: ignore[index]


def test_override_keeps_the_preset() -> None:
    env = OffloadingEnv("scarce", horizon=5)
    assert env.config.horizon == 5
    assert env.config.num_servers == OFFLOADING_PRESETS["scarce"].num_servers
    assert OFFLOADING_PRESETS["scarce"].horizon == 1000


def test_rank_is_at_most_the_dimension() -> None:
    assert OffloadingConfig().rank == 10
    assert OffloadingConfig(feature_rank=4).rank == 4
    with pytest.raises(ValueError, match="feature_rank = 11 .* at most feature_dim = 10"):
        OffloadingConfig(feature_rank=11)


@pytest.mark.parametrize("scenario", ["digits"])
def test_digits_have_sixty_four_pixels(scenario: str) -> None:
    with pytest.raises(ValueError, match="feature_dim = 32 is not allowed: .* 64"):
        OffloadingEnv(scenario, feature_dim=32)
    with pytest.raises(ValueError, match="samples_per_task = 5000"):
        OffloadingEnv(scenario, samples_per_task=5000)


def test_numpy_numbers_and_lists_are_welcome() -> None:
    fields: dict[str, Any] = {
        "num_servers": np.int64(9),
        "area_m": np.float32(100.0),
        "payload_mbit": [0.5, 0.5],
    }
    config = OffloadingConfig(**fields)
    assert config == OffloadingConfig(num_servers=9, area_m=100.0, payload_mbit=(0.5, 0.5))
    assert type(config.num_servers) is int
