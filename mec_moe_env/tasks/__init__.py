"""Task streams: synthetic (Definition 1), handwritten digits, MNIST, or your own."""

from mec_moe_env.tasks.arrays import ArrayTasks as ArrayTasks
from mec_moe_env.tasks.images import load_digits_split as load_digits_split
from mec_moe_env.tasks.stream import Evaluator as Evaluator
from mec_moe_env.tasks.stream import TaskBatch as TaskBatch
from mec_moe_env.tasks.stream import TaskStream as TaskStream
from mec_moe_env.tasks.stream import identity_evaluator as identity_evaluator
