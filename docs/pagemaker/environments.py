"""A page per environment: animation, class docstring, and its spaces in numbers."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping

from gymnasium.spaces import Box, Dict, MultiDiscrete
from mec_moe_agents.environments import Environment
from mec_moe_agents.evaluation.rollout import TRAITS

from mec_moe_env.config import Config
from pagemaker.animation import Animation
from pagemaker.markdown import code, table


def environment_page(environment: Environment, animation: Animation) -> str:
    """Return the page of an environment."""
    lead, _, rest = inspect.cleandoc(environment.scalar.__doc__ or "").partition("\n")
    return f"""# {TRAITS[environment.name].title}

{lead}

```python
import gymnasium as gym

env = gym.make("mec_moe_env:{environment.id}", scenario="default")
```

```{{figure}} {animation.file}
:alt: {animation.caption}
:width: 100%

{animation.caption}
```
{rest}

## Spaces in numbers

Of the preset `default`; an entry is flat, of as many values as its shape has, all float32.

{observation_table(environment, environment.config())}
How large that is in each preset, whose fields are on the page of [scenarios](scenarios.md):

{sizes_table(environment)}"""


STAND_INS = {"mnist": {"tasks": "digits"}}
"""For presets that need files of the user's: what has the same spaces without."""


def observation_table(environment: Environment, config: Config) -> str:
    """Write the observation entries with shapes and bounds."""
    shapes = config.observation_shapes
    space = environment.scalar(config).observation_space
    assert isinstance(space, Dict)
    rows = []
    for key, entry in config.entries.items():
        box = space[key]
        assert isinstance(box, Box)
        bounds = f"[{box.low.min():.4g}, {box.high.max():.4g}]"
        rows.append([code(key), f"({', '.join(entry.axes)})", str(shapes[key]), bounds])
    return table(["key", "axes", "shape", "values"], rows)


def sizes_table(environment: Environment) -> str:
    """Write for each preset the sizes of observation and action, and an episode's steps."""
    rows = []
    for name, config in environment.presets.items():
        numbers = sum(math.prod(shape) for shape in config.observation_shapes.values())
        built = config.override(**STAND_INS.get(name, {}))
        space = action_text(_choices(environment, built))
        rows.append([code(name), f"{numbers:,}", space, f"{config.steps:,}"])
    return table(["preset", "values of an observation", "action", "steps of an episode"], rows)


def _choices(environment: Environment, config: Config) -> Mapping[int, int]:
    """Return how many components of the action have how many choices, in order."""
    space = environment.scalar(config).action_space
    assert isinstance(space, MultiDiscrete)
    counts: dict[int, int] = {}
    for size in space.nvec.tolist():
        counts[size] = counts.get(size, 0) + 1
    return counts


def action_text(choices: Mapping[int, int]) -> str:
    """Write how many components have how many choices."""
    return " and ".join(f"{count:,} of {size:,} choices" for size, count in choices.items())
