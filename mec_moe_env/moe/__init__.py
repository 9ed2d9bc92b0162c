"""A real mixture-of-experts classifier whose experts an outside scheduler chooses, and traces."""

from mec_moe_env.moe.model import EPSILON as EPSILON
from mec_moe_env.moe.model import apply_experts as apply_experts
from mec_moe_env.moe.model import classify as classify
from mec_moe_env.moe.model import cross_entropy as cross_entropy
from mec_moe_env.moe.model import embed as embed
from mec_moe_env.moe.model import gate_scores as gate_scores
from mec_moe_env.moe.trace import GateTrace as GateTrace
from mec_moe_env.moe.trace import load_gate_trace as load_gate_trace
from mec_moe_env.moe.trace import save_gate_trace as save_gate_trace
from mec_moe_env.moe.weights import MoEWeights as MoEWeights
from mec_moe_env.moe.weights import load_digits_moe as load_digits_moe
from mec_moe_env.moe.weights import load_moe as load_moe
from mec_moe_env.moe.weights import save_moe as save_moe
