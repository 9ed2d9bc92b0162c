"""An agent at work, as an animation that any browser or slide shows.

    pip install 'mec-moe-env[render,digits]'
    python examples/render_video.py --scenario digits --agent guard --steps 60 --out digits.gif

For a video of whole episodes wrap the environment in Gymnasium's `RecordVideo`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from mec_moe_agents import make_agent, read_arguments
from PIL import Image

COLOURS = 64


@dataclass(frozen=True)
class Arguments:
    """Settings; every field is a command-line option."""

    id: str = "mec_moe_env:mec_moe/Offloading-v0"
    scenario: str = "digits"
    agent: str = "guard"
    seed: int = 7
    steps: int = 60
    """Frames after the first; an episode may end before."""
    out: str = "animation.gif"


def play(settings: Arguments) -> tuple[list[Any], float]:
    """Return the frames of an episode, and how many are to be shown in a second."""
    env = gym.make(settings.id, scenario=settings.scenario, render_mode="rgb_array")
    agent = make_agent(settings.agent, env)
    observation, _ = env.reset(seed=settings.seed)
    frames, state, over = [env.render()], None, False
    while len(frames) <= settings.steps and not over:
        beginning = np.array([len(frames) == 1])
        action, state = agent.predict(observation, state, beginning)
        observation, _, over, _, _ = env.step(action)
        frames.append(env.render())
    return frames, env.metadata["render_fps"]


def main(settings: Arguments) -> None:
    """Write the animation."""
    frames, fps = play(settings)
    palette = Image.fromarray(frames[-1]).quantize(COLOURS)
    images = [
        Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE)
        for frame in frames
    ]
    duration = round(1000 / fps)
    images[0].save(settings.out, save_all=True, append_images=images[1:], duration=duration, loop=0)
    size = Path(settings.out).stat().st_size
    print(f"{settings.out}: {len(frames)} frames, {size / 1000:.0f} kB")


if __name__ == "__main__":
    main(read_arguments(Arguments, __doc__))
