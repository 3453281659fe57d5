"""The models, loaded in the background while the user types, and what is put together of them: companion and face.

Imports nothing heavy before it is needed. Knows neither keys nor the screen: what comes up is a notice to ask for.
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
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import Any

from final_product.commands import NAMED_EXPRESSIONS
from final_product.model_store import ModelFolder, Part, expression_folders

LOADING = "models"  # the name of the thread that loads them
_POLL_SECONDS = 0.1  # how soon Ctrl+C is noticed while models load


class Program:
    """What a session needs of the program, and a few things that ``run.py`` does with it."""

    def __init__(
        self, options: argparse.Namespace, models: dict[Part, ModelFolder], root: Path, environment: dict[str, str]
    ) -> None:
        """
        Args:
            options: of the command line.
            models: those to use.
            root: the checkout.
            environment: as the user set it, for programs that go over the network.
        """
        self.image: Path = options.image
        self.seed: int = options.seed if options.seed is not None else secrets.randbits(63)
        self._options = options
        self._models = models
        self._root = root
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
        self._language, self._retriever, self._expressions, self._painter, _ = in_background(
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
            return [f"얼굴 창을 열지 못했어요. {one_line(error)}"]
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
            lines += [model.describe(self._root), *(f"  ! {problem}" for problem in model.problems)]
        return lines

    def download(self) -> None:
        """Lets the user fetch the published models, in a program of its own."""
        out = sys.stderr if self._options.json else None
        process = subprocess.Popen(
            [sys.executable, str(self._root / "final_product" / "download.py")], env=self._environment, stdout=out
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

        return ExpressionReader.load(*expression_folders(self._root), self._embedded_encoder)

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
            self.tell(f"기억을 떠올리지 못해요. {one_line(error)}")
            retriever = None
        return retriever if retriever is not None else _Forgetful()

    def _expressions_or_none(self) -> Any:
        from llm.errors import LlmError

        try:
            return self._expressions.result()
        except (LlmError, RuntimeError, OSError, ImportError) as error:
            self.tell(f"표정은 규칙으로 지을게요. {one_line(error)}")
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
            tell=lambda error: self.tell(f"얼굴을 그리지 못했어요. {one_line(error)}"),
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


def in_background(*loads: Callable[[], Any]) -> list[Future]:
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


def one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
