"""Drawing her must not wait for what only training and measuring need."""

from __future__ import annotations

import subprocess
import sys

QUESTION = """
import sys
import stylegan_and_segmentation.painter, stylegan_and_segmentation.image_file
rooms = ("segmentation", "portrait", "train_generator", "evaluate", "encoder", "losses")
print([name for name in sys.modules if any(part in rooms for part in name.split(".")[1:])
       and name.startswith("stylegan_and_segmentation.")])
"""


def test_painter_imports_no_training() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", QUESTION], capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert answer.stdout.strip() == "[]"
