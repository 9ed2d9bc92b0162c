"""A channel slot by slot from a file: gains, rates or spectral efficiencies of every link."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mec_moe_env.core.buffers import Floats, Singles
from mec_moe_env.files import read_arrays
from mec_moe_env.radio.config import RadioConfig
from mec_moe_env.radio.geometry import noise_power_w

Convert = Callable[[NDArray[Any], RadioConfig], NDArray[Any]]


def _of_gain(gain: NDArray[Any], config: RadioConfig) -> NDArray[Any]:
    return np.log2(1.0 + gain * (config.power_w / noise_power_w(config)))


KINDS: Mapping[str, tuple[str, bool, Convert]] = MappingProxyType(
    {
        "gain": ("power gains, linear and ≥ 0", False, _of_gain),
        "gain_db": (
            "power gains in dB",
            True,
            lambda gain, config: _of_gain(10.0 ** (gain / 10.0), config),
        ),
        "rate": ("bit/s on one subcarrier, ≥ 0", False, lambda rate, c: rate / c.bandwidth_hz),
        "spectral_efficiency": ("bit/s/Hz, ≥ 0", False, lambda efficiency, config: efficiency),
    }
)
"""The arrays that a trace may hold: what they are, whether negative, how they become bit/s/Hz."""
LARGEST = 1e30
"""In size, of any number."""


def read_channel_trace(
    source: str | Path, config: RadioConfig, origins: int, nodes: int, subcarriers: int, slots: int
) -> Singles:
    """Return bit/s/Hz of every link in every slot of a trace, (R, links, S), as codes allow it.

    Args:
        source: an .npz file with one of the arrays in `KINDS`, of shape (R, links, S). There are
            origins · nodes links, from origin o to node m link o·nodes + m; or one for each node,
            the same from wherever. What it says of a node to itself is not read.
        config: bandwidth, power, noise, and the range of the codes, into which all is clipped.
        origins: nodes that send.
        nodes: nodes that receive.
        subcarriers: S.
        slots: least R that will do.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged, holds none or several of the arrays, or one of another shape or
            with a number that is not allowed; array and place are named.
    """
    path = Path(source).expanduser()
    arrays = read_arrays(path, (), optional=tuple(KINDS))
    if len(arrays) != 1:
        there = ", ".join(arrays) or "none of them"
        raise ValueError(f"{path}: expected one of the arrays {', '.join(KINDS)}, found {there}")
    ((name, array),) = arrays.items()
    place = f"{path}, {name}"
    _check_shape(place, array, (origins * nodes, nodes), subcarriers, slots)
    itself = np.zeros(array.shape[1], np.bool_)
    if array.shape[1] == origins * nodes:
        itself[[node * nodes + node for node in range(min(origins, nodes))]] = True
    what, negative, convert = KINDS[name]
    # A number of extended precision may become infinite here, and is refused then; a gain in dB
    # that overflows below is clipped like any other.
    with np.errstate(over="ignore"):
        # Compared as they are, numbers of half precision would make infinity of the bound.
        numbers = array.astype(np.float64)
        _check_numbers(place, array, numbers, itself, what, -LARGEST if negative else 0.0)
        efficiency = convert(np.where(itself[:, np.newaxis], 0.0, numbers), config)
    lowest, highest = config.min_spectral_efficiency, config.max_spectral_efficiency
    return np.clip(efficiency, lowest, highest).astype(np.float32)


def _check_shape(
    place: str, array: NDArray[Any], links: tuple[int, int], subcarriers: int, slots: int
) -> None:
    """Refuse an array that is not (R, links, S), R at least `slots`."""
    wanted = f"(slots ≥ {slots}, links = {links[0]} or {links[1]}, subcarriers = {subcarriers})"
    if array.dtype.kind not in "fiu" or array.ndim != 3:
        raise ValueError(
            f"{place} has dtype {array.dtype} and shape {array.shape}: it must be real, {wanted}"
        )
    for axis, allowed in ((1, links), (2, (subcarriers,))):
        if array.shape[axis] not in allowed:
            raise ValueError(f"{place} has shape {array.shape}: it must be {wanted}")
    if array.shape[0] < slots:
        raise ValueError(
            f"{place} has {array.shape[0]} slots, an episode needs {slots}: "
            "record more, or shorten the episode"
        )


def _check_numbers(
    place: str,
    array: NDArray[Any],
    numbers: Floats,
    itself: NDArray[np.bool_],
    what: str,
    low: float,
) -> None:
    """Refuse a number that is missing, infinite or too small, unless of a node to itself.

    Args:
        place: file and array, for the message.
        array: as it was read, for the message too.
        numbers: the same in double precision.
        itself: links of a node to itself.
        what: of the numbers is there.
        low: least that is allowed.
    """
    # Written so that NaN fails too.
    wrong = ~((numbers >= low) & (numbers <= LARGEST)) & ~itself[:, np.newaxis]
    if wrong.any():
        t, link, s = (int(axis[0]) for axis in np.nonzero(wrong))
        raise ValueError(
            f"{place}[{t}, {link}, {s}] (slot, link, subcarrier) = {array[t, link, s]} is not "
            f"allowed: there must be {what}, finite and at most {LARGEST:g}"
        )
