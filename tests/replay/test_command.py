"""`mec-moe replay` as its users meet it."""

from pathlib import Path

import pytest

pytest.importorskip("typer")

from mec_moe_agents.cli import app
from typer.testing import CliRunner, Result

TOY = ("--scenario", "toy")


def replay(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["replay", *map(str, arguments)])


def test_a_page_is_written_and_told(tmp_path: Path) -> None:
    page = tmp_path / "deep" / "page.html"
    result = replay(*TOY, "--agents", "nearest,reject-all", "--out", page)
    assert result.exit_code == 0, result.output
    assert "reject-all  return -10.0000" in result.stdout
    assert "differ  in 4 of 4 steps" in result.stdout
    assert f"page  {page}" in result.stdout
    command = "mec-moe replay --scenario toy --agents nearest,reject-all --seed 0"
    assert f"<code>{command}</code>" in page.read_text(encoding="utf-8")
    assert [path.name for path in page.parent.iterdir()] == ["page.html"]


def test_the_page_has_a_place_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("--env", "dmoe", *TOY, "--agents", "topk", "--seed", 3, "--set", "qos=0.5")
    result = replay(*words)
    assert result.exit_code == 0, result.output
    assert "which no policy exceeds" in result.stdout
    pages = list(tmp_path.glob("runs/*/replay-topk-3.html"))
    assert len(pages) == 1
    command = "mec-moe replay --scenario dmoe/toy --agents topk --seed 3 --set qos=0.5"
    assert f"<code>{command}</code>" in pages[0].read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--scenario", "toi", "--agents", "nearest"), "did you mean"),
        ((*TOY, "--agents", "neares"), "did you mean 'nearest'?"),
        ((*TOY, "--agents", ","), "names 0: nobody"),
        ((*TOY, "--agents", "nearest,random,gating"), "names 3: nearest, random, gating"),
        ((*TOY, "--agents", "nearest", "--set", "horizo=3"), "did you mean 'horizon'?"),
        ((*TOY, "--agents", "nearest", "--seed", 2**31), "those above are for training"),
        ((*TOY, "--agents", "nearest", "--env", "dmo"), "did you mean 'dmoe'?"),
        ((*TOY, "--agents", "nearest", "--out", ""), "an empty path"),
    ],
)
def test_wrong_use_gets_a_clear_line(arguments: tuple[object, ...], message: str) -> None:
    result = replay(*arguments)
    assert result.exit_code == 2, result.output
    assert message in result.output


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = replay(*TOY, "--agents", "nearest", "--out", tmp_path / "file" / "page.html")
    assert result.exit_code == 1
    assert "cannot write to the output folder" in result.output
