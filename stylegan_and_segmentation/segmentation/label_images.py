"""Labels a folder of pictures with property scores.

    python -m stylegan_and_segmentation.segmentation.label_images FOLDER
    python -m stylegan_and_segmentation.segmentation.label_images FOLDER --parser PARSER --fit

The table (`labels.csv` in the folder) is what `train_generator` learns from. By default scores are on the scale of
the drawn portraits; with --fit the folder's own means and deviations are taken, as photographs need, and kept
beside the table.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..errors import FaceError, LabelFileError
from ..label_file import LABELS_FILE, picture_files, read_picture, write_labels
from .face_parser import FaceParser
from .parser_file import EMBEDDED_PARSER, load_face_parser
from .property_scores import MEASURE_NAMES, measure_face, shows_face
from .score_statistics import STATISTICS_FILE, ScoreStatistics, read_statistics

EMBEDDED_STATISTICS = EMBEDDED_PARSER.parent / STATISTICS_FILE


def measure_folder(parser: FaceParser, folder: Path) -> tuple[list[str], np.ndarray, bool]:
    """Measures of all pictures below a folder that can be read and show a face; the others are named.

    Returns:
        names relative to the folder; measures, float64 (N, 8); whether all pictures were gone through: Ctrl+C
        ends the work and keeps what is done.

    Raises:
        LabelFileError: there is no such folder, or no picture in it.
    """
    names: list[str] = []
    measures: list[np.ndarray] = []
    whole = True
    with tqdm(picture_files(folder), desc="그림", unit="장") as bar:
        try:
            for path in bar:
                name = path.relative_to(folder).as_posix()
                try:
                    rgb = read_picture(path)
                except LabelFileError as error:
                    _say(f"건너뛰었어요: {error}")
                    continue
                parsing_map = parser.parse(rgb)
                if not shows_face(parsing_map):
                    _say(f"건너뛰었어요: 얼굴을 찾지 못했어요: {path}")
                    continue
                measures.append(measure_face(rgb, parsing_map).vector())
                names.append(name)
        except KeyboardInterrupt:
            whole = False
    return names, np.array(measures).reshape(-1, len(MEASURE_NAMES)), whole


def _say(line: str) -> None:
    tqdm.write(line.encode("utf-8", "replace").decode("utf-8"), file=sys.stderr)


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="폴더의 그림마다 속성 점수를 매겨 CSV로 씁니다.")
    parser.add_argument("folder", type=Path, help="그림 폴더 (안의 폴더도 봅니다)")
    parser.add_argument("--out", type=Path, help=f"쓸 파일 (기본: 그림 폴더의 {LABELS_FILE})")
    parser.add_argument("--parser", type=Path, default=EMBEDDED_PARSER, help="얼굴 파싱 모델 폴더 (SegFormer)")
    parser.add_argument("--statistics", type=Path, default=EMBEDDED_STATISTICS, help="점수의 평균과 표준편차 파일")
    parser.add_argument("--fit", action="store_true", help="평균과 표준편차를 이 폴더에서 구해 라벨 파일 옆에 둡니다")
    parser.add_argument("--device", default="cpu", help="cpu 또는 cuda")
    return parser.parse_args(arguments)


def label_images(args: argparse.Namespace) -> str:
    """Does the work; returns what to say at its end (Korean).

    Raises:
        FaceError: a model, a file or the folder cannot be used.
    """
    statistics = None if args.fit else read_statistics(args.statistics)
    parser = load_face_parser(args.parser, args.device)
    names, measures, whole = measure_folder(parser, args.folder)
    if not names:
        raise LabelFileError(f"점수를 매길 수 있는 그림이 없어요: {args.folder}")
    out = args.out or args.folder / LABELS_FILE
    if statistics is None:
        statistics = ScoreStatistics.of(measures)
        try:
            statistics.save(out.with_name(STATISTICS_FILE))
        except OSError as error:
            raise LabelFileError(f"통계 파일을 쓸 수 없어요: {out.with_name(STATISTICS_FILE)} ({error})") from error
    write_labels(out, names, statistics.scores(measures), MEASURE_NAMES)
    stopped = "" if whole else " (도중에 멈췄어요)"
    return f"그림 {len(names)}장의 점수를 {out} 에 적었어요.{stopped}"


def main(arguments: list[str] | None = None) -> int:
    args = parse_arguments(arguments)
    try:
        print(label_images(args))
    except FaceError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
