"""Task streams: synthetic (Definition 1), handwritten digits, MNIST, or your own."""

from mec_moe_env.tasks.images import load_digits_split
from mec_moe_env.tasks.stream import Judge, TaskBatch, TaskStream, identity_judge

__all__ = ["Judge", "TaskBatch", "TaskStream", "identity_judge", "load_digits_split"]
