"""Small models to test with."""

import numpy as np

from mec_moe_env.moe import MoEWeights, embed, gate_scores


def random_model(seed: int = 0) -> MoEWeights:
    """Draw a model of P = 6 pixels, h = 5, L = 3, K = 4, f = 7, C = 3."""
    rng = np.random.default_rng(seed)
    P, h, L, K, f, C = 6, 5, 3, 4, 7, 3
    shapes = [(P, h), (h,), (L, h), (L, h, K), (L, K, h, f), (L, K, f), (L, K, f, h), (L, K, h)]
    shapes += [(h,), (h, C), (C,)]
    return MoEWeights(
        *(rng.standard_normal(shape).astype(np.float32).astype(float) for shape in shapes)
    )


def scores_of(weights: MoEWeights, layer: int, hidden: np.ndarray) -> np.ndarray:
    out = np.empty((len(hidden), weights.gate_matrix.shape[2]))
    gate_scores(weights, layer, hidden, out)
    return out


def random_states(weights: MoEWeights, tokens: int, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return embed(weights, rng.standard_normal((tokens, weights.embed_matrix.shape[0])))
