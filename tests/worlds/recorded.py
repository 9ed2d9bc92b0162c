"""Recorded worlds as small files: what a user would bring."""

from pathlib import Path
from typing import Any

import numpy as np

from mec_moe_env.files import write_arrays

HORIZON, SERVERS, SUBCARRIERS = 6, 3, 2
ARRIVALS = """slot,type,origin,payload
0,1,2,0.5
0,0,0,0.3
2,3,1,1.0
3,2,2,0.25
5,,,
"""
EUA = """SITE_ID,LATITUDE,LONGITUDE,NAME,STATE,LICENSING_AREA_ID,POSTCODE
10001,-37.8136,144.9631,"Site one, CBD",VIC,4,3000
10002,-37.8150,144.9700,Site two,VIC,4,3000
10003,-37.8200,144.9550,Site three,VIC,4,3000
10004,-37.8300,144.9500,Site four,VIC,4,3000
"""
SIZES: dict[str, Any] = {
    "num_tasks": 2,
    "num_servers": SERVERS,
    "num_subcarriers": SUBCARRIERS,
    "horizon": HORIZON,
}


def write_arrivals(folder: Path, text: str = ARRIVALS) -> str:
    path = folder / "arrivals.csv"
    path.write_text(text)
    return str(path)


def write_positions(folder: Path, text: str = EUA) -> str:
    path = folder / "eua.csv"
    path.write_text(text)
    return str(path)


def efficiencies(slots: int = HORIZON, links: int = SERVERS**2) -> np.ndarray:
    """Return a different number within the codes' range for every link."""
    count = slots * links * SUBCARRIERS
    return np.linspace(0.5, 9.5, count).reshape(slots, links, SUBCARRIERS)


def write_trace(folder: Path, **arrays: np.ndarray) -> str:
    path = folder / "trace.npz"
    write_arrays(path, arrays or {"spectral_efficiency": efficiencies()})
    return str(path)
