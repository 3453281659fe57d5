"""Her z on disk, in the published form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stylegan_and_segmentation.errors import IdentityError
from stylegan_and_segmentation.identity_file import read_identity, write_identity

HEADER = ",".join(str(index) for index in range(512))


def test_round_trip(tmp_path: Path) -> None:
    z = np.random.default_rng(0).standard_normal(512).astype(np.float32)
    path = tmp_path / "z.csv"
    write_identity(path, z)
    assert path.read_text(encoding="utf-8").splitlines()[0] == HEADER
    assert np.allclose(read_identity(path), z, atol=1e-6)


def test_windows_file(tmp_path: Path) -> None:
    path = tmp_path / "z.csv"
    path.write_bytes(("\ufeff" + HEADER + "\r\n" + ",".join(["0.5"] * 512) + "\r\n\r\n").encode())
    assert read_identity(path).tolist() == [0.5] * 512


@pytest.mark.parametrize(
    "text",
    [
        "",
        HEADER,
        HEADER + "\n" + "0.1,0.2\n",
        HEADER + "\n" + ",".join(["x"] * 512),
        HEADER + "\n" + ",".join(["nan"] * 512),
        ",".join(["0.5"] * 512) + "\n" + ",".join(["0.5"] * 512),
        HEADER + "\n" + ",".join(["0.5"] * 512) + "\n" + ",".join(["0.5"] * 512),
    ],
)
def test_malformed_file_is_named_with_a_cure(tmp_path: Path, text: str) -> None:
    path = tmp_path / "final_ohlora_z_vector.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(IdentityError) as caught:
        read_identity(path)
    assert path.name in str(caught.value) and "내려받" in str(caught.value) and "\n" not in str(caught.value)


def test_missing_binary_and_folder(tmp_path: Path) -> None:
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"\xff\xfe\x00\x81")
    for path in (tmp_path / "none.csv", binary, tmp_path):
        with pytest.raises(IdentityError, match=path.name):
            read_identity(path)
