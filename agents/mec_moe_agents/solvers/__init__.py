"""Exact and near-exact solvers of the DMoE scheduling problem: pure functions on arrays."""

from mec_moe_agents.solvers.charges import Charges as Charges
from mec_moe_agents.solvers.charges import charge_layer as charge_layer
from mec_moe_agents.solvers.charges import layer_value as layer_value
from mec_moe_agents.solvers.exact import ExactAllocation as ExactAllocation
from mec_moe_agents.solvers.exact import lower_bound as lower_bound
from mec_moe_agents.solvers.exact import solve_exactly as solve_exactly
from mec_moe_agents.solvers.exact_return import ExactOptimum as ExactOptimum
from mec_moe_agents.solvers.exact_return import optimise_exactly as optimise_exactly
from mec_moe_agents.solvers.expert_selection import ExpertSelection as ExpertSelection
from mec_moe_agents.solvers.expert_selection import select_experts as select_experts
from mec_moe_agents.solvers.inputs import LayerProblem as LayerProblem
from mec_moe_agents.solvers.joint_allocation import JointAllocation as JointAllocation
from mec_moe_agents.solvers.joint_allocation import allocate_jointly as allocate_jointly
from mec_moe_agents.solvers.joint_allocation import allocate_jointly_plus as allocate_jointly_plus
from mec_moe_agents.solvers.layer_bound import layer_bound as layer_bound
from mec_moe_agents.solvers.layer_optimum import LayerOptimum as LayerOptimum
from mec_moe_agents.solvers.layer_optimum import optimise_layer as optimise_layer
from mec_moe_agents.solvers.subcarrier_allocation import (
    SubcarrierAllocation as SubcarrierAllocation,
)
from mec_moe_agents.solvers.subcarrier_allocation import (
    allocate_subcarriers as allocate_subcarriers,
)
