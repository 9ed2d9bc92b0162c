"""What texts and pictures show."""

from typing import Any

import numpy as np
import pytest

from mec_moe_env import DMoEEnv, OffloadingEnv
from mec_moe_env.rendering import dmoe_picture, dmoe_text, offloading_picture, offloading_text
from mec_moe_env.rendering.palette import SEVERAL, WHITE, color_of, ink_on, shade
from mec_moe_env.rendering.plan import make_plan, spread
from mec_moe_env.rendering.words import abbreviated, flowing, joules, letter, signed

DEUTERANOPIA = np.array(
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]
)
"""Machado, Oliveira & Fernandes 2009, severity 1, on linear RGB."""


def test_a_slot_in_words() -> None:
    env = OffloadingEnv("toy", render_mode="ansi")
    env.reset(seed=0)
    env.step(np.array([0, 0]))
    env.step(np.array([0, 1]))
    assert env.render().split("\n") == [
        "slot 2 of 4 | return -8.240 = error -5.000, energy -0.240, delay -3.000",
        "error G 2.5000, forgetting F 0.0000; 240.0 mJ, 6 slots of delay",
        "2 accepted; 0 rejected; 0 dropped picks; 0 lost",
        "slot 1 | reward -7.640 = error -5.000, energy -0.140, delay -2.500",
        "  task 1 of type B at server 1, 1.00 Mbit",
        "    > server 0 on subcarrier 1: 5 slots, 4 of them sending, 140.0 mJ",
        "servers (* idle, > training, x failed; what they have learned most of)",
        "     0 >B4 A 100 %",
        "  1 server idle and untrained",
        "subcarriers (1 of 2 free)",
        "  1: 1>0 task 1, 3 slots left",
        "waiting (no scheduler sees the type)",
        "  task 2 of type A at server 1, 1.00 Mbit",
    ]


def test_a_layer_in_words() -> None:
    env = DMoEEnv("toy", render_mode="ansi")
    env.reset(seed=0)
    env.step(np.array([0, 1, 1, 2, 0, 0, 0, 0]))
    assert env.render().split("\n") == [
        "layer 1 of 2 done | return -1.200 = error -0.800, energy -0.400",
        "60.0 mJ, relevance 0.750, 50 % of tokens short",
        "0 dropped picks; 0 lost states; 0 unserved",
        "layer 1, threshold 1.000",
        "  reward -1.200 = error -0.800, energy -0.400",
        "tokens: node.token, relevance/wanted (! short), scores ([chosen], (asked in vain))",
        "  0.0    1.00/1.00  [0:0.75][1:0.25]",
        "  1.0    0.50/1.00! [1:0.50] 0:0.50",
        "links (1 of 2 subcarriers used)",
        "  0: 0>1 1x 20.0 mJ",
        "next: layer 2, threshold 0.500, 2 of 2 experts available",
        "  0.0     1:0.75  0:0.25",
        "  1.0     0:1.00  1:0.00",
    ]


def played(env: Any, steps: int) -> Any:
    env.reset(seed=0)
    env.scene()
    env.action_space.seed(0)
    for _ in range(steps):
        env.step(env.action_space.sample())
    return env.scene()


@pytest.mark.parametrize(
    ("env", "text", "picture"),
    [
        (OffloadingEnv("joint", failure_rate=0.2, horizon=9), offloading_text, offloading_picture),
        (
            DMoEEnv("contended", failure_rate=0.3, deadline_seconds=0.2),
            dmoe_text,
            dmoe_picture,
        ),
        (DMoEEnv("large"), dmoe_text, dmoe_picture),
    ],
    ids=["joint", "contended", "large"],
)
def test_first_middle_and_last_step_are_shown(env: Any, text: Any, picture: Any) -> None:
    last = env.episode_steps
    frames = []
    for steps in (0, last // 2, last):
        scene = played(env, steps)
        assert max(map(len, text.write(scene).split("\n"))) <= 100
        frames.append(picture.draw(scene))
        assert frames[-1].shape == (640, 960, 3)
    assert not np.array_equal(frames[0], frames[1])
    assert not np.array_equal(frames[1], frames[2])
    assert picture.draw(scene, scale=2.0).shape == (1280, 1920, 3)


def test_pictures_show_specialists_in_the_colours_of_their_types() -> None:
    scene = played(OffloadingEnv("toy"), 0)
    fresh = offloading_picture.draw(scene)
    env = OffloadingEnv("toy")
    env.reset(seed=0)
    env.step(np.array([0, 0]))
    trained = offloading_picture.draw(env.scene())

    def pixels(frame: Any) -> int:
        return int((frame == np.array(color_of(0))).all(axis=2).sum())

    assert pixels(trained) > 10 * max(pixels(fresh), 1)


def test_colours_differ_without_green_cones() -> None:
    """Lightness or hue; whatever is left, letters tell."""
    linear = (np.array(SEVERAL) / 255.0) ** 2.2
    seen = np.clip(linear @ DEUTERANOPIA.T, 0.0, 1.0) ** (1 / 2.2)
    distance = np.linalg.norm(seen[:, None] - seen[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    assert distance.min() > 0.15


def test_ink_and_shade() -> None:
    assert ink_on((240, 228, 66)) != WHITE
    assert ink_on((0, 114, 178)) == WHITE
    assert shade(0.0) == WHITE
    assert sum(shade(0.2)) > sum(shade(0.8))


def test_nodes_are_spread_within_the_map() -> None:
    same = np.full((5, 2), 10.0) + 0.1 * np.arange(10).reshape(5, 2)
    places = spread(same, 8.0, np.zeros(2), np.full(2, 100.0))
    distance = np.linalg.norm(places[:, None] - places[None], axis=2)
    assert distance[~np.eye(5, dtype=bool)].min() > 6.0
    assert places.min() >= 0.0
    plan = make_plan((0, 0, 200, 200), None, 4, 1.0)
    assert len(set(plan.points)) == 4


def test_words() -> None:
    assert [letter(n) for n in (0, 25, 26, 51, 52)] == ["A", "Z", "a", "z", "A1"]
    assert (joules(0.0213), joules(2.5)) == ("21.3 mJ", "2.50 J")
    assert (signed(-0.0001), signed(-1234.5)) == ("0.000", "-1,234.500")
    assert abbreviated("abc", 3, 3) == ["a", "b", "c"]
    assert abbreviated("abcd", 4, 3) == ["a", "b", "  … 2 more"]
    lines = flowing(["x" * 30] * 10, most_lines=2)
    assert lines == ["  " + "  ".join(["x" * 30] * 3)] * 2 + ["  … 4 more"]
