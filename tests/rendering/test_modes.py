"""Render modes: what Gymnasium's wrappers make of them, and what is refused."""

import pickle
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import DependencyNotInstalled
from gymnasium.wrappers import HumanRendering, RecordVideo, RenderCollection

from mec_moe_env import DMoEEnv, DMoEVectorEnv, OffloadingEnv, OffloadingVectorEnv
from mec_moe_env.rendering.dmoe_picture import draw as draw_layer
from mec_moe_env.rendering.dmoe_text import write as write_layer
from mec_moe_env.rendering.offloading_picture import draw as draw_slot
from mec_moe_env.rendering.offloading_text import write as write_slot

OFFLOADING, DMOE = "mec_moe/Offloading-v0", "mec_moe/DMoE-v0"
KINDS = [
    (OffloadingEnv, OffloadingVectorEnv, write_slot, draw_slot),
    (DMoEEnv, DMoEVectorEnv, write_layer, draw_layer),
]


def test_a_video_of_200_frames_without_a_display(tmp_path: Path) -> None:
    env = RecordVideo(
        gym.make(OFFLOADING, scenario="default", horizon=199, render_mode="rgb_array"),
        str(tmp_path),
        disable_logger=True,
    )
    env.reset(seed=0)
    over = False
    while not over:
        _, _, over, _, _ = env.step(env.action_space.sample())
    env.close()  # type: ignore[no-untyped-call]
    (video,) = tmp_path.glob("*.mp4")
    from moviepy.video.io.VideoFileClip import VideoFileClip

    clip: Any = VideoFileClip(str(video))
    frames = sum(1 for _ in clip.iter_frames())
    assert clip.size == [960, 640]
    clip.close()
    assert frames in (200, 201)  # moviepy may write the last one twice


@pytest.mark.parametrize("id_", [OFFLOADING, DMOE])
def test_render_collection(id_: str) -> None:
    env = RenderCollection(gym.make(id_, scenario="toy", render_mode="ansi"))
    env.reset(seed=0)
    env.step(env.action_space.sample())
    texts = env.render()
    assert isinstance(texts, list)
    assert len(texts) == 2
    assert texts[0] != texts[1]


@pytest.mark.parametrize("id_", [OFFLOADING, DMOE])
def test_human_rendering(id_: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    env = HumanRendering(gym.make(id_, scenario="toy", render_mode="rgb_array"))
    env.reset(seed=0)
    env.step(env.action_space.sample())
    window: Any = env.window
    assert window.get_size() == (960, 640)
    env.close()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("id_", [OFFLOADING, DMOE])
def test_a_window_shows_every_step_and_closes(id_: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    env = gym.make(id_, scenario="toy", render_mode="human")
    base: Any = env.unwrapped
    window = base._renderer._window
    window._fps = 1000
    env.reset(seed=0)
    shown = window._screen
    first = np.array(shown.get_buffer().raw)
    env.step(env.action_space.sample())
    assert not np.array_equal(first, np.array(shown.get_buffer().raw))
    assert env.render() is None
    env.close()
    assert window._screen is None


def test_a_window_wants_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    import pygame

    pygame.display.quit()
    for name in ("SDL_VIDEODRIVER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(RuntimeError, match="needs a display"):
        OffloadingEnv(render_mode="human")
    pygame.display.quit()


@pytest.mark.parametrize(
    ("mode", "module", "culprit"),
    [("rgb_array", "canvas", "PIL"), ("human", "window", "pygame")],
)
@pytest.mark.parametrize("kind", [OffloadingEnv, DMoEEnv])
def test_a_missing_library_names_its_extra(
    kind: Any, mode: str, module: str, culprit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(sys.modules):
        if name.startswith("mec_moe_env.rendering.") and name.endswith(
            (module, "picture", "grid", "panels", "plan")
        ):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, culprit, None)
    with pytest.raises(DependencyNotInstalled, match=rf"needs {culprit}.*mec-moe-env\[render\]"):
        kind(render_mode=mode)


@pytest.mark.parametrize(("scalar", "vector", "write", "draw"), KINDS)
def test_rows_of_a_vector_environment(scalar: Any, vector: Any, write: Any, draw: Any) -> None:
    env = vector(6, "toy", render_mode="ansi")
    env.reset(seed=0)
    env.step(env.action_space.sample())
    assert env.render() == tuple(write(env.scene(row)) for row in range(4))
    pictures = vector(6, "toy", render_mode="rgb_array", render_rows=(5, 1))
    pictures.reset(seed=0)
    frames = pictures.render()
    assert len(frames) == 2
    np.testing.assert_array_equal(frames[0], draw(pictures.scene(5)))


def test_vector_environments_are_made_with_a_render_mode() -> None:
    env = gym.make_vec(
        OFFLOADING, 2, vectorization_mode="vector_entry_point", render_mode="rgb_array"
    )
    env.reset(seed=0)
    frames: Any = env.render()
    assert [frame.shape for frame in frames] == [(640, 960, 3)] * 2


@pytest.mark.parametrize("kind", [OffloadingEnv, DMoEEnv])
def test_what_is_refused(kind: Any) -> None:
    with pytest.raises(ValueError, match="render_mode = 'svg' is not allowed"):
        kind(render_mode="svg")
    with pytest.raises(RuntimeError, match="reset"):
        kind(render_mode="ansi").render()
    env = kind()
    env.reset(seed=0)
    with pytest.warns(UserWarning, match="without a render_mode"):
        assert env.render() is None


@pytest.mark.parametrize("kind", [OffloadingEnv, DMoEEnv])
def test_pickles_keep_rendering(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    for mode in ("ansi", "rgb_array", "human"):
        env = kind("toy", render_mode=mode)
        env.reset(seed=0)
        twin = pickle.loads(pickle.dumps(env))
        np.testing.assert_array_equal(env.render(), twin.render())
        env.close(), twin.close()
