"""DMoE: multi-layer mixture-of-experts inference over edge nodes (Qin et al. 2025)."""
