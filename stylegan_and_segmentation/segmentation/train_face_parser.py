"""Trains the embedded face parser, a small SegFormer, on drawn portraits and their parsing maps.

    python -m stylegan_and_segmentation.segmentation.train_face_parser --out runs/face_parser --export FOLDER

The loss is cross entropy, with more weight on rare classes, and the Dice loss, which counts every class alike, as
the mean IoU does. With the parser, the means and deviations of the portraits' scores are written.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import SegformerConfig, SegformerForSemanticSegmentation

from ..portrait.parsing import FaceClass
from ..portrait.rendered_set import RenderedSet
from .face_parser import FaceParser, ParserInput
from .parser_file import save_face_parser
from .portrait_training import PortraitTraining, TrainingConfig, argument_parser, carry_out, prepare
from .property_scores import measure_face
from .score_statistics import STATISTICS_FILE, ScoreStatistics

DEFAULTS = TrainingConfig(images=300, held_out=100, steps=900, batch=4, learning_rate=3e-3, checkpoint_every=100)
WANTED = ParserInput(256, 256, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
EVALUATION_BATCH = 10


def network_config(hidden_sizes: list[int], decoder: int, stride: int) -> SegformerConfig:
    """The size of a small SegFormer for the eleven classes.

    Args:
        hidden_sizes: channels of the four stages.
        decoder: channels of the decoder.
        stride: of the first stage; 2 keeps fine features such as eyelids, 4 is usual and four times as fast.
    """
    names = {int(kind): kind.name.lower() for kind in FaceClass}
    return SegformerConfig(
        hidden_sizes=hidden_sizes,
        depths=[1, 1, 2, 2],
        num_attention_heads=[1, 2, 4, 4],
        sr_ratios=[8, 4, 2, 1],
        mlp_ratios=[2, 2, 2, 2],
        strides=[stride, 2, 2, 2],
        patch_sizes=[2 * stride - 1, 3, 3, 3],
        decoder_hidden_size=decoder,
        drop_path_rate=0.0,
        classifier_dropout_prob=0.0,
        id2label=names,
        label2id={name: index for index, name in names.items()},
    )


def confusion(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Pixels by wanted and found class, int64, (11, 11)."""
    classes = len(FaceClass)
    pairs = wanted.astype(np.int64).ravel() * classes + found.ravel()
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def intersection_over_union(counts: np.ndarray) -> np.ndarray:
    """IoU of each class over all pixels counted, float64, (11,); nan of a class that is neither wanted nor found."""
    hit = np.diagonal(counts).astype(np.float64)
    union = counts.sum(axis=0) + counts.sum(axis=1) - hit
    return np.divide(hit, union, out=np.full(len(hit), np.nan), where=union > 0)


class FaceParserTraining(PortraitTraining):
    """Learns parsing maps from pictures."""

    network: SegformerForSemanticSegmentation

    def __init__(self, network: SegformerForSemanticSegmentation, *arguments: object) -> None:
        super().__init__(network, *arguments)
        counts = np.bincount(self.learned.parsing_maps.ravel(), minlength=len(FaceClass))
        shares = np.maximum(counts / counts.sum(), 1e-5)
        weights = shares**-0.25
        self.weights = torch.tensor(weights / weights.mean(), dtype=torch.float32, device=self.device)

    def parser(self) -> FaceParser:
        """The network as a parser."""
        return FaceParser(self.network.eval(), list(FaceClass), WANTED)

    def loss(self, portraits: RenderedSet) -> Tensor:
        rgb = torch.from_numpy(portraits.rgb).to(self.device)
        wanted = torch.from_numpy(portraits.parsing_maps).to(self.device).long()
        pixels = WANTED.pixels(rgb)
        pixels = pixels + 0.04 * torch.randn(pixels.shape, generator=self.random).to(self.device)
        logits = self.network(pixel_values=pixels).logits.float()
        logits = F.interpolate(logits, wanted.shape[1:], mode="bilinear", align_corners=False)
        cross_entropy = F.cross_entropy(logits, wanted, weight=self.weights)
        shares, truth = logits.softmax(dim=1), F.one_hot(wanted, len(FaceClass)).movedim(-1, 1).float()
        both = (shares * truth).sum(dim=(0, 2, 3))
        dice = (2.0 * both + 1.0) / (shares.sum(dim=(0, 2, 3)) + truth.sum(dim=(0, 2, 3)) + 1.0)
        return cross_entropy + (1.0 - dice).mean()

    def evaluate(self) -> dict[str, float]:
        """Mean IoU, and the IoU of each class, over all pixels of the held-out portraits."""
        parser, counts = self.parser(), np.zeros((len(FaceClass),) * 2, np.int64)
        for start in range(0, len(self.held_out), EVALUATION_BATCH):
            rows = slice(start, start + EVALUATION_BATCH)
            counts += confusion(parser.parse_batch(self.held_out.rgb[rows]), self.held_out.parsing_maps[rows])
        values = intersection_over_union(counts)
        figures = {"mean_iou": round(float(np.nanmean(values)), 4)}
        return figures | {kind.name.lower(): round(float(values[kind]), 4) for kind in FaceClass}

    def export(self, folder: Path) -> None:
        """Writes the parser and, beside its folder, the statistics of the portraits' scores by their true maps."""
        save_face_parser(self.parser(), folder)
        self.write_statistics(folder)

    def write_statistics(self, folder: Path) -> None:
        """Writes the statistics alone: they change with the portraits even where the parser still reads them well."""
        measures = [
            measure_face(rgb, parsing_map).vector()
            for rgb, parsing_map in zip(self.learned.rgb, self.learned.parsing_maps, strict=True)
        ]
        statistics = ScoreStatistics.of_labelled(np.stack(measures), self.learned.labels)
        statistics.save(Path(folder).parent / STATISTICS_FILE)


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argument_parser("그린 초상화로 내장 얼굴 파싱 모델을 학습합니다.", DEFAULTS)
    parser.add_argument("--hidden-sizes", type=int, nargs=4, default=[16, 24, 48, 64], help="네 단계의 채널 수")
    parser.add_argument("--decoder", type=int, default=32, help="디코더의 채널 수")
    parser.add_argument("--statistics-only", action="store_true", help="학습하지 않고 점수의 통계만 --export 에 씁니다")
    parser.add_argument("--stride", type=int, choices=(2, 4), default=2, help="첫 단계가 그림을 줄이는 배수")
    args = parser.parse_args(arguments)
    if args.statistics_only and not args.export:
        parser.error("--statistics-only 에는 --export 폴더가 있어야 해요.")
    return args


def main(arguments: list[str] | None = None) -> None:
    args = parse_arguments(arguments)
    size = {"hidden_sizes": args.hidden_sizes, "decoder": args.decoder, "stride": args.stride}
    config = prepare(args, size)
    network = SegformerForSemanticSegmentation(network_config(**size))
    training = FaceParserTraining(network, config, args.portraits, torch.device(args.device))
    if args.statistics_only:
        training.write_statistics(args.export)
    else:
        carry_out(training, args)


if __name__ == "__main__":
    main()
