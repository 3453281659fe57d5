"""Measures a generator: does it draw what is requested, sharply, and always the same woman?

    python -m stylegan_and_segmentation.stylegan_modified.evaluate --sheet ends.png

Pictures are drawn as the chat draws them, from her z with noise, but with random labels. The drawn portraits of the
same labels show what the measures themselves can reach. Needs skia, as training does.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from ..contact_sheet import EMBEDDED_FOLDER, IDENTITY_NAME
from ..errors import FaceError
from ..figures import correlation, psnr, rank_correlation, sharpness
from ..identity_file import read_identity
from ..painter import FacePainter
from ..properties import PROPERTY_NAMES, PropertyScores
from ..segmentation.face_parser import FaceParser
from ..segmentation.parser_file import EMBEDDED_PARSER, load_face_parser
from ..segmentation.property_net import PropertyNet
from ..segmentation.property_net_file import EMBEDDED_PROPERTY_NET, load_property_net
from ..segmentation.property_scores import MEASURE_NAMES, measure_face
from ..segmentation.same_woman import WomanMetric, face_features, separation
from ..segmentation.woman_net import WomanNet, looks
from ..segmentation.woman_net_file import EMBEDDED_WOMAN_NET, load_woman_net
from .generator import Generator
from .generator_file import load_generator

BATCH = 10
EVALUATION_SEED = 424242  # its labels are those of no training set
POSE = PROPERTY_NAMES.index("pose")
GOALS = {"eyes": 0.97, "mouth": 0.97, "pose": 0.97}  # of the correlations; 0.90 for the others
OTHER_GOAL = 0.90
PSNR_GOAL, SHARPNESS_GOAL, SEPARATION_GOAL = 27.0, 0.8, 0.99
ENDS = (-1.2, 1.2, 3.6)  # of the chat's range, and its middle
SHEET_ROWS, SHEET_COLUMNS = 6, 10
LEARNED_WOMEN, LEARNED_PICTURES = 40, 10  # that the metric of women is learned from
COMPARED = 100  # pictures of her, and other women, that it is tried on


@dataclass(frozen=True)
class Row:
    """One figure of the table."""

    name: str
    value: float  # of the generator
    goal: float | None = None  # at least this
    portraits: float | None = None  # the same of the drawn portraits

    @property
    def verdict(self) -> str:
        """Whether the goal is reached."""
        return "" if self.goal is None else "예" if self.value >= self.goal else "아니요"


@dataclass(frozen=True)
class Correlations:
    """Requested against measured, each (8,) for the parsing's measures or (7,) for the PropertyNet's scores."""

    parsing: np.ndarray
    parsing_ranks: np.ndarray
    network: np.ndarray


def random_labels(count: int, random: np.random.Generator) -> np.ndarray:
    """Labels as the generator learns them, float32 (count, 7)."""
    from ..portrait.rendered_set import draw_labels

    return draw_labels(count, random)


def correlations(pictures: np.ndarray, labels: np.ndarray, parser: FaceParser, network: PropertyNet) -> Correlations:
    """What is measured on pictures, uint8 (N, 256, 256, 3), against their labels (N, 7)."""
    measures, scores = [], []
    device = next(network.parameters()).device
    for start in tqdm(range(0, len(pictures), BATCH), desc="measuring", unit="batch"):
        batch = pictures[start : start + BATCH]
        maps = parser.parse_batch(batch)
        measures += [measure_face(rgb, parsing_map).vector() for rgb, parsing_map in zip(batch, maps, strict=True)]
        with torch.inference_mode():
            images = torch.from_numpy(batch).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1.0
            scores.append(network(images).cpu().numpy())
    measured, read = np.stack(measures), np.concatenate(scores)
    wanted = labels[:, [*range(len(PROPERTY_NAMES)), POSE]]  # nose_turn measures the pose as well
    return Correlations(
        parsing=np.array([correlation(*pair) for pair in zip(measured.T, wanted.T, strict=True)]),
        parsing_ranks=np.array([rank_correlation(*pair) for pair in zip(measured.T, wanted.T, strict=True)]),
        network=np.array([correlation(*pair) for pair in zip(read.T, labels.T, strict=True)]),
    )


def end_labels() -> list[PropertyScores]:
    """Sixty labels at the ends of the chat's range: corners first, then edges and sides, then most of them again."""
    values = sorted(itertools.product(ENDS, repeat=3), key=lambda triple: triple.count(ENDS[1]))
    faces = [PropertyScores(eyes=eyes, mouth=mouth, pose=pose) for eyes, mouth, pose in values]
    faces.pop()  # the middle of all three
    return list(itertools.islice(itertools.cycle(faces), SHEET_ROWS * SHEET_COLUMNS))


def sheet(pictures: list[np.ndarray]) -> np.ndarray:
    """Sixty pictures side by side, in ten columns."""
    rows = [pictures[start : start + SHEET_COLUMNS] for start in range(0, len(pictures), SHEET_COLUMNS)]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows], axis=0)


def draw_women(generator: Generator, women: int, pictures: int, random: np.random.Generator) -> np.ndarray:
    """Pictures of random other women, uint8 (women * pictures, r, r, 3), a woman's one after the other.

    Each has a z of her own, as hers is one, with the chat's noise; every picture has another random label.
    """
    drawn = []
    for _ in tqdm(range(women), desc="other women", unit="woman"):
        z = random.standard_normal(generator.config.z_dim).astype(np.float32)
        noise = torch.Generator().manual_seed(int(random.integers(2**31)))
        painter = FacePainter(generator, z, random=noise)
        drawn += [painter.paint(PropertyScores.from_label(label)) for label in random_labels(pictures, random)]
    return np.stack(drawn)


def same_woman(
    generator: Generator, hers: np.ndarray, woman_net: WomanNet, parser: FaceParser, random: np.random.Generator
) -> tuple[float, float]:
    """How often two of her pictures (N, r, r, 3) are nearer to each other than the first is to another woman's, 0..1.

    Returns:
        by the face embedding, and by the FaceParser's features. The latter's metric is learned from women that are
        not among those compared, and not from her; the embedding has seen drawn portraits alone.
    """
    hers, others = hers[:COMPARED], draw_women(generator, COMPARED, 1, random)
    learned = _features(parser, draw_women(generator, LEARNED_WOMEN, LEARNED_PICTURES, random))
    metric = WomanMetric.learn(learned.reshape(LEARNED_WOMEN, LEARNED_PICTURES, -1))
    by_features = (metric.place(_features(parser, pictures)) for pictures in (hers, others))
    return separation(looks(woman_net, hers), looks(woman_net, others)), separation(*by_features)


def _features(parser: FaceParser, pictures: np.ndarray) -> np.ndarray:
    batches = range(0, len(pictures), BATCH)
    return np.concatenate([face_features(parser, pictures[start : start + BATCH]) for start in batches])


def draw_portraits(labels: np.ndarray, supersampling: int) -> np.ndarray:
    """The drawn portraits of labels (N, 7), without variation: uint8, (N, 256, 256, 3)."""
    from ..portrait.drawing import draw_portrait  # skia only where portraits are drawn

    return np.stack(
        [
            draw_portrait(PropertyScores.from_label(label), supersampling=supersampling).rgb
            for label in tqdm(labels, desc="portraits", unit="picture")
        ]
    )


def evaluate(
    generator: Generator,
    identity: np.ndarray,
    parser: FaceParser,
    network: PropertyNet,
    woman_net: WomanNet,
    pictures: int = 500,
    seed: int = 0,
    supersampling: int = 3,
) -> list[Row]:
    """All figures of a generator.

    Args:
        generator: draws 256 x 256 pictures.
        identity: her z.
        parser: the face parser to measure with.
        network: the PropertyNet to measure with.
        woman_net: the face embedding to measure with.
        pictures: how many random labels and noises.
        seed: of labels, noises and other women; one that no training uses.
        supersampling: of the portraits that she is compared with; that of the training.
    """
    random = np.random.default_rng([EVALUATION_SEED, seed])
    labels = random_labels(pictures, random)
    painter = FacePainter(generator, identity, random=torch.Generator().manual_seed(seed))
    drawn = np.stack(
        [painter.paint(PropertyScores.from_label(label)) for label in tqdm(labels, desc="pictures", unit="picture")]
    )
    portraits = draw_portraits(labels, supersampling)
    rows = correlation_rows(
        correlations(drawn, labels, parser, network), correlations(portraits, labels, parser, network)
    )
    nearness = float(np.mean([psnr(*pair) for pair in zip(drawn, portraits, strict=True)]))
    sharp = float(np.mean([sharpness(picture) for picture in drawn]))
    wanted = float(np.mean([sharpness(portrait) for portrait in portraits]))
    rows.append(Row("PSNR (dB)", nearness, PSNR_GOAL))
    rows.append(Row("또렷함, 초상화에 견준 비율", sharp / wanted, SHARPNESS_GOAL))
    embedded, by_features = same_woman(generator, drawn, woman_net, parser, random)
    rows.append(Row("같은 사람, 얼굴 임베딩 (WomanNet)", embedded, SEPARATION_GOAL))
    rows.append(Row("같은 사람, FaceParser의 특징", by_features))
    return rows


def correlation_rows(drawn: Correlations, portraits: Correlations) -> list[Row]:
    """Each property's correlations, the generator's and, for comparison, the portraits' own."""
    rows = []
    for column, name in enumerate(MEASURE_NAMES):
        goal = GOALS.get(name, GOALS["pose"] if name == "nose_turn" else OTHER_GOAL)
        rows.append(Row(f"{name}, 파싱", drawn.parsing[column], goal, portraits.parsing[column]))
        ranks = drawn.parsing_ranks[column], None, portraits.parsing_ranks[column]
        rows.append(Row(f"{name}, 파싱 (순위)", *ranks))
    for column, name in enumerate(PROPERTY_NAMES):
        goal = GOALS.get(name, OTHER_GOAL)
        rows.append(Row(f"{name}, PropertyNet", drawn.network[column], goal, portraits.network[column]))
    return rows


def table(rows: list[Row]) -> str:
    """The figures as a Markdown table."""
    lines = ["| 항목 | 생성 모델 | 초상화 | 목표 | 도달 |", "|---|---|---|---|---|"]
    for row in rows:
        portraits = "" if row.portraits is None else f"{row.portraits:.4f}"
        goal = "" if row.goal is None else f"{row.goal:g}"
        lines.append(f"| {row.name} | {row.value:.4f} | {portraits} | {goal} | {row.verdict} |")
    return "\n".join(lines)


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="얼굴 생성 모델이 요청한 대로, 또렷하게, 같은 사람을 그리는지 잽니다.")
    parser.add_argument("--folder", type=Path, default=EMBEDDED_FOLDER, help="생성 모델 폴더")
    parser.add_argument("--identity", type=Path, help=f"얼굴 벡터 CSV (기본: 모델 폴더의 {IDENTITY_NAME})")
    parser.add_argument("--parser", type=Path, default=EMBEDDED_PARSER, help="얼굴 파싱 모델 폴더")
    parser.add_argument("--property-net", type=Path, default=EMBEDDED_PROPERTY_NET, help="속성 점수 모델 폴더")
    parser.add_argument("--woman-net", type=Path, default=EMBEDDED_WOMAN_NET, help="얼굴 임베딩 모델 폴더")
    parser.add_argument("--pictures", type=int, default=500, help="그려 볼 그림 수")
    parser.add_argument("--supersampling", type=int, default=3, help="비교할 초상화를 몇 배로 크게 그려 줄일지")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sheet", type=Path, help="범위의 끝에 있는 표정 60장을 모아 그릴 파일")
    parser.add_argument("--sheet-only", action="store_true", help="60장만 그립니다")
    parser.add_argument("--json", type=Path, help="수치를 쓸 JSON 파일")
    parser.add_argument("--device", default="cpu", help="cpu 또는 cuda")
    parser.add_argument("--threads", type=int, default=1, help="CPU 스레드 수")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    args = parse_arguments(arguments)
    torch.set_num_threads(args.threads)
    try:
        generator = load_generator(args.folder, args.device)
        identity = read_identity(args.identity or args.folder / IDENTITY_NAME, generator.config.z_dim)
        if args.sheet:
            painter = FacePainter(generator, identity, random=torch.Generator().manual_seed(args.seed))
            Image.fromarray(sheet([painter.paint(scores) for scores in end_labels()])).save(args.sheet)
        if args.sheet_only:
            return 0
        parser = load_face_parser(args.parser, args.device)
        network = load_property_net(args.property_net, args.device)
        woman_net = load_woman_net(args.woman_net, args.device)
    except FaceError as error:
        print(error, file=sys.stderr)
        return 1
    rows = evaluate(generator, identity, parser, network, woman_net, args.pictures, args.seed, args.supersampling)
    print(table(rows))
    if args.json:
        args.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
