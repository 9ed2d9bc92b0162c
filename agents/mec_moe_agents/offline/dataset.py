"""A collection on disk, as Minari reads it; needs `minari` (the extra `collect`), and no jax.

Minari's collector keeps steps in jax's trees. Here episodes are arrays already, and go into its
storage as they are: equal collections give files that are equal byte for byte.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym

from mec_moe_agents.environments import environment_of
from mec_moe_agents.evaluation.rollout import Episodes
from mec_moe_agents.offline.card import card
from mec_moe_agents.offline.collect import Collection
from mec_moe_agents.offline.tape import Steps
from mec_moe_env.files import replacing_folder, write_text

DATA, CARD = "data", "README.md"
KEY = "mec_moe"
"""Of all in `metadata.json` that Minari does not know."""


@dataclass(frozen=True)
class Written:
    """A dataset that is there."""

    folder: Path
    episodes: Episodes
    """Its returns and other metrics."""


def write_dataset(root: Path, collection: Collection, *, fresh: bool = False) -> Written:
    """Run an agent and write its episodes, whole or not at all.

    `minari.load_dataset(id)` finds the dataset where the variable `MINARI_DATASETS_PATH` is the
    root; `minari.MinariDataset(folder / "data")` needs none.

    Args:
        root: a folder of datasets.
        collection: what to write.
        fresh: whether a dataset of that name is replaced.

    Raises:
        ValueError: a dataset of that name is there already, or a field has no JSON form.
        OSError: the folder cannot be written.
        ImportError: Minari is not installed.
    """
    from minari.dataset.minari_storage import MinariStorage

    folder = check_free(root, collection.id, fresh=fresh)
    spec = environment_spec(collection)
    made: Any = environment_of(collection.config).scalar(collection.config)
    parts: list[Episodes] = []
    with replacing_folder(folder) as new:
        storage = MinariStorage.new(
            new / DATA,
            observation_space=made.observation_space,
            action_space=made.action_space,
            env_spec=spec,
        )
        # In one call: how an HDF5 file is laid out depends on how often it is opened.
        storage.update_episodes(_buffers(collection, parts))
        episodes = Episodes.concatenate(parts)
        described = collection.describe(episodes)
        storage.update_metadata(metadata(collection, described))
        write_text(new / CARD, card(collection, episodes, described))
    return Written(folder, episodes)


def check_free(root: Path, dataset: str, *, fresh: bool) -> Path:
    """Return the folder of a dataset, in which there is none yet unless it is to be replaced.

    Raises:
        ValueError: there is one.
    """
    folder = root / dataset
    if folder.exists() and not fresh:
        raise ValueError(f"{folder} exists: take another --out, or --fresh to replace it")
    return folder


def environment_spec(collection: Collection) -> Any:
    """Return Gymnasium's specification of the environment, the same for `recover_environment`."""
    spec = copy.deepcopy(gym.spec(environment_of(collection.config).id))
    spec.kwargs = collection.keywords
    return spec


def metadata(collection: Collection, described: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `metadata.json` holds beside spaces and sizes."""
    from minari import __version__

    scores = collection.scores
    return {
        "dataset_id": collection.id,
        "minari_version": __version__,
        "algorithm_name": collection.agent,
        "description": f"{collection.agent} on {collection.scenario}, {described['environment']}",
        "requirements": [f"mec-moe-env=={described['version']}"],
        "ref_min_score": scores.low.mean,
        "ref_max_score": scores.high.mean,
        "num_episodes_average_score": scores.episodes,
        KEY: described,
    }


def _buffers(collection: Collection, kept: list[Episodes]) -> Iterator[Any]:
    """Yield every episode for Minari, and keep what there is to say of them."""
    for found, episodes in collection.episodes():
        kept.append(found)
        yield from map(_buffer, episodes)


def _buffer(steps: Steps) -> Any:
    from minari.data_collector import EpisodeBuffer

    return EpisodeBuffer(
        seed=steps.seed,
        observations=dict(steps.observations),
        actions=steps.actions,
        rewards=steps.rewards,
        terminations=steps.terminations,
        truncations=steps.truncations,
        infos=dict(steps.infos),
    )
