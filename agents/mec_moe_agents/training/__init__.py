"""Training schedulers by reinforcement learning, and searching for the importance of layers.

Reinforcement learning needs Stable-Baselines3 (the extra `rl`); the search (`importance`) does not.
"""
