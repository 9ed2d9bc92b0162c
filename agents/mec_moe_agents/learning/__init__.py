"""Training schedulers by reinforcement learning, with Stable-Baselines3."""
