"""scikit-learn's real handwritten digits, 8×8 pixels."""

from __future__ import annotations

import numpy as np

from mec_moe_env.tasks.images import LabelledImages

PIXELS = 64
LARGEST_PIXEL = 16.0
TRAIN_SHARE = 0.7
SPLIT_SEED = 0


def load_digits_split() -> LabelledImages:
    """Return the 1,797 digits, pixels in [0, 1] and centred on the training mean.

    Raises:
        ImportError: scikit-learn, the extra `digits`, is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError(
            "the digits need scikit-learn: pip install 'mec-moe-env[digits]'"
        ) from error
    pixels, classes = load_digits(return_X_y=True)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(classes))
    train, heldout = np.split(order, [int(TRAIN_SHARE * len(order))])
    images = pixels / LARGEST_PIXEL
    images -= images[train].mean(axis=0)
    classes = classes.astype(np.int64)
    return LabelledImages(images[train], classes[train], images[heldout], classes[heldout])
