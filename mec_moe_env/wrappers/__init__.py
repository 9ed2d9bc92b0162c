"""Other views of the environments' spaces."""

from mec_moe_env.wrappers.flat_action import FlatAction
from mec_moe_env.wrappers.flat_action_vector import FlatActionVector

__all__ = ["FlatAction", "FlatActionVector"]
