"""The options of ``run.py``: what there is, read in Korean, and one Korean line where one is wrong."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from final_product.session import MAX_SEED

_ROOT = Path(__file__).resolve().parent.parent


def read_options(argv: list[str] | None, version: str, memory: Path, image: Path) -> argparse.Namespace:
    """The options of a command line; leaves the program where they are wrong (exit code 2) or answered already (0).

    Args:
        argv: the command line without the program's name; that of this process by default.
        version: of the program.
        memory: the memory file, unless another one is named.
        image: the picture, unless another one is named.
    """
    parser = _KoreanParser(
        prog="python final_product/run.py",
        description="오로라(Oh-LoRA)와 한국어로 대화해요. Ctrl+C 를 누르면 끝나요.",
        formatter_class=_KoreanHelp,
        add_help=False,
        allow_abbrev=False,
        exit_on_error=False,
    )
    group = parser.add_argument_group("옵션")
    group.add_argument("-h", "--help", action="help", help="이 도움말을 보여 주고 끝내요")
    group.add_argument("--version", action="version", version=f"Oh-LoRA {version}", help="버전을 보여 주고 끝내요")
    group.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="모델을 돌릴 장치 (기본: auto, CUDA가 있으면 CUDA)",
    )
    group.add_argument(
        "--memory", type=Path, default=memory, metavar="FILE", help=f"기억 파일 (기본: {_shown(memory)})"
    )
    group.add_argument(
        "--image", type=Path, default=image, metavar="FILE", help=f"얼굴 그림 파일 (기본: {_shown(image)})"
    )
    group.add_argument("--seed", type=_seed, metavar="N", help="같은 수를 주면 같은 대화가 되풀이돼요")
    group.add_argument("--no-face", action="store_true", help="얼굴을 그리지 않아요")
    group.add_argument("--show-face", action="store_true", help="답할 때마다 얼굴을 터미널에 보여 줘요")
    group.add_argument(
        "--window", action="store_true", help="얼굴을 따로 창에 띄워요. 표정이 이어서 바뀌고 눈을 깜박여요"
    )
    group.add_argument("--continue", action="store_true", dest="resume", help="지난 대화를 이어서 해요")
    group.add_argument("--no-log", action="store_true", help="이 대화를 적어 두지 않아요")
    group.add_argument("--once", type=_sentence, metavar="문장", help="이 말에 한 번만 답하고 끝내요")
    group.add_argument("--json", action="store_true", help="말마다 JSON 하나를 내보내요 (다른 것은 표준 오류로)")
    group.add_argument("--plain", action="store_true", help="색과 그림, 줄 편집 없이 글자만 써요")
    group.add_argument("--doctor", action="store_true", help="이 컴퓨터에서 잘 돌아갈지 살펴보고 끝내요")
    return parser.parse_args(argv)


def _shown(path: Path) -> str:
    """A path as the user guide has it: the checkout's folder says nothing."""
    return (path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else path).as_posix().replace("%", "%%")


def _seed(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = -1
    if not 0 <= value <= MAX_SEED:
        raise argparse.ArgumentTypeError(text)
    return value


def _sentence(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError(text)
    return text


_CURES = {_seed: "0 이상의 정수를 써 주세요", _sentence: "할 말을 써 주세요"}


class _KoreanHelp(argparse.HelpFormatter):
    def add_usage(self, usage, actions, groups, prefix=None):  # type: ignore[no-untyped-def]
        super().add_usage(usage, actions, groups, "사용법: " if prefix is None else prefix)


class _KoreanParser(argparse.ArgumentParser):
    """Says in one Korean line which option is wrong; argparse's own messages are English."""

    def parse_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        try:
            options, unknown = self.parse_known_args(args, namespace)
        except argparse.ArgumentError as error:
            self._refuse(f"{error.argument_name} - {self._cure(error)}")
        if unknown:
            self._refuse(f"{' '.join(unknown)} - 그런 옵션은 없어요")
        return options

    def error(self, message: str):  # type: ignore[no-untyped-def]
        self._refuse(message)

    def _cure(self, error: argparse.ArgumentError) -> str:
        option = next(a for a in self._actions if "/".join(a.option_strings) == error.argument_name)
        if option.nargs == 0:
            return "값 없이 써 주세요"
        if option.choices:
            return f"{', '.join(option.choices)} 가운데 하나를 써 주세요"
        return _CURES.get(option.type, "파일 이름을 써 주세요")

    def _refuse(self, reason: str) -> NoReturn:
        self.exit(2, f"잘못된 옵션이에요: {reason}. 쓸 수 있는 옵션은 --help 로 볼 수 있어요.\n")
