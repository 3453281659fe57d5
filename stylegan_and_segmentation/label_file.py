"""The table of labels of a folder of pictures, as a CSV file; and the pictures it speaks of.

One row a picture: its name relative to the folder, then its scores by column name. Columns that are not asked for
are ignored, so that a user may add his own. Knows no network.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from .errors import LabelFileError
from .properties import PROPERTY_NAMES

LABELS_FILE = "labels.csv"
FILE_COLUMN = "file"
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
LONGEST_SIDE = 1024  # larger pictures are read smaller
ENCODING = "utf-8-sig"  # with the mark by which spreadsheets know that Korean names are UTF-8
CURE = "label_images로 다시 만들어 주세요."


@dataclass(frozen=True)
class LabelledPictures:
    """Pictures of one size with their labels."""

    rgb: np.ndarray  # uint8, (N, r, r, 3)
    labels: np.ndarray  # float32, (N, 7), the order of PROPERTY_NAMES

    def __len__(self) -> int:
        return len(self.labels)


def picture_files(folder: Path) -> list[Path]:
    """All pictures below a folder, by their names' order.

    Raises:
        LabelFileError: there is no such folder, or no picture in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise LabelFileError(f"그림 폴더가 없어요: {folder}")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file())
    if not files:
        raise LabelFileError(f"폴더에 그림이 없어요: {folder} ({', '.join(PICTURE_SUFFIXES)} 파일을 넣어 주세요)")
    return files


def read_picture(path: Path) -> np.ndarray:
    """A picture as the viewer shows it, at most 1024 pixels on its longer side: uint8, (h, w, 3).

    Raises:
        LabelFileError: it cannot be read.
    """
    try:
        with Image.open(path) as image:
            image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            image = ImageOps.exif_transpose(image).convert("RGB")
            image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            return np.asarray(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:  # what Pillow's readers raise
        raise LabelFileError(f"그림을 읽을 수 없어요: {path} ({type(error).__name__})") from error


def write_labels(path: Path, files: Sequence[str], scores: np.ndarray, names: Sequence[str] = PROPERTY_NAMES) -> None:
    """Writes a table; the old one stays until the new one is whole.

    Args:
        path: the CSV file.
        files: names of the pictures, relative to their folder, with forward slashes.
        scores: (N, number of names).
        names: the columns after the first.

    Raises:
        LabelFileError: the file cannot be written.
    """
    path = Path(path)
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("w", encoding=ENCODING, errors="surrogateescape", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([FILE_COLUMN, *names])
            for name, row in zip(files, scores, strict=True):
                writer.writerow([name, *(f"{value:.4f}" for value in row)])
        os.replace(partial, path)
    except OSError as error:
        raise LabelFileError(
            f"라벨 파일을 쓸 수 없어요: {path} ({type(error).__name__}) - 다른 프로그램에서 열려 있다면 닫아 주세요."
        ) from error


def read_labels(path: Path) -> tuple[list[str], np.ndarray]:
    """Names and labels, float32 (N, 7), of a table.

    Raises:
        LabelFileError: the file is missing, unreadable or malformed; the row is named.
    """
    try:
        with Path(path).open(encoding=ENCODING, errors="surrogateescape", newline="") as file:
            rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except FileNotFoundError:
        raise LabelFileError(f"라벨 파일이 없어요: {path} - {CURE}") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LabelFileError(f"라벨 파일을 읽을 수 없어요: {path} ({type(error).__name__}) - {CURE}") from error
    header = [cell.strip() for cell in rows[0]] if rows else []
    missing = [name for name in (FILE_COLUMN, *PROPERTY_NAMES) if name not in header]
    if missing:
        raise LabelFileError(f"라벨 파일에 열이 없어요: {path} ({', '.join(missing)}) - {CURE}")
    if len(rows) < 2:
        raise LabelFileError(f"라벨 파일에 그림이 없어요: {path} - {CURE}")
    columns = [header.index(name) for name in PROPERTY_NAMES]
    files, labels = [], np.zeros((len(rows) - 1, len(PROPERTY_NAMES)), np.float32)
    for number, row in enumerate(rows[1:]):
        try:
            labels[number] = [float(row[column]) for column in columns]
            files.append(row[header.index(FILE_COLUMN)])
        except (IndexError, ValueError):
            raise LabelFileError(f"라벨 파일의 {number + 2}번째 줄을 읽을 수 없어요: {path} - {CURE}") from None
        if not np.isfinite(labels[number]).all():
            raise LabelFileError(f"라벨 파일의 {number + 2}번째 줄에 유한하지 않은 수가 있어요: {path} - {CURE}")
    return files, labels


def read_labelled_pictures(path: Path, resolution: int) -> LabelledPictures:
    """The pictures of a table, which lie beside it, with their labels.

    Args:
        path: the CSV file; names in it are relative to its folder.
        resolution: the pictures' middles are cut square and brought to this width and height.

    Raises:
        LabelFileError: the table or one of its pictures cannot be read; all such pictures are counted.
    """
    files, labels = read_labels(path)
    pictures, problems = [], []
    for name in files:
        try:
            picture = Image.fromarray(read_picture(Path(path).parent / name))
        except LabelFileError as error:
            problems.append(str(error))
            continue
        pictures.append(np.asarray(ImageOps.fit(picture, (resolution, resolution), Image.Resampling.BOX)))
    if problems:
        more = f" 외 {len(problems) - 1}개" if len(problems) > 1 else ""
        raise LabelFileError(f"{problems[0]}{more} - 라벨 파일에서 빼거나 그림을 다시 넣어 주세요.")
    return LabelledPictures(np.stack(pictures), labels)
