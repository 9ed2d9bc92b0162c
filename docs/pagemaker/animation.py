"""A few seconds of an environment, as a picture that moves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mec_moe_agents import make_agent
from mec_moe_agents.environments import DMOE, OFFLOADING, Environment
from numpy.typing import NDArray
from PIL import Image

Frame = NDArray[np.uint8]
"""(height, width, 3)."""
COLOURS = 256


@dataclass(frozen=True)
class Animation:
    """An agent on a preset, a frame for every step."""

    environment: Environment
    preset: str
    agent: str
    frames: int
    milliseconds: int
    """For which a frame is shown."""

    @property
    def file(self) -> str:
        """Name of the picture."""
        return f"{self.environment.name}.gif"

    @property
    def caption(self) -> str:
        """What it shows."""
        return f"The agent {self.agent} on the preset {self.preset}, seed 0."


ANIMATIONS = (
    Animation(OFFLOADING, "digits", "guard", frames=60, milliseconds=300),
    Animation(DMOE, "paper", "jesa", frames=9, milliseconds=1500),
)


def record(animation: Animation) -> list[Frame]:
    """Play the agent and keep frames until there are enough, or the episode is over."""
    build: Any = animation.environment.scalar
    env = build(animation.preset, render_mode="rgb_array")
    agent, state = make_agent(animation.agent, env), None
    observation, _ = env.reset(seed=0)
    frames, over = [env.render()], False
    while not over and len(frames) < animation.frames:
        action, state = agent.predict(observation, state)
        observation, _, over, _, _ = env.step(action)
        frames.append(env.render())
    env.close()
    return frames


def save(frames: list[Frame], path: Path, milliseconds: int) -> None:
    """Write frames as an animated GIF that repeats for ever."""
    # One palette for all: a colour must not change its shade from frame to frame.
    first = Image.fromarray(np.concatenate(frames)).quantize(COLOURS)
    pictures = [
        Image.fromarray(frame).quantize(palette=first, dither=Image.Dither.NONE) for frame in frames
    ]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=milliseconds, loop=0)
