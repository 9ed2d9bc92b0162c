"""What the documentation makes from the code is complete, and names nothing that is gone."""

import dataclasses
import re

import pytest
from mec_moe_agents.environments import ENVIRONMENTS, Environment
from mec_moe_agents.registry import CATALOGUES
from pagemaker.agents import agents_page
from pagemaker.api import MODULES, public_names
from pagemaker.docstrings import shorten, to_rst
from pagemaker.environments import action_text, observation_table
from pagemaker.equations import CHAPTERS, equations_page, find
from pagemaker.markdown import table
from pagemaker.scenarios import scenarios_page

from mec_moe_env import DMoEConfig, OffloadingConfig
from mec_moe_env.config import Interval, Real, Whole
from mec_moe_env.fields import allowed, field_docs, number, range_text, unit
from tests.documentation.blocks import ROOT, pages

OF_ENVIRONMENTS = pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda each: each.name)
NAME = re.compile(r"`(?:~)?(mec_moe_(?:env|agents)(?:\.\w+)+)(?:\(.*?\))?`", re.DOTALL)


@OF_ENVIRONMENTS
def test_every_field_says_what_it_means_and_what_it_admits(environment: Environment) -> None:
    page, docs = scenarios_page(), field_docs(environment.config)
    for field in dataclasses.fields(environment.config):
        assert docs[field.name]
        assert allowed(environment.config(), field.name)
        assert f"| `{field.name}` |" in page


def test_units_ranges_and_defaults() -> None:
    config = OffloadingConfig()
    assert [unit(config, name) for name in ("power_w", "num_types", "truth_scale", "tasks")] == [
        "W",
        "",
        "1",
        "",
    ]
    assert allowed(config, "tasks").startswith("one of (`synthetic`")
    assert allowed(DMoEConfig(), "count_backward") == "True or False"
    assert allowed(config, "data_path") == "str | None"
    assert range_text(Whole(1, 10**5)) == "integer in [1, 10⁵]"
    assert range_text(Real(0, open_low=True, infinite=True)) == "(0, ∞]"
    assert range_text(Real(0)) == "[0, ∞)"
    assert range_text(Interval(Real(1e-9, 2.5e6))) == "pair low ≤ high in [10⁻⁹, 2.5·10⁶]"
    assert [number(value) for value in (0, 0.5, 1000, -174.0)] == ["0", "0.5", "1000", "-174"]


@OF_ENVIRONMENTS
def test_every_number_of_a_unit_has_a_name_with_its_unit(environment: Environment) -> None:
    config = environment.config()
    suffixes = {"_hz": "Hz", "_w": "W", "_seconds": "s", "_db": "dB", "_m": "m", "_joules": "J"}
    suffixes |= {"_mbit": "Mbit", "_bits": "bit", "_dbm_hz": "dBm/Hz"}
    for name in config.to_dict():
        for suffix in sorted(suffixes, key=len):
            if name.endswith(suffix):
                expected = suffixes[suffix]
                assert unit(config, name).endswith(expected.rpartition("/")[2]), name


@OF_ENVIRONMENTS
def test_the_spaces_are_those_of_the_environment(environment: Environment) -> None:
    config = environment.config()
    rows = observation_table(environment, config).splitlines()[2:]
    assert len(rows) == len(config.observation_shapes)
    for row, (key, shape) in zip(rows, config.observation_shapes.items(), strict=True):
        assert f"`{key}`" in row
        assert str(shape) in row


def test_an_action_is_counted_by_its_choices() -> None:
    assert action_text({9: 1, 1024: 2000}) == "1 of 9 choices and 2,000 of 1,024 choices"


def test_every_agent_is_listed() -> None:
    page = agents_page()
    for entries in CATALOGUES.values():
        for name, entry in entries.items():
            assert f"| `{name}` | {entry.description} |" in page
    assert "| `topk` | the D most relevant experts by a gate | contender | `joint` |" in page


def test_every_equation_has_code() -> None:
    page = equations_page()
    for equations in CHAPTERS.values():
        for equation in equations:
            for name in equation.functions:
                assert find(name).__doc__
                assert f"`{name}`: " in page


def test_what_is_gone_is_missed() -> None:
    with pytest.raises(AttributeError):
        find("mec_moe_env.theory.nothing")


def test_every_name_on_a_page_exists() -> None:
    text = "\n".join(path.read_text() for path in [*pages(), *ROOT.glob("docs/notebooks/*.md")])
    names = set(NAME.findall(text))
    assert names
    for name in names:
        find(name)


@pytest.mark.parametrize("module", MODULES)
def test_public_names_are_found(module: str) -> None:
    names = public_names(module)
    assert names
    if module == "mec_moe_env.sb3":
        assert names["make_vec_env"] == "autofunction"
        assert names["SB3VecEnv"] == "autoclass"


def test_docstrings_become_restructured_text() -> None:
    assert to_rst("a `b` *c* |d| e_ f_g") == r"a ``b`` \*c\* \|d\| e\_ f_g"
    assert to_rst("one `two\nthree` four") == "one ``two\nthree`` four"


def test_arrays_are_written_as_they_are_annotated() -> None:
    long = "(x: ~numpy.ndarray[tuple[~typing.Any, ...], ~numpy.dtype[~numpy.float64]]) -> int"
    assert shorten(None, "function", "f", None, None, long, None) == (
        "(x: NDArray[float64]) -> int",
        None,
    )


def test_a_table_keeps_its_columns() -> None:
    assert table(["a"], [["b | c\nd"]]) == "| a |\n| --- |\n| b \\| c d |\n"
