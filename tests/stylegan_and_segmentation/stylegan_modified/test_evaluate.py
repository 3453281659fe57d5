"""The generator's evaluation in the small: the table, the sheet, and what cannot be measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_and_segmentation.contact_sheet import IDENTITY_NAME
from stylegan_and_segmentation.identity_file import write_identity
from stylegan_and_segmentation.portrait.parsing import FaceClass
from stylegan_and_segmentation.segmentation.face_parser import FaceParser, ParserInput
from stylegan_and_segmentation.segmentation.parser_file import save_face_parser
from stylegan_and_segmentation.segmentation.property_net import PropertyNet, PropertyNetConfig
from stylegan_and_segmentation.segmentation.property_net_file import save_property_net
from stylegan_and_segmentation.segmentation.woman_net import WomanNet
from stylegan_and_segmentation.segmentation.woman_net_file import save_woman_net
from stylegan_and_segmentation.stylegan_modified import evaluate as evaluation
from stylegan_and_segmentation.stylegan_modified.evaluate import Correlations, Row, correlation_rows, end_labels, table
from stylegan_and_segmentation.stylegan_modified.generator import Generator, GeneratorConfig
from stylegan_and_segmentation.stylegan_modified.generator_file import save_generator
from tests.stylegan_and_segmentation.segmentation.test_parser_file import OUR_NAMES, network


@pytest.fixture
def models(tmp_path: Path) -> list[str]:
    """The options that name a tiny generator, parser, PropertyNet and WomanNet."""
    torch.manual_seed(0)
    size = GeneratorConfig(z_dim=8, w_dim=8, mapping_layers=1, fmap_base=256, fmap_max=4)
    save_generator(Generator(size), tmp_path / "face")
    write_identity(tmp_path / "face" / IDENTITY_NAME, np.zeros(8))
    save_face_parser(FaceParser(network(OUR_NAMES), list(FaceClass), ParserInput(64, 64)), tmp_path / "parser")
    save_property_net(PropertyNet(PropertyNetConfig(2, 3, 2)), tmp_path / "net")
    save_woman_net(WomanNet(PropertyNetConfig(2, 3, 2)), tmp_path / "woman")
    return ["--folder", str(tmp_path / "face"), "--parser", str(tmp_path / "parser"),
            "--property-net", str(tmp_path / "net"), "--woman-net", str(tmp_path / "woman")]  # fmt: skip


def test_table_and_sheet(
    models: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "draw_portraits", lambda labels, _: np.zeros((len(labels), 256, 256, 3), np.uint8))
    for name, value in (("LEARNED_WOMEN", 3), ("LEARNED_PICTURES", 2), ("COMPARED", 4)):
        monkeypatch.setattr(evaluation, name, value)
    monkeypatch.setattr(evaluation, "sharpness", lambda picture: 2.0 if picture.any() else 4.0)
    written, sheet = tmp_path / "figures.json", tmp_path / "ends.png"
    assert evaluation.main([*models, "--pictures", "4", "--json", str(written), "--sheet", str(sheet)]) == 0
    printed = capsys.readouterr().out
    assert "| eyes, PropertyNet |" in printed and "| nose_turn, 파싱 |" in printed
    rows = {row["name"]: row for row in json.loads(written.read_text(encoding="utf-8"))}
    assert len(rows) == 8 + 8 + 7 + 4 and all(np.isfinite(row["value"]) for row in rows.values())
    assert rows["또렷함, 초상화에 견준 비율"]["value"] == 0.5
    assert Image.open(sheet).size == (2560, 1536)


def test_missing_models_are_one_line(models: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("--folder", "--parser", "--property-net", "--woman-net"):
        assert evaluation.main([*models, option, str(tmp_path / "none")]) == 1
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1 and "none" in lines[0]


def test_ends_of_the_range() -> None:
    faces = end_labels()
    assert len(faces) == 60 and len(set(faces[:26])) == 26
    assert all({face.eyes, face.mouth, face.pose} & {-1.2, 3.6} for face in faces)
    assert all({face.eyes, face.mouth, face.pose} <= {-1.2, 3.6} for face in faces[:8])


def test_goals() -> None:
    ones = Correlations(np.full(8, 0.95), np.full(8, 0.95), np.full(7, 0.95))
    verdicts = {row.name: row.verdict for row in correlation_rows(ones, ones)}
    assert verdicts["eyes, 파싱"] == verdicts["nose_turn, 파싱"] == verdicts["pose, PropertyNet"] == "아니요"
    assert verdicts["hair_color, 파싱"] == "예" and verdicts["eyes, 파싱 (순위)"] == ""
    assert table([Row("x", 0.5, 0.5)]).splitlines()[-1] == "| x | 0.5000 |  | 0.5 | 예 |"
