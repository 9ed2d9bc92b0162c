"""Models that Stable-Baselines3 saved as `model.zip`.

Such a file holds pickles, so that loading it runs whatever code its maker put there: nothing here
does so before it was told that the file is trusted.
"""

from __future__ import annotations

import json
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

from mec_moe_agents.extras import explain
from mec_moe_env.files import blaming
from mec_moe_env.limits import MODEL_BYTES

SUFFIX = ".zip"
MEMBERS = ("data", "policy.pth")
"""What every saved model has."""


def load_model(path: Path, *, trusted: bool) -> Any:
    """Load a model of A2C, DQN, PPO, MaskablePPO, RecurrentPPO or QR-DQN.

    Raises:
        ValueError: the file is not trusted, no such model, too large, or of another algorithm.
        OSError: it is missing or cannot be opened.
        ImportError: the extra `rl` is not installed.
    """
    if not trusted:
        raise ValueError(
            f"{path}: loading a model.zip runs code that is in it; if you trust its maker, "
            "give --trust-zip (in Python trust_zip=True)"
        )
    check_archive(path)
    try:
        import sb3_contrib  # noqa: F401
        from stable_baselines3.common.save_util import load_from_zip_file
    except ImportError as error:
        raise ImportError(explain(error, f"loading {path}")) from error
    with blaming(path, "cannot be loaded as a model of Stable-Baselines3"):
        data, _, _ = load_from_zip_file(path, device="cpu", load_data=True)
        kind = _algorithm_of(data or {})
        if kind is not None:
            return kind.load(path, device="cpu")
    raise ValueError(
        f"{path}: a model of another algorithm; load it yourself and hand the object over: "
        "mec_moe_agents.evaluate(model, config, seeds)"
    )


def check_archive(path: Path) -> None:
    """See that a file looks like a saved model, without unpickling anything.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no zip file, lacks a member, or is too large.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a model.zip of Stable-Baselines3, there is none")
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path}: expected a model.zip of Stable-Baselines3, this is no zip file")
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        names = {member.filename for member in members}
        missing = [name for name in MEMBERS if name not in names]
        if missing:
            lacks = ", ".join(missing)
            raise ValueError(f"{path}: no model of Stable-Baselines3, it lacks {lacks}")
        size = sum(member.file_size for member in members)
        if size > MODEL_BYTES:
            raise ValueError(f"{path}: {size:,} bytes unpacked are too many: {MODEL_BYTES:,}")
        with blaming(path, "no model of Stable-Baselines3"):
            _check_members(archive)


def _check_members(archive: zipfile.ZipFile) -> None:
    """See that settings are a JSON object, and weights what PyTorch writes: an archive again."""
    settings, weights = MEMBERS
    if not isinstance(json.loads(archive.read(settings)), dict):
        raise ValueError(f"{settings} is no JSON object")
    if not zipfile.is_zipfile(BytesIO(archive.read(weights))):
        raise ValueError(f"{weights} is nothing that PyTorch has saved")


def _algorithm_of(data: dict[str, Any]) -> Any:
    """Return the class that saved a model, which the file does not name: its policy tells."""
    import sb3_contrib
    import stable_baselines3 as sb3
    from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
    from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy
    from sb3_contrib.qrdqn.policies import QRDQNPolicy
    from stable_baselines3.common.policies import ActorCriticPolicy
    from stable_baselines3.dqn.policies import DQNPolicy

    actor_critic: Any = sb3.PPO if "clip_range" in data else sb3.A2C
    if "cg_max_steps" in data:
        actor_critic = sb3_contrib.TRPO
    kinds = (
        (MaskableActorCriticPolicy, sb3_contrib.MaskablePPO),
        (RecurrentActorCriticPolicy, sb3_contrib.RecurrentPPO),
        (ActorCriticPolicy, actor_critic),
        (QRDQNPolicy, sb3_contrib.QRDQN),
        (DQNPolicy, sb3.DQN),
    )
    policy = data.get("policy_class")
    if not isinstance(policy, type):
        return None
    return next((kind for base, kind in kinds if issubclass(policy, base)), None)
