"""README's BibTeX and `CITATION.cff` cite the same."""

import re
from pathlib import Path

from mec_moe_env import __version__

ROOT = Path(__file__).parents[2]
README, CFF = ((ROOT / name).read_text() for name in ("README.md", "CITATION.cff"))


def field(name: str) -> list[str]:
    """Return what all entries of README's BibTeX have under a name."""
    return re.findall(rf"^  {name} += {{(.*?)}},?$", README, flags=re.MULTILINE)


def of_citation(name: str) -> list[str]:
    return [
        text.strip('"') for text in re.findall(rf"^[ -]*{name}: (.+)$", CFF, flags=re.MULTILINE)
    ]


def test_titles_agree() -> None:
    assert field("title") == of_citation("title")


def test_authors_agree() -> None:
    names = zip(of_citation("family-names"), of_citation("given-names"), strict=True)
    papers = [author for authors in field("author")[1:] for author in authors.split(" and ")]
    assert papers == [", ".join(name) for name in names]


def test_preprints_and_years_agree() -> None:
    preprints = [f"arXiv preprint {text}" for text in of_citation("notes")]
    assert field("journal") == preprints
    assert field("year") == of_citation("year")


def test_the_version_is_the_package_s() -> None:
    assert field("version") == of_citation("version") == [__version__]
