"""Chats with Oh-LoRA: ``python final_product/run.py``.

Wiring and exit codes; the only script that touches ``sys.path``. Nothing heavy is imported before the prompt stands:
``program`` loads the models in the background while the user types.

Exit codes: 0 the chat ended, 1 the language model failed, a package is missing or ``--doctor`` found something, 2 wrong
arguments.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from final_product.chat_log import chats_folder  # noqa: E402
from final_product.commands import is_command  # noqa: E402
from final_product.display import Display, JsonDisplay, make_utf8, prepare_console  # noqa: E402
from final_product.input_line import LineSource, open_lines  # noqa: E402
from final_product.model_store import Part, find_models  # noqa: E402
from final_product.options import read_options  # noqa: E402
from final_product.program import Program, one_line  # noqa: E402
from final_product.session import Session  # noqa: E402
from final_product.terminal import WELCOME, chat, hear  # noqa: E402

VERSION = "0.1.0"
MEMORY_FILE = ROOT / "llm" / "memory_mechanism" / "saved_memory" / "ohlora_memory.txt"
IMAGE_FILE = ROOT / "final_product" / "ohlora.png"
_LANGUAGE_FAILED = 1


def main(argv: list[str] | None = None) -> int:
    make_utf8(sys.stdout, sys.stderr)
    options = read_options(argv, VERSION, MEMORY_FILE, IMAGE_FILE)
    prepare_console()
    if not sys.warnoptions:  # what libraries warn their callers of is nothing to the user
        warnings.simplefilter("ignore")
    try:
        return (_examine if options.doctor else _chat)(options, _display(options))
    except BrokenPipeError:  # whoever read the output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ModuleNotFoundError as error:
        print(f"필요한 패키지가 없어요 ({error.name}) - 먼저 pip install -r requirements.txt 를 실행해 주세요.")
        return _LANGUAGE_FAILED


def _examine(options: argparse.Namespace, display: Display) -> int:
    from final_product.doctor import report

    return 0 if report(VERSION, ROOT, options.memory, options.image, display.line) else 1


def _display(options: argparse.Namespace) -> Display:
    """The screen; plain also where the user's lines come from no terminal."""
    if options.json:
        return JsonDisplay(sys.stdout, sys.stderr)
    plain = options.plain or sys.stdin is None or not sys.stdin.isatty()
    if options.once and not is_command(options.once):
        return Display(sys.stdout, sys.stderr, plain)
    return Display(sys.stdout, plain=plain)


def _chat(options: argparse.Namespace, display: Display) -> int:
    environment = dict(os.environ)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing goes over the network while she chats
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    models = find_models(ROOT)
    if options.no_face:
        del models[Part.FACE]
    program = Program(options, models, ROOT, environment)
    for line in program.models():
        display.line(line)
    if models[Part.LANGUAGE].problems:
        display.line("언어 모델이 없으면 대화할 수 없어요. 위 파일을 채운 뒤 다시 시작해 주세요.")
        return _LANGUAGE_FAILED
    if options.show_face and not display.shows_pictures:
        display.line("(여기에는 그림을 보여 줄 수 없어요.)")
        options.show_face = False

    if options.window:
        for notice in program.open_window():
            display.line(f"({notice})")
    session = Session(program, display, chats_folder(), log=not options.no_log, show_face=options.show_face)
    lines = None if options.once else _open_lines(options)  # first: what the models import would hold it up
    program.load()
    status = 0
    try:
        if options.resume:
            session.resume()
        if lines is None:
            hear(options.once, display, session)
        else:
            if lines.echoes:
                display.line(WELCOME)
            chat(lines, display, session)
    except BrokenPipeError:
        raise
    except program.language_errors() as error:
        display.line(f"언어 모델에 문제가 생겨서 대화를 끝낼게요: {one_line(error)}")
        status = _LANGUAGE_FAILED
    with contextlib.suppress(KeyboardInterrupt):  # pressed again while the last picture is drawn: leave it
        program.finish()
    for notice in program.notices():
        display.line(notice)
    return status


def _open_lines(options: argparse.Namespace) -> LineSource:
    history = chats_folder().with_name("history")
    return open_lines(sys.stdin, sys.stdout, options.plain, history, keep=not options.no_log)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # Models that still load must not hold the exit up, and their threads cannot be stopped.
    os._exit(status)
