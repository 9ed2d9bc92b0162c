"""Other views of the environments' spaces."""

from mec_moe_env.wrappers.flat_action import FlatAction as FlatAction
from mec_moe_env.wrappers.flat_action_vector import FlatActionVector as FlatActionVector
from mec_moe_env.wrappers.flat_observation import FlatObservation as FlatObservation
from mec_moe_env.wrappers.flat_observation import FlatObservationVector as FlatObservationVector
from mec_moe_env.wrappers.masked_observation import MaskedObservation as MaskedObservation
from mec_moe_env.wrappers.masked_observation import (
    MaskedObservationVector as MaskedObservationVector,
)
from mec_moe_env.wrappers.masks import MaskedDiscrete as MaskedDiscrete
from mec_moe_env.wrappers.masks import MaskedMultiDiscrete as MaskedMultiDiscrete
from mec_moe_env.wrappers.masks import split_mask as split_mask
from mec_moe_env.wrappers.vector_layer import VectorLayer as VectorLayer
