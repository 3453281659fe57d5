"""How long a new face takes: from scores to the PNG on disk, with the embedded generator.

python -m tests.benchmarks.drawing [--faces 20] [--threads 2] [--folder FOLDER]

Aim: under 0.25 s on two cores. On a busy computer the least of the faces is nearest to what one takes; the
processors' seconds are what it would take on one core of its own, at most.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch

from stylegan_and_segmentation.contact_sheet import EMBEDDED_FOLDER, IDENTITY_NAME, sheet_rows
from stylegan_and_segmentation.image_file import write_image
from stylegan_and_segmentation.painter import FacePainter


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=EMBEDDED_FOLDER)
    parser.add_argument("--identity", type=Path, help="by default the one in the folder")
    parser.add_argument("--faces", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    painter = FacePainter.load(options.folder, options.identity or options.folder / IDENTITY_NAME)
    scores = [face for row in sheet_rows() for face in row]
    seconds, busy = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "face.png"
        painter.paint(scores[0])  # what is only done once
        for index in range(options.faces):
            began, worked = time.perf_counter(), time.process_time()
            write_image(path, painter.paint(scores[index % len(scores)]))
            seconds.append(time.perf_counter() - began)
            busy.append(time.process_time() - worked)
    for name, values in (("seconds", seconds), ("processors' seconds", busy)):
        print(f"{name}: median {statistics.median(values):.3f}, least {min(values):.3f}, most {max(values):.3f}")


if __name__ == "__main__":
    main()
