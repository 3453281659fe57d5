"""Her identity: the vector z that makes a generator draw her, as a CSV file.

The form is the published one: a header row 0,1,2,... and one row of numbers. Knows no generator.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from .errors import IdentityError

CURE = "파일을 다시 내려받거나, 지우고 내장 모델을 쓰세요."


def read_identity(path: Path, length: int = 512) -> np.ndarray:
    """Her z, float32, shape (length,).

    Raises:
        IdentityError: the file is missing, unreadable, or has another form.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except FileNotFoundError:
        raise IdentityError(f"얼굴 벡터 파일이 없어요: {path} - {CURE}") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise IdentityError(f"얼굴 벡터 파일을 읽을 수 없어요: {path} ({type(error).__name__}) - {CURE}") from error
    if len(rows) != 2:
        raise IdentityError(
            f"얼굴 벡터 파일은 제목 줄과 숫자 줄, 두 줄이어야 해요: {path} (지금 {len(rows)}줄) - {CURE}"
        )
    header, values = rows
    if [cell.strip() for cell in header] != [str(index) for index in range(length)]:
        raise IdentityError(f"얼굴 벡터 파일의 제목 줄은 0부터 {length - 1}까지여야 해요: {path} - {CURE}")
    try:
        z = np.array([float(cell) for cell in values], dtype=np.float32)
    except ValueError:
        raise IdentityError(f"얼굴 벡터 파일에 숫자가 아닌 값이 있어요: {path} - {CURE}") from None
    if z.shape != (length,) or not np.isfinite(z).all():
        raise IdentityError(f"얼굴 벡터는 유한한 숫자 {length}개여야 해요: {path} (지금 {len(z)}개) - {CURE}")
    return z


def write_identity(path: Path, z: np.ndarray) -> None:
    """Writes z (N,) in the form that `read_identity` reads, with six decimals."""
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(range(len(z)))
        writer.writerow(f"{value:.6f}" for value in z)
