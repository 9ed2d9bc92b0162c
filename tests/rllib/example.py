"""The example, imported as a module: its parts are what the tests try."""

from pathlib import Path
from typing import Any

from tests.modules import load_script

PATH = Path(__file__).parents[2] / "examples" / "rllib_ppo.py"
example: Any = load_script(PATH)
