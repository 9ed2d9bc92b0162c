"""How Sphinx builds the documentation: `make docs`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE)]

import pagemaker  # noqa: E402
from pagemaker.docstrings import rewrite, shorten  # noqa: E402

import mec_moe_env  # noqa: E402

os.environ.setdefault("OMP_NUM_THREADS", "1")
pagemaker.write_pages(HERE / "generated")

project = "mec-moe-env"
author = "the authors of mec-moe-env"
project_copyright = "2026, the authors of mec-moe-env"
version = release = mec_moe_env.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
]
exclude_patterns = ["pagemaker"]
smartquotes = False

html_theme = "furo"
html_title = "mec-moe-env"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False

myst_enable_extensions = ["deflist", "fieldlist"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
autodoc_mock_imports = ["stable_baselines3", "sb3_contrib", "pettingzoo"]
autosummary_generate = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
napoleon_numpy_docstring = False
napoleon_use_rtype = False


def setup(app: object) -> None:
    """Translate docstrings before napoleon reads their sections."""
    app.connect("autodoc-process-docstring", rewrite, priority=400)  # type: ignore[attr-defined]
    app.connect("autodoc-process-signature", shorten)  # type: ignore[attr-defined]
