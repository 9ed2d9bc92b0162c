"""What can be configured of the experts that servers train: linear, or with two hidden layers."""

from __future__ import annotations

from dataclasses import dataclass

from mec_moe_env.config import OneOf, Real, Whole, reject, setting
from mec_moe_env.radio.config import RadioConfig

WIDTHS = Whole(1, 10**4)


@dataclass(frozen=True, kw_only=True)
class ExpertConfig(RadioConfig):
    """The experts; all fields but the first are of `mlp` alone (`mec_moe_env/perceptron.py`)."""

    experts: str = setting("linear", OneOf(("linear", "mlp")))
    """`linear` learns by Lemma 1 of Li & Duan 2024, `mlp` by SGD in a network."""
    hidden_widths: tuple[int, int] = (64, 32)
    """Units of the two hidden layers."""
    expert_loss: str = setting("squared", OneOf(("squared", "logistic")))
    """(f − y)² or ln(1 + exp(−y·f)), to train by and to judge by."""
    sgd_epochs: int = setting(10, Whole(1, 10**6))
    """Passes over a task's samples, in the order in which they were drawn."""
    sgd_rate: float = setting(0.03, Real(0, 1e3, open_low=True))
    """Step along the mean gradient of a batch."""
    sgd_batch: int = setting(4, Whole(1, 10**5))
    """Samples of a step; from k on a step takes all of a task's."""
    expert_restart: bool = False
    """Whether each training begins at the initial network, not at the server's present one."""

    def __post_init__(self) -> None:
        super().__post_init__()
        widths = self.hidden_widths
        if not isinstance(widths, tuple) or len(widths) != 2 or not all(map(WIDTHS.admits, widths)):
            raise reject("hidden_widths", widths, f"a pair, each {WIDTHS}")
        if not isinstance(self.expert_restart, bool):
            raise reject("expert_restart", self.expert_restart, "True or False")
