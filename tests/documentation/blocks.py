"""Code in the documentation: where it stands, and what of it is shortened when it is tested.

A comment before a block, `<!-- in tests: 200_000 = 256 -->`, says which text is replaced by which
before the block runs here: training is cut to what shows that it runs.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(
    r"(?P<notes>(?:^<!-- in tests: .* -->\n+)*)^```(?P<language>[^\n`]*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
NOTE = re.compile(r"<!-- in tests: (.+?) = (.+?) -->")
COMMAND = re.compile(r"`(mec-moe [^`]+)`")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    """Nothing for what is typed into a shell."""
    text: str
    line: int
    """Where its first line stands."""
    replacements: tuple[tuple[str, str], ...] = ()

    @property
    def shortened(self) -> str:
        """The text as it is run here."""
        text = self.text
        for old, new in self.replacements:
            assert old in text, f"{old!r} is not in the block of line {self.line}"
            text = text.replace(old, new)
        return text


def pages() -> list[Path]:
    """Return the pages that are written by hand; notebooks are run by `make docs`."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(path: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page, in order."""
    text = path.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        line = text.count("\n", 0, found.start("text")) + 1
        notes = tuple(NOTE.findall(found["notes"]))
        yield Block(found["language"], found["text"], line, notes)


def commands(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield each shell line of a page, and whether it is whole or only named in a sentence."""
    for block in blocks(path):
        if block.language in ("", "bash", "console", "sh", "shell"):
            joined = re.sub(r"\s*\\\n\s*", " ", block.text)
            for line in joined.splitlines():
                command = line.removeprefix("$ ").partition("#")[0].strip()
                if command:
                    yield command, True
    prose = FENCE.sub("", path.read_text(encoding="utf-8"))
    for found in COMMAND.finditer(prose):
        yield " ".join(found[1].split()), False
