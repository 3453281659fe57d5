"""Chats with Oh-LoRA: ``python final_product/run.py``.

Wiring and exit codes; the only script that touches ``sys.path``. Nothing heavy is imported before the
prompt stands: the models load in the background while the user types.

Exit codes: 0 the chat ended, 1 the language model failed, a package is missing or ``--doctor`` found something, 2 wrong
arguments.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import queue
import secrets
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from final_product.chat_log import chats_folder  # noqa: E402
from final_product.commands import NAMED_EXPRESSIONS, is_command  # noqa: E402
from final_product.display import Display, JsonDisplay, make_utf8, prepare_console  # noqa: E402
from final_product.input_line import open_lines  # noqa: E402
from final_product.model_store import ModelFolder, Part, expression_folders, find_models  # noqa: E402
from final_product.options import read_options  # noqa: E402
from final_product.session import Session  # noqa: E402
from final_product.terminal import WELCOME, chat, hear  # noqa: E402

VERSION = "0.1.0"
MEMORY_FILE = ROOT / "llm" / "memory_mechanism" / "saved_memory" / "ohlora_memory.txt"
IMAGE_FILE = ROOT / "final_product" / "ohlora.png"
LOADING = "models"  # the name of the thread that loads them
_POLL_SECONDS = 0.1  # how soon Ctrl+C is noticed while models load
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
    program = _Program(options, models, environment)
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
    program.load()
    status = 0
    try:
        if options.resume:
            session.resume()
        if options.once:
            hear(options.once, display, session)
        else:
            history = chats_folder().with_name("history")
            lines = open_lines(sys.stdin, sys.stdout, options.plain, history, keep=not options.no_log)
            if lines.echoes:
                display.line(WELCOME)
            chat(lines, display, session)
    except BrokenPipeError:
        raise
    except program.language_errors() as error:
        display.line(f"언어 모델에 문제가 생겨서 대화를 끝낼게요: {_one_line(error)}")
        status = _LANGUAGE_FAILED
    with contextlib.suppress(KeyboardInterrupt):  # pressed again while the last picture is drawn: leave it
        program.finish()
    for notice in program.notices():
        display.line(notice)
    return status


class _Program:
    """Loads the models in the background and puts the companion together."""

    def __init__(
        self, options: argparse.Namespace, models: dict[Part, ModelFolder], environment: dict[str, str]
    ) -> None:
        """
        Args:
            options: of the command line.
            models: those to use.
            environment: as the user set it, for programs that go over the network.
        """
        self.image: Path = options.image
        self.seed: int = options.seed if options.seed is not None else secrets.randbits(63)
        self._options = options
        self._models = models
        self._environment = environment
        self._notices: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._companion: Any = None
        self._face: Any = None
        self._face_lock = threading.Lock()
        self._motion: Any = None
        self._window: Any = None
        # Serves the memories and the expressions; the published one the former alone.
        self._embedded_encoder: Any = None

    def load(self) -> None:
        """Begins to load the models and returns at once."""
        self._language, self._retriever, self._expressions, self._painter, _ = _in_background(
            self._load_language, self._load_retriever, self._load_expressions, self._load_painter, self._show_resting
        )

    def open_window(self) -> list[str]:
        """Opens a window for her face; returns what keeps it from opening."""
        from final_product.window_link import WindowLink, why_no_window, window_command

        if self._options.once or self._options.no_face:
            return [f"{'--once' if self._options.once else '--no-face'} 와 함께 쓰면 얼굴 창을 열지 않아요."]
        if reason := why_no_window(os.environ):
            return [reason]
        try:
            self._window = WindowLink(window_command(self.image), self.tell)
        except OSError as error:
            return [f"얼굴 창을 열지 못했어요. {_one_line(error)}"]
        return []

    @functools.cached_property
    def memory_file(self) -> Any:
        """Her memories, for the companion and for commands."""
        from llm.memory_mechanism.memory_file import MemoryFile

        return MemoryFile(self._options.memory)

    def companion(self, on_wait: Callable[[], None]) -> Any:
        """The companion; waits for its models, calling ``on_wait`` first if they are not ready."""
        if self._companion is None:
            self._wait(on_wait)
            import torch

            from final_product.companion import Companion

            self._companion = Companion(
                self._language.result(),
                self._retriever_or_none(),
                self.memory_file,
                self._request_face,
                torch.Generator().manual_seed(self.seed),
                expressions=self._expressions_or_none(),
            )
        return self._companion

    def models(self) -> list[str]:
        """Which models are used, and what is wrong with them."""
        lines = []
        for model in self._models.values():
            lines += [model.describe(ROOT), *(f"  ! {problem}" for problem in model.problems)]
        return lines

    def download(self) -> None:
        """Lets the user fetch the published models, in a program of its own."""
        out = sys.stderr if self._options.json else None
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "final_product" / "download.py")], env=self._environment, stdout=out
        )
        while process.poll() is None:
            with contextlib.suppress(KeyboardInterrupt):  # is that program's, which ends cleanly
                process.wait()

    def reseed(self, seed: int) -> None:
        """Begins all that is random anew."""
        self.seed = seed
        if self._companion is not None:
            self._companion.generator.manual_seed(seed)
        if self._face is not None:
            self._reseed_face()

    def draw(self, eyes: float, mouth: float, pose: float) -> bool:
        """Asks for a face; False where none is drawn."""
        from stylegan_and_segmentation.properties import PropertyScores

        return self._request_face(PropertyScores(eyes=eyes, mouth=mouth, pose=pose))

    def drawn(self) -> threading.Event:
        """Is set once every face asked for until now is on disk."""
        event = threading.Event()
        if self._face is None:
            event.set()
        else:
            self._face.then(event.set)
        return event

    def tell(self, notice: str) -> None:
        """Puts a notice among those that come up in the background."""
        self._notices.put(notice)

    def notices(self) -> list[str]:
        """What has come up in the background since the last call."""
        found = []
        while not self._notices.empty():
            found.append(f"({self._notices.get()})")
        return found

    def finish(self) -> None:
        """Waits until every picture is on disk, and closes the window."""
        if self._face is not None:
            self._face.finish()
        if self._window is not None:
            self._window.close()

    def language_errors(self) -> tuple[type[Exception], ...]:
        """What a failing language model raises, on loading or later."""
        from llm.errors import LlmError

        return (LlmError, RuntimeError, OSError, MemoryError, ImportError, ValueError)

    def _wait(self, on_wait: Callable[[], None]) -> None:
        waited = False
        for future in (self._language, self._retriever, self._expressions):
            while not future.done():
                if not waited:
                    on_wait()
                    waited = True
                try:
                    future.exception(timeout=_POLL_SECONDS)
                except FutureTimeoutError:
                    continue

    def _device(self) -> str:
        import torch

        from llm.errors import LlmError

        if self._options.device == "cuda" and not torch.cuda.is_available():
            raise LlmError(
                "이 컴퓨터의 PyTorch에서는 CUDA를 쓸 수 없어요. "
                "--device cpu 로 시작하거나 README의 CUDA 설치를 봐 주세요."
            )
        wanted = self._options.device
        return wanted if wanted != "auto" else ("cuda" if torch.cuda.is_available() else "cpu")

    def _load_language(self) -> Any:
        from llm.language_model import LanguageModel

        model = self._models[Part.LANGUAGE]
        return LanguageModel.load(model.folder, base=model.companion, device=self._device())

    def _load_retriever(self) -> Any:
        from llm.memory_mechanism.retriever import MemoryRetriever

        model = self._models[Part.RETRIEVER]
        if model.problems:
            return None
        retriever = MemoryRetriever.load(model.folder, device=self._device())
        if not model.published:
            self._embedded_encoder = retriever.encoder
        return retriever

    def _load_expressions(self) -> Any:
        model = self._models[Part.RETRIEVER]
        if model.problems and not model.published:
            return None  # it needs that one; what is missing was said at the start
        from llm.expressions.reader import ExpressionReader

        return ExpressionReader.load(*expression_folders(ROOT), self._embedded_encoder)

    def _load_painter(self) -> Any:
        model = self._models.get(Part.FACE)
        if model is None or model.problems:
            return None
        from stylegan_and_segmentation.painter import FacePainter

        return FacePainter.load(model.folder, model.companion, device=self._device())

    def _retriever_or_none(self) -> Any:
        from llm.errors import LlmError

        try:
            retriever = self._retriever.result()
        except (LlmError, RuntimeError, OSError, ImportError) as error:
            self.tell(f"기억을 떠올리지 못해요. {_one_line(error)}")
            retriever = None
        return retriever if retriever is not None else _Forgetful()

    def _expressions_or_none(self) -> Any:
        from llm.errors import LlmError

        try:
            return self._expressions.result()
        except (LlmError, RuntimeError, OSError, ImportError) as error:
            self.tell(f"표정은 규칙으로 지을게요. {_one_line(error)}")
            return None

    def _reseed_face(self) -> None:
        seed = self.seed
        self._face.then(lambda: self._painter.result().reseed(seed))

    def _request_face(self, scores: Any) -> bool:
        """Asks for a picture and returns at once; False where none is drawn."""
        if not self._draws:
            return False
        with self._face_lock:
            if self._face is None:
                self._begin_face()
        self._face.request(scores)
        return True

    @property
    def _draws(self) -> bool:
        model = self._models.get(Part.FACE)
        return model is not None and not model.problems

    def _begin_face(self) -> None:
        from final_product.face_worker import FaceWorker

        self._face = FaceWorker(
            paint=self._paint,
            write=self._show,
            tell=lambda error: self.tell(f"얼굴을 그리지 못했어요. {_one_line(error)}"),
        )
        self._reseed_face()

    def _show_resting(self) -> None:
        """Lets a window show her before anything is said; the pictures to come are those that come without it."""
        if self._window is None or not self._draws or self._painter.exception():
            return
        from stylegan_and_segmentation.properties import PropertyScores

        eyes, mouth, pose = NAMED_EXPRESSIONS["평온"]

        def rest() -> None:
            self._show(self._paint(PropertyScores(eyes=eyes, mouth=mouth, pose=pose)))
            self._painter.result().reseed(self.seed)

        with self._face_lock:
            if self._face is None:
                self._begin_face()
                self._face.then(rest)

    def _paint(self, scores: Any) -> tuple[Any, Any]:
        painter = self._painter.result()
        look = painter.look(scores)
        return look, painter.draw(look)

    def _show(self, painted: tuple[Any, Any]) -> None:
        from stylegan_and_segmentation.image_file import write_image

        look, picture = painted
        write_image(self.image, picture)
        if self._window is not None:
            if self._motion is None:
                from final_product.face_motion import FaceMotion

                self._motion = FaceMotion(self._window.show, hurry=lambda: self._face.waiting)
            self._motion.move_to(look, picture, self._painter.result())


class _Forgetful:
    """Stands where a retriever could not be loaded: nothing is recalled."""

    def best(self, prompt: str, memories: Any, suits: Any) -> None:
        return None


def _in_background(*loads: Callable[[], Any]) -> list[Future]:
    """The result of each of ``loads``, which are done one after the other.

    Not side by side: threads that import the same library at once can meet it half made, and transformers changes
    classes and PyTorch's default dtype for all threads while it loads. The one thread is a daemon: leaving the program
    never waits for a model.
    """
    futures: list[Future] = [Future() for _ in loads]

    def work() -> None:
        for load, future in zip(loads, futures, strict=True):
            try:
                future.set_result(load())
            except BaseException as error:
                future.set_exception(error)

    threading.Thread(target=work, name=LOADING, daemon=True).start()
    return futures


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # Models that still load must not hold the exit up, and their threads cannot be stopped.
    os._exit(status)
