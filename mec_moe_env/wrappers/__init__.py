"""Other views of the environments' spaces."""

from mec_moe_env.wrappers.flat_action import FlatAction as FlatAction
from mec_moe_env.wrappers.flat_action_vector import FlatActionVector as FlatActionVector
