"""Trains a generator as the decoder of a conditional VAE: on the drawn portraits, or on labelled pictures.

    python -m stylegan_and_segmentation.stylegan_modified.train_generator --out runs/face --steps 4200
    python -m stylegan_and_segmentation.stylegan_modified.train_generator --out runs/face --resume
    python -m stylegan_and_segmentation.stylegan_modified.train_generator --out runs/face --export-only
    python -m stylegan_and_segmentation.stylegan_modified.train_generator --out runs/mine --labels MINE/labels.csv
    accelerate launch --num_processes 4 -m stylegan_and_segmentation.stylegan_modified.train_generator …

With --labels it learns from a user's own pictures, as label_images labels them. Through accelerate's launcher
several GPUs train together: each takes batches of its own, so a step learns from as many times more pictures.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from ..contact_sheet import EMBEDDED_FOLDER
from ..errors import FaceError
from ..label_file import read_labelled_pictures
from ..portrait.rendered_set import DEFAULT_FOLDER, render_set
from ..segmentation.property_net_file import EMBEDDED_PROPERTY_NET, load_property_net
from ..segmentation.woman_net_file import EMBEDDED_WOMAN_NET, load_woman_net
from ..training_run import run
from .generator import Generator, GeneratorConfig
from .generator_training import EMBEDDED_SIZE, GeneratorTraining, TrainingConfig
from .starting_point import live_features, loaded_generator, louder_z, widened_generator


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    defaults = TrainingConfig()
    parser = argparse.ArgumentParser(description="그린 초상화나 라벨을 매긴 그림으로 얼굴 생성 모델을 학습합니다.")
    parser.add_argument("--out", type=Path, required=True, help="체크포인트와 견본을 둘 폴더")
    parser.add_argument("--images", type=int, default=defaults.images, help="학습용 초상화 수")
    parser.add_argument("--portraits", type=Path, default=DEFAULT_FOLDER, help="그려 둔 초상화 폴더")
    parser.add_argument("--labels", type=Path, help="초상화 대신 배울 그림들의 라벨 파일 (label_images가 쓴 것)")
    parser.add_argument(
        "--property-net", type=Path, nargs="?", const=EMBEDDED_PROPERTY_NET, help="점수의 오차를 잴 속성 점수 모델 폴더"
    )
    parser.add_argument("--property-weight", type=float, default=defaults.property_weight, help="점수의 오차의 무게")
    parser.add_argument(
        "--woman-net", type=Path, nargs="?", const=EMBEDDED_WOMAN_NET, help="생김새의 오차를 잴 얼굴 임베딩 모델 폴더"
    )
    parser.add_argument("--looks-weight", type=float, default=defaults.looks_weight, help="생김새의 오차의 무게")
    parser.add_argument("--no-render", action="store_true", help="초상화를 더 그리지 않고 있는 것만 씁니다")
    parser.add_argument("--steps", type=int, default=defaults.steps)
    parser.add_argument("--batch", type=int, default=defaults.batch)
    parser.add_argument("--learning-rate", type=float, default=defaults.learning_rate)
    parser.add_argument("--gradient-weight", type=float, default=defaults.gradient_weight, help="윤곽의 차이의 무게")
    parser.add_argument("--texture-weight", type=float, default=defaults.texture_weight, help="잔무늬의 차이의 무게")
    parser.add_argument("--prior-weight", type=float, default=defaults.prior_weight, help="z를 N(0, 1)로 당기는 힘")
    parser.add_argument("--init", type=Path, help="이어서 배울 생성 모델 (폴더, 또는 공개 모델의 .pth 파일)")
    parser.add_argument("--grow", action="store_true", help="--init의 모델도 절반 크기에서 다시 자라게 합니다")
    parser.add_argument("--z-gain", type=float, default=1.0, help="--init의 모델이 z를 몇 배로 크게 들을지")
    parser.add_argument(
        "--fmap-base",
        type=int,
        help="생성 모델의 크기 (--init 모델보다 크면 그 모델을 넓힙니다)",
    )
    parser.add_argument("--fmap-max", type=int)
    parser.add_argument("--bf16", action="store_true", help="bfloat16으로 계산합니다 (AMX가 있는 CPU나 GPU)")
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--checkpoint-every", type=int, default=defaults.checkpoint_every)
    parser.add_argument("--device", default="cpu", help="cpu 또는 cuda (여러 장이면 accelerate launch 로)")
    parser.add_argument("--threads", type=int, default=1, help="CPU 스레드 수")
    parser.add_argument("--resume", action="store_true", help="체크포인트에서 이어서 학습합니다")
    parser.add_argument("--export", type=Path, nargs="?", const=EMBEDDED_FOLDER, help="학습이 끝나면 모델을 쓸 폴더")
    parser.add_argument("--export-only", action="store_true", help="학습하지 않고 체크포인트를 내보내기만 합니다")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    args = parse_arguments(arguments)
    try:
        _train(args)
    except FaceError as error:  # files that the user named
        sys.exit(str(error))


def _train(args: argparse.Namespace) -> None:
    if args.z_gain != 1.0 and not args.init:
        sys.exit("--z-gain 은 --init 으로 이어 배울 때만 쓸 수 있어요. 처음부터 배울 때는 빼 주세요.")
    if args.woman_net and args.labels:
        sys.exit(
            "--woman-net 은 초상화로 배울 때만 쓸 수 있어요. --labels 의 그림에는 생김새의 참값이 없으니 빼 주세요."
        )
    torch.set_num_threads(args.threads)
    accelerator = Accelerator(cpu=args.device == "cpu")
    if accelerator.device.type != torch.device(args.device).type:
        sys.exit(
            f"이 컴퓨터에서는 {args.device} 장치를 쓸 수 없어요: --device {accelerator.device.type} 로 학습해 주세요."
        )
    leads = accelerator.is_main_process  # the one process that writes and prints
    start = loaded_generator(args.init) if args.init else None
    size = start.config if start else EMBEDDED_SIZE
    asked = {"fmap_base": args.fmap_base, "fmap_max": args.fmap_max}
    size = GeneratorConfig(**{**asdict(size), **{name: value for name, value in asked.items() if value is not None}})
    if start and size != start.config:
        start = widened_generator(start, size)
    if start and args.z_gain != 1.0:
        start = louder_z(start, args.z_gain)
    pictures = read_labelled_pictures(args.labels, size.resolution) if args.labels else args.portraits
    property_net = load_property_net(args.property_net, accelerator.device) if args.property_net else None
    woman_net = load_woman_net(args.woman_net, accelerator.device) if args.woman_net else None
    config = TrainingConfig(
        images=len(pictures) if args.labels else args.images,
        steps=args.steps,
        batch=args.batch,
        learning_rate=args.learning_rate,
        gradient_weight=args.gradient_weight,
        texture_weight=args.texture_weight,
        prior_weight=args.prior_weight,
        property_weight=args.property_weight if property_net else 0.0,
        looks_weight=args.looks_weight if woman_net else 0.0,
        bf16=args.bf16,
        seed=args.seed,
        checkpoint_every=args.checkpoint_every,
        **_growth(args.grow, start),
    )
    text = json.dumps({"training": asdict(config), "generator": asdict(size)}, indent=2)
    if leads:
        args.out.mkdir(parents=True, exist_ok=True)
        print(text, flush=True)
        if not args.no_render and not args.labels and not args.export_only:
            render_set(args.portraits, args.images)
    accelerator.wait_for_everyone()
    training = GeneratorTraining(config, size, pictures, accelerator, property_net, start, woman_net)
    if args.resume or args.export_only:
        training.load(args.out)
    if not args.export_only:
        if leads:
            (args.out / "training.json").write_text(text + "\n", encoding="utf-8")
        run(training, args.out, "generator", leads)
    if leads and (args.export_only or args.export):
        folder = args.export or EMBEDDED_FOLDER
        print(json.dumps({"exported": str(folder), "step": training.step, **training.export(folder)}), flush=True)
    accelerator.wait_for_everyone()
    accelerator.end_training()


def _growth(grow: bool, start: Generator | None) -> dict[str, Any]:
    """Settings of a generator that goes on from another: it listens to as much of z as that one does.

    It does not grow again, unless it is told to; then it is not set back to the coarsest stage.
    """
    if start is None:
        return {}
    resolution = start.config.resolution
    growth = ((resolution // 2, 0.12), (resolution, 1.0)) if grow else ((resolution, 1.0),)
    return {"growth": growth, "live_z": live_features(start)}


if __name__ == "__main__":
    main()
