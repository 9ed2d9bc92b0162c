"""The example, imported as a module: its parts are what the tests try."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

PATH = Path(__file__).parents[2] / "examples" / "rllib_ppo.py"


def load() -> Any:
    """Import `examples/rllib_ppo.py`."""
    specification = importlib.util.spec_from_file_location(PATH.stem, PATH)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    # Dataclasses look their module up.
    sys.modules[PATH.stem] = module
    specification.loader.exec_module(module)
    return module


example = load()
