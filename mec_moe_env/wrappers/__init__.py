"""Other views of the environments' spaces."""

from mec_moe_env.wrappers.flat_action import FlatAction, FlatActionVector

__all__ = ["FlatAction", "FlatActionVector"]
