"""Which files are mutated, and the tests that may tell a mutant, those that are soonest run first.

All run as plain Python, where a process begins in a second instead of half a minute. So these are
tests of small cases with exact values; what is tested by thousands of cases is left to compiled
code, and counts for nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

OFFLOADING = (
    "tests/environments/test_small_episodes.py",
    "tests/environments/test_toy.py",
    "tests/environments/test_offloading_reference.py",
    "tests/environments/test_network_experts.py",
)
DMOE = (
    "tests/environments/test_small_episodes.py",
    "tests/environments/test_dmoe_toy.py",
    "tests/environments/test_dmoe_reference.py",
)
SUMS = "tests/environments/test_sums.py"
EXPERTS = ("tests/environments/test_physics.py",)
SMALL = "tests/solvers/test_small_cases.py"
SELECTION = (
    SMALL,
    "tests/solvers/test_expert_selection.py",
    "tests/solvers/test_joint_allocation.py",
)
JOINT = (
    SMALL,
    "tests/solvers/test_joint_allocation.py",
)
EXACT = ("tests/solvers/test_exact.py",)
OPTIMUM = (
    SMALL,
    "tests/solvers/test_layer_optimum.py",
    "tests/solvers/test_rebuild.py",
)
INPUTS = ("tests/solvers/test_bad_input.py",)
BOARD = ("tests/evaluation/test_leaderboard.py", "tests/evaluation/test_soundness.py")
STATISTICS = ("tests/evaluation/test_statistics.py",)

GROUPS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "dynamics": {
        "mec_moe_env/offloading/step.py": OFFLOADING,
        "mec_moe_env/offloading/learning.py": OFFLOADING,
        "mec_moe_env/offloading/judgement.py": (*OFFLOADING, SUMS),
        "mec_moe_env/dmoe/step.py": DMOE,
        "mec_moe_env/core/sums.py": (SUMS,),
        "mec_moe_env/experts.py": (*EXPERTS, *OFFLOADING),
        "mec_moe_env/pseudo_inverse.py": (*EXPERTS, *OFFLOADING),
        "mec_moe_env/perceptron.py": ("tests/environments/test_perceptron.py", *OFFLOADING),
    },
    "pricing": {
        "mec_moe_env/offloading/pricing.py": OFFLOADING,
        "mec_moe_env/radio/links.py": (*OFFLOADING, *DMOE),
        "mec_moe_env/dmoe/links.py": DMOE,
        "mec_moe_env/dmoe/charge.py": DMOE,
        "mec_moe_env/dmoe/reserve.py": DMOE,
    },
    "solvers": {
        f"agents/mec_moe_agents/solvers/{name}.py": tests
        for name, tests in (
            ("charges", OPTIMUM),
            ("exact", (*EXACT, *INPUTS)),
            ("exact_return", (*OPTIMUM, *INPUTS)),
            ("expert_selection", (*SELECTION, *INPUTS)),
            ("inputs", (*INPUTS, *SELECTION, *OPTIMUM)),
            ("joint_allocation", (*JOINT, *EXACT, *INPUTS)),
            ("joint_plan", (*JOINT, *EXACT)),
            ("layer_bound", (*OPTIMUM, *INPUTS)),
            ("layer_draft", OPTIMUM),
            ("layer_optimum", (*OPTIMUM, *INPUTS)),
            ("layer_search", OPTIMUM),
            ("rebuild", OPTIMUM),
            ("selection_bound", (*SELECTION, *OPTIMUM)),
            ("selection_search", SELECTION),
            ("subcarrier_allocation", ("tests/solvers/test_subcarrier_allocation.py", *JOINT)),
            ("token_choice", OPTIMUM),
        )
    },
    "statistics": {
        f"agents/mec_moe_agents/evaluation/{name}.py": tests
        for name, tests in (
            ("aggregate", BOARD),
            ("hypotheses", ("tests/evaluation/test_hypotheses.py",)),
            ("leaderboard", BOARD),
            ("line", BOARD),
            ("scale", BOARD),
            ("soundness", BOARD),
            ("statistics", STATISTICS),
        )
    },
}
