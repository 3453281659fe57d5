"""A sheet of faces to judge by eye: sweeps of eyes, mouth and pose, and the chat's typical expressions.

python -m stylegan_and_segmentation.contact_sheet --out sheet.png
python -m stylegan_and_segmentation.contact_sheet --portrait --out portrait_sheet.png
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from .properties import PropertyScores

RESTING = PropertyScores(eyes=-1.2, mouth=-1.2, pose=-1.2)
EMBEDDED_FOLDER = Path(__file__).resolve().parent / "stylegan_modified" / "embedded"
IDENTITY_NAME = "identity_z.csv"


def sheet_rows() -> list[list[PropertyScores]]:
    """The scores of every picture, row by row."""
    return [
        [replace(RESTING, eyes=value) for value in (-2.6, -1.2, -0.2, 0.8, 1.6, 2.4)],
        [replace(RESTING, mouth=value) for value in (-1.2, -0.6, 0.0, 0.6, 1.2, 1.6)],
        [replace(RESTING, pose=value) for value in (-2.0, -1.2, 0.6, 2.4, 3.0, 3.6)],
        [
            RESTING,
            PropertyScores(eyes=0.8, mouth=0.8, pose=-1.2),  # "아!"
            PropertyScores(eyes=1.6, mouth=1.6, pose=-1.2),  # "와!!!"
            PropertyScores(eyes=-1.2, mouth=-0.6, pose=0.6),  # "..."
            PropertyScores(eyes=-1.2, mouth=-1.2, pose=2.4),  # "미안"
            PropertyScores(eyes=-1.2, mouth=0.3, pose=3.6),  # "미안 ... 싫어!"
        ],
    ]


def draw_sheet(paint: Callable[[PropertyScores], np.ndarray]) -> np.ndarray:
    """All pictures side by side: uint8, (rows * r, columns * r, 3)."""
    return np.concatenate([np.concatenate([paint(scores) for scores in row], axis=1) for row in sheet_rows()], axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description="표정을 한 장에 모아 그립니다.")
    parser.add_argument("--out", type=Path, default=Path("contact_sheet.png"), help="저장할 그림 파일")
    parser.add_argument("--folder", type=Path, default=EMBEDDED_FOLDER, help="생성 모델 폴더")
    parser.add_argument("--identity", type=Path, help="얼굴 벡터 CSV (기본: 모델 폴더의 identity_z.csv)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--portrait", action="store_true", help="생성 모델 대신 학습용 초상화를 그립니다")
    args = parser.parse_args()
    if args.portrait:
        from .portrait.drawing import draw_portrait  # needs skia, which only training installs

        sheet = draw_sheet(lambda scores: draw_portrait(scores).rgb)
    else:
        from .painter import FacePainter

        painter = FacePainter.load(args.folder, args.identity or args.folder / IDENTITY_NAME, seed=args.seed)
        sheet = draw_sheet(painter.paint)
    Image.fromarray(sheet).save(args.out)


if __name__ == "__main__":
    main()
