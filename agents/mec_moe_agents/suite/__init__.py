"""The suite `mec-moe-1`: frozen tasks, what is known of them, and results that can be replayed."""

from mec_moe_agents.suite.lookup import frozen_baseline as frozen_baseline
from mec_moe_agents.suite.lookup import shipped_bounds as shipped_bounds
from mec_moe_agents.suite.lookup import shipped_plans as shipped_plans
from mec_moe_agents.suite.lookup import shipped_rows as shipped_rows
