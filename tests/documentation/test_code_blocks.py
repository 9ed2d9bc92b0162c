"""Every Python block of a page runs, and so does every example of a docstring."""

import ast
import doctest
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mec_moe_agents
import pytest

import mec_moe_env
from tests.documentation.blocks import Block, blocks, pages

TRAINING = re.compile(r"\.learn\([\d_]+\)")
"""Of Stable-Baselines3: one rollout shows that it runs."""
PACKAGES = [Path(package.__path__[0]) for package in (mec_moe_env, mec_moe_agents)]
FENCED = re.compile(r"^( *)```python\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
NEEDS = {"multiagent.py": "pettingzoo"}
"""What a module cannot be imported without, where nothing else in the tests needs it."""
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def run(text: str, name: str, line: int, namespace: dict[str, Any]) -> None:
    """Run a block so that a traceback names its page and line."""
    exec(compile("\n" * (line - 1) + text, name, "exec"), namespace)


def python_blocks(path: Path) -> list[Block]:
    return [block for block in blocks(path) if block.language == "python"]


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Keep torch from spinning on more threads than it gets."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize(
    "path", [path for path in pages() if python_blocks(path)], ids=lambda path: path.name
)
def test_the_blocks_of_a_page_run_in_order(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for block in python_blocks(path):
        run(TRAINING.sub(".learn(1)", block.shortened), str(path), block.line, namespace)


def docstrings(path: Path) -> Iterator[tuple[str, int, str]]:
    """Yield name, line and text of every docstring of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            text = ast.get_docstring(node)
            if text is not None:
                yield getattr(node, "name", path.stem), node.body[0].lineno, text


EXAMPLES = [
    (path, name, line, text)
    for package in PACKAGES
    for path in sorted(package.rglob("*.py"))
    for name, line, text in docstrings(path)
    if ">>>" in text or "```" in text
]


@pytest.mark.parametrize(
    ("path", "name", "line", "text"), EXAMPLES, ids=[example[1] for example in EXAMPLES]
)
def test_the_examples_of_a_docstring_run(path: Path, name: str, line: int, text: str) -> None:
    if path.name in NEEDS:
        pytest.importorskip(NEEDS[path.name])
    for _, block in FENCED.findall(text):
        run(block, str(path), line, {})
    test = doctest.DocTestParser().get_doctest(text, {}, name, str(path), line)
    outcome = doctest.DocTestRunner(optionflags=FLAGS).run(test)
    assert outcome.failed == 0, f"{outcome.failed} examples differ, see the output"


@pytest.mark.parametrize(
    "name",
    [
        "DMoEEnv",
        "OffloadingEnv",
        "allocate_jointly",
        "certified_bound",
        "evaluate",
        "foresight",
        "make_agent",
        "select_experts",
    ],
)
def test_what_everybody_uses_has_an_example(name: str) -> None:
    assert name in {example[1] for example in EXAMPLES}


def test_a_wrong_example_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AssertionError, match="1 examples differ"):
        test_the_examples_of_a_docstring_run(Path("x.py"), "x", 1, ">>> 1 + 1\n3\n")
    assert "Expected:" in capsys.readouterr().out


def test_a_note_shortens_a_block() -> None:
    block = Block("python", "steps = 200_000\n", 7, (("200_000", "256"),))
    assert block.shortened == "steps = 256\n"
    with pytest.raises(AssertionError, match="'9' is not in the block of line 7"):
        Block("python", "steps = 200_000\n", 7, (("9", "1"),)).shortened  # noqa: B018
