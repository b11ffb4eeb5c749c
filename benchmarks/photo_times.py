"""What reading the digits of a 12-megapixel JPEG takes: ``python -m benchmarks.photo_times``.

The photo is a made-up sheet of 15 digits, enlarged to 4000x3000.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from chainrule.handwriting.reading import read, shipped_model
from chainrule.photos.strokes import draw_digit
from chainrule.photos.synthetic import BLUE, Scene, photograph

TURNS = 9


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sheet.jpg")
        scene = Scene(turn=4, shadow=0.45, gradient=0.25, ruled=0.2, ink=BLUE, noise=0.02)
        rng = np.random.default_rng(0)
        rgb, _ = photograph(["31415", "92653", "58979"], scene, draw_digit, rng)
        Image.fromarray(rgb).resize((4000, 3000)).save(path, quality=90)
        digits = read(path).digits
        looks = np.zeros((9 * len(digits), 784), np.float32)  # nine of each mark are averaged
        print(f"{len(digits)} digits read in {path.stat().st_size / 1e6:.1f} MB; median of {TURNS}")
        print(f"  the photo read, after the start: {median(lambda: read(path)):.3f} s")
        print(
            f"  of which the network: {1e3 * median(lambda: shipped_model().predict(looks)):.2f} ms"
        )
        command = [Path(sys.executable).with_name("chainrule"), "classify", path]
        whole = median(lambda: subprocess.run(command, check=True, capture_output=True))
        print(f"  the whole command: {whole:.2f} s")


def median(work: Callable[[], object]) -> float:
    """Return the median of the seconds that work takes."""
    seconds = []
    for _ in range(TURNS):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


if __name__ == "__main__":
    main()
