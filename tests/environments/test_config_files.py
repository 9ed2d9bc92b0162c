"""Configurations as files, and scenarios with names of one's own."""

import json
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest

from mec_moe_env import (
    DMOE_PRESETS,
    OFFLOADING_PRESETS,
    DMoEConfig,
    OffloadingConfig,
    OffloadingEnv,
    register_scenario,
)
from mec_moe_env.config import Config
from mec_moe_env.limits import CONFIG_BYTES
from mec_moe_env.scenarios import GROUP, OFFLOADING_SCENARIOS, ScenarioTable

ENDINGS = ("toml", "json", "yaml", "yml")


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("config", [*OFFLOADING_PRESETS.values(), *DMOE_PRESETS.values()])
def test_what_is_written_is_read(config: Config, ending: str, tmp_path: Path) -> None:
    if ending.startswith("y"):
        pytest.importorskip("yaml")
    path = tmp_path / f"own.{ending}"
    config.to_file(path)
    assert type(config).from_file(path) == config
    assert type(config).from_dict(config.to_dict()) == config
    assert "environment" in path.read_text()
    assert "format" in path.read_text().split("\n", 2)[ending == "json"]
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_json_file_holds_no_number_that_json_has_not(tmp_path: Path) -> None:
    OffloadingConfig(doppler_hz=float("inf")).to_file(tmp_path / "own.json")

    def refuse(constant: str) -> Any:
        raise AssertionError(constant)

    content = json.loads((tmp_path / "own.json").read_text(), parse_constant=refuse)
    assert content["doppler_hz"] == "inf"


@pytest.mark.parametrize(
    ("ending", "text"),
    [
        ("toml", 'scenario = "digits"\nhorizon = 7\ndoppler_hz = inf\npayload_mbit = [0.1, 1]\n'),
        (
            "json",
            '{"scenario": "digits", "horizon": 7,'
            ' "doppler_hz": Infinity, "payload_mbit": [0.1, 1]}',
        ),
        ("yaml", "scenario: digits\nhorizon: 7\ndoppler_hz: .inf\npayload_mbit: [1e-1, 1]\n"),
    ],
)
def test_a_file_changes_a_scenario(ending: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / f"own.{ending}"
    path.write_text(text)
    expected = OFFLOADING_PRESETS["digits"].override(
        horizon=7, doppler_hz=float("inf"), payload_mbit=(0.1, 1)
    )
    assert OffloadingConfig.from_file(path) == expected
    assert OffloadingConfig.from_file(str(path)).payload_mbit == (0.1, 1)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.toml", "horizn = 3", "a.toml: OffloadingConfig .* 'horizn': did you mean"),
        ("a.toml", "horizon = 0", r"a.toml: horizon = 0 is not allowed: .* integer in \[1, "),
        ("a.toml", 'environment = "dmoe"', "it is for mec_moe/DMoE-v0, not for mec_moe/Offloading"),
        ("a.toml", 'environment = "dmo"', "environment = 'dmo' must be one of mec_moe/Offloading"),
        ("a.toml", 'scenario = "digit"', "unknown scenario 'digit': did you mean 'digits'"),
        ("a.toml", "scenario = 3", "scenario = 3 must be a scenario's name"),
        ("a.toml", "[radio]\npower_w = 1", "radio is a table, expected a number"),
        ("a.toml", "horizon = [[[[[1]]]]]", "horizon is nested more than 4 lists deep"),
        ("a.toml", "horizon = ", "not a proper toml file"),
        ("a.toml", "horizon = 1\nhorizon = 2", "not a proper toml file"),
        ("a.json", '{"horizon": 1, "horizon": 2}', "horizon stands twice"),
        ("a.json", "[" * 100_000, "not a proper json file"),
        ("a.json", "[1]", "expected names with values, got list"),
        ("a.json", "\udcff", "not a proper json file"),
        ("a.yaml", "horizon: 1\nhorizon: 2", "horizon stands twice"),
        ("a.yaml", "power_w: &power 1\nnoise_scale: *power", "aliases .* are not allowed"),
        ("a.yaml", "power_w: !!python/object/apply:os.getpid []", "not a proper yaml file"),
        ("a.toml", "format = 2", "format = 2 is not allowed: this release reads 1"),
        ("a.ini", "horizon = 1", "must end in one of .toml, .json, .yaml, .yml"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(
    name: str, text: str, message: str, tmp_path: Path
) -> None:
    if name.endswith("yaml"):
        pytest.importorskip("yaml")
    (tmp_path / name).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ValueError, match=message):
        OffloadingConfig.from_file(tmp_path / name)


def test_a_file_that_is_too_large_or_missing(tmp_path: Path) -> None:
    large = tmp_path / "large.toml"
    large.write_text("#" * (CONFIG_BYTES + 1))
    with pytest.raises(ValueError, match="bytes are too many"):
        OffloadingConfig.from_file(large)
    with pytest.raises(FileNotFoundError, match="expected a toml file, there is none"):
        OffloadingConfig.from_file(tmp_path / "none.toml")


def test_what_no_file_holds_is_refused(tmp_path: Path) -> None:
    config = OffloadingConfig(tasks=object())
    with pytest.raises(ValueError, match="tasks = <object object .* cannot be written"):
        config.to_file(tmp_path / "own.toml")
    with pytest.raises(ValueError, match="must end in one of"):
        OffloadingConfig().to_file(tmp_path / "own.txt")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    "fields",
    [
        {"arrivals": [(0, 3, 1, 0.5), (49, None, None, None)], "horizon": 50},
        {"arrivals": [(0, 3, 1, float("inf"))]},
        {"arrivals": [(number, 3, 1, 0.123456789) for number in range(50_000)]},
        {"arrivals": '\x7f\x00\n\u2028\x85\\"é'},
        {"arrivals": "\udcff.csv"},
        {"data_path": "\x7f"},
    ],
    ids=("none", "infinite", "many", "control", "surrogate", "delete"),
)
def test_what_is_written_is_read_again_or_refused(
    fields: dict[str, Any], ending: str, tmp_path: Path
) -> None:
    if ending.startswith("y"):
        pytest.importorskip("yaml")
    config = OffloadingConfig(**fields)
    path = tmp_path / f"own.{ending}"
    try:
        config.to_file(path)
    except ValueError as error:
        assert str(error).startswith(str(path))  # noqa: PT017
        assert len(str(error)) < len(str(path)) + 150  # noqa: PT017
        assert not list(tmp_path.iterdir())
    else:
        assert OffloadingConfig.from_file(path) == config


@pytest.mark.parametrize(
    ("fields", "ending", "message"),
    [
        ({"arrivals": [(0, None, None, None)]}, "toml", "arrivals holds None in a list"),
        ({"arrivals": [(0, 1, 2, float("inf"))]}, "json", "arrivals holds inf in a list"),
        ({"arrivals": [(1, 1, 1, 0.123456)] * 50_000}, "json", "bytes would not be read again"),
        ({"arrivals": "\udcff"}, "toml", "arrivals = .* cannot be written as UTF-8"),
        ({"arrivals": [[[[[1]]]]]}, "json", "arrivals is nested more than 4 lists deep"),
    ],
)
def test_what_could_not_be_read_again_is_not_written(
    fields: dict[str, Any], ending: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=f"own.{ending}: .*{message}"):
        OffloadingConfig(**fields).to_file(tmp_path / f"own.{ending}")
    assert not list(tmp_path.iterdir())


def test_files_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    OffloadingConfig(horizon=7).to_file("~/own.toml")
    assert (tmp_path / "own.toml").is_file()
    assert OffloadingConfig.from_file("~/own.toml").horizon == 7
    assert OffloadingConfig.from_file(Path("~/own.toml")).horizon == 7
    (tmp_path / "own.json").mkdir()
    with pytest.raises(IsADirectoryError, match="own.json: expected a json file, found a folder"):
        OffloadingConfig.from_file("~/own.json")


@pytest.mark.parametrize("fields", [[1], None, "horizon", 3, {1: 1}, {"horizon": 3, None: 1}])
def test_fields_are_given_by_name(fields: Any) -> None:
    message = "fields must be a mapping of names|name of a field must be text, got"
    with pytest.raises(TypeError, match=message):
        OffloadingConfig.from_dict(fields)
    if isinstance(fields, dict):
        with pytest.raises(TypeError, match=message):
            OffloadingEnv(fields)


def test_without_pyyaml_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    (tmp_path / "own.yaml").write_text("horizon: 1")
    for act in (OffloadingConfig.from_file, OffloadingConfig().to_file):
        with pytest.raises(ImportError, match=r"pip install 'mec-moe-env\[yaml\]'"):
            act(tmp_path / "own.yaml")


def test_a_registered_scenario_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(OFFLOADING_SCENARIOS, "_registered", {})
    rural = OffloadingConfig(area_m=2000.0, horizon=3)
    register_scenario("rural", rural)
    register_scenario("rural", rural)
    assert OffloadingEnv("rural", horizon=5).config == rural.override(horizon=5)
    env: Any = gym.make("mec_moe/Offloading-v0", scenario="rural")
    assert env.unwrapped.config == rural
    (tmp_path / "own.toml").write_text('scenario = "rural"\nhorizon = 9')
    assert OffloadingConfig.from_file(tmp_path / "own.toml") == rural.override(horizon=9)
    with pytest.raises(ValueError, match="unknown scenario 'rual': did you mean 'rural'"):
        OffloadingEnv("rual")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("digits", "has another scenario 'digits'"),
        ("all", "is not allowed"),
        ("a/b", "is not allowed"),
        ("", "is not allowed"),
        *((f"own.{ending}", "is read as a file") for ending in ENDINGS),
    ],
)
def test_a_name_that_is_taken_or_none_is_refused(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        register_scenario(name, OffloadingConfig(area_m=2000.0))


def test_only_configurations_of_environments_are_registered() -> None:
    with pytest.raises(TypeError, match="expected an OffloadingConfig or a DMoEConfig"):
        register_scenario("own", 3)  # type: ignore[arg-type]


def test_scenarios_of_other_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "stranger-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(
        f"[{GROUP}]\nvillage = strange_scenarios:VILLAGE\nwrong = strange_scenarios:WRONG\n"
    )
    (tmp_path / "strange_scenarios.py").write_text(
        "from mec_moe_env import DMoEConfig\nVILLAGE = DMoEConfig(num_nodes=3)\nWRONG = 7\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    table: ScenarioTable[DMoEConfig] = ScenarioTable("dmoe", "mec_moe/DMoE-v0", DMOE_PRESETS)
    assert table["village"].num_nodes == 3
    assert "village" not in OFFLOADING_SCENARIOS
    assert "village" not in list(table)
    with pytest.raises(ValueError, match="'wrong' of mec_moe.scenarios must be a config, got 7"):
        table["wrong"]
    with pytest.raises(ValueError, match="'wrong' of mec_moe.scenarios must be a config, got 7"):
        OffloadingEnv("wrong")
