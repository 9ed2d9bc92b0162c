"""Take the README's picture of a replay: `mec-moe replay`, opened in a headless Chromium.

    python docs/results/replay_picture.py --out runs/results/replay

Writes the page, replay.png and rows.csv with both returns.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from mec_moe_env.files import write_csv

REPLAY = ("replay", "--scenario", "digits", "--agents", "guard,learned", "--seed", "7")
SLOT = 37
"""Which is shown."""
SIZE = "1280,1000"
"""Pixels: controls, both maps and the channel."""
BROWSER = "chromium"
FOUND = re.compile(r"^\s*(\S+)\s+return (-?\d\S*)", re.MULTILINE)


def replay(page: Path) -> list[dict[str, str]]:
    """Write the page; return a row for each agent, with the return that the command prints."""
    command = [sys.executable, "-m", "mec_moe_agents", *REPLAY, "--out", str(page)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout
    rows = [{"agent": agent, "return": value} for agent, value in FOUND.findall(said)]
    return [row for row in rows if row["agent"] != "bound"]


def take_picture(page: Path, picture: Path) -> None:
    """Open the page at the slot and save what is seen.

    Raises:
        FileNotFoundError: there is no Chromium.
    """
    program = shutil.which(BROWSER)
    if program is None:
        raise FileNotFoundError(f"no {BROWSER}: on Debian, apt-get install chromium")
    with tempfile.TemporaryDirectory() as profile:
        shot = Path(profile) / "shot.png"
        looks = ("--headless=new", "--hide-scrollbars", "--force-color-profile=srgb")
        safe = ("--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}")
        seen = (
            f"--window-size={SIZE}",
            f"--screenshot={shot}",
            f"{page.resolve().as_uri()}#{SLOT}",
        )
        subprocess.run([program, *looks, *safe, *seen], check=True, stderr=subprocess.DEVNULL)
        # A palette of few but exact colours: the picture weighs half of what it does without one.
        colors = Image.open(shot).convert("RGB").quantize(method=Image.Quantize.FASTOCTREE)
        colors.save(picture, optimize=True)


def main() -> None:
    """Write page, picture and rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/results/replay"))
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    write_csv(out / "rows.csv", replay(out / "replay.html"))
    take_picture(out / "replay.html", out / "replay.png")
    print(f"picture  {out / 'replay.png'}")


if __name__ == "__main__":
    main()
