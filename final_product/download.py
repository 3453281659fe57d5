"""Brings the published models to their folders: ``python final_product/download.py``.

Arguments, what is shown and exit codes; which files are missing and bringing them in is ``download_plan``'s.

Exit codes: 0 all is there, 1 something is missing or broken (``--check``), or the user declined, 2 wrong arguments,
3 no connection, 4 refused or not found, 5 wrong content, 6 the disk, 130 interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from final_product.display import make_utf8, prepare_console  # noqa: E402
from final_product.model_store import SOURCES  # noqa: E402

if TYPE_CHECKING:
    from final_product.download_plan import Plan
    from final_product.remote_files import DownloadError, Patience

COMMAND = "python final_product/download.py"
_NOTE_SECONDS = 10.0  # between two lines of progress where there is no terminal
_INCOMPLETE, _WRONG_ARGUMENTS, _INTERRUPTED = 1, 2, 130


def main(
    argv: list[str] | None = None,
    *,
    root: Path = ROOT,
    patience: Patience | None = None,
    endpoint: str | None = None,
    github: str | None = None,
    free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
) -> int:
    """Runs the program and returns its exit code.

    Args:
        argv: the options; the command line's by default.
        root: the checkout.
        patience: how long to wait for the servers.
        endpoint: the hub's address; HF_ENDPOINT by default.
        github: the address of GitHub's API.
        free_bytes: how much room the disk of a folder has.
    """
    make_utf8(sys.stdout, sys.stderr)
    options = _parse(argv)
    prepare_console()
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        from huggingface_hub.utils import logging

        from final_product.download_plan import alone, bring, check_room, fetchable
        from final_product.remote_files import GITHUB_API, DownloadError, Patience

        screen = _Terminal(sys.stdout) if sys.stdout.isatty() else _Plain(sys.stdout)
    except ImportError as error:
        print(f"필요한 패키지가 없어요 ({error.name}) - 먼저 pip install -r requirements.txt 를 실행해 주세요.")
        return _INCOMPLETE

    logging.set_verbosity_error()  # the hub's advice to programmers is nothing to the user
    patience = patience or Patience()
    try:
        plans, errors = _look(screen, root, patience, endpoint, github or GITHUB_API)
        if options.check:
            return _report(plans, errors, screen)
        todo = fetchable(plans)
        if todo:
            if not options.yes and not screen.agrees():
                screen.line("받지 않고 끝낼게요.")
                return _INCOMPLETE
            with alone(root):
                check_room(todo, root, free_bytes)
                errors += bring(todo, screen, root, patience)
    except DownloadError as error:
        screen.line(f"✗ {error}")
        return error.exit_code
    except KeyboardInterrupt:
        screen.line(f"여기서 멈출게요. 다시 실행하면 받던 곳부터 이어 받아요: {COMMAND}")
        return _INTERRUPTED
    if errors:
        return errors[0].exit_code
    screen.line("공개 모델이 모두 있어요. 다음에 시작할 때부터 써요: python final_product/run.py")
    return 0


def _look(
    screen: _Plain, root: Path, patience: Patience, endpoint: str | None, github: str
) -> tuple[list[Plan], list[DownloadError]]:
    """Asks every repository, shows what was found, and returns it with what went wrong."""
    from final_product.download_plan import list_source, make_plan, size_text
    from final_product.remote_files import DownloadError, NetworkError

    screen.line("저장소에 있는 것과 비교하는 중이에요…")
    plans: list[Plan] = []
    errors: list[DownloadError] = []
    unreachable: set[str] = set()
    rows = []
    for source in SOURCES:
        place, licence = f"{source.hub} {source.repository}", source.licence
        state, size = ("파일이 없음" if source.problems(root) else "? 있지만 확인하지 못함"), "?"
        if source.hub not in unreachable:
            try:
                plan = make_plan(source, list_source(source, patience, endpoint, github), root)
            except DownloadError as error:
                errors.append(error)
                if isinstance(error, NetworkError):
                    unreachable.add(source.hub)
            else:
                plans.append(plan)
                state = f"받을 파일 {len(plan.bad)}개" if plan.bad else "✓ 있음"
                size = size_text(plan.bytes or sum(file.size for file in plan.files))
                licence = plan.licence
        rows.append((source.title, state, size, place, licence or "저장소 참고"))
    screen.table(("모델", "상태", "크기", "출처", "라이선스"), rows)
    for error in errors:
        screen.line(f"✗ {error}")
    return plans, errors


def _report(plans: list[Plan], errors: list[DownloadError], screen: _Plain) -> int:
    """What ``--check`` says."""
    for plan in plans:
        for file, fault in plan.bad.items():
            screen.line(f"✗ {plan.source.folder}/{file.name}: {fault}")
    if any(plan.bad for plan in plans):
        screen.line(f"{COMMAND} 를 실행하면 위 파일만 받아요.")
    if errors:
        return errors[0].exit_code
    if any(plan.bad for plan in plans):
        return _INCOMPLETE
    screen.line("공개 모델이 모두 있고, 크기와 해시가 저장소의 것과 같아요.")
    return 0


class _Plain:
    """Lines for a pipe or a file; asks nothing."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def line(self, text: str) -> None:
        print(text, file=self._out, flush=True)

    def table(self, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
        for row in rows:
            self.line(" | ".join(row))

    def agrees(self) -> bool:
        return True

    @contextlib.contextmanager
    def progress(self, label: str, total: int) -> Iterator[Callable[[int], None]]:
        told = time.monotonic()

        def on_progress(done: int) -> None:
            nonlocal told
            if time.monotonic() - told >= _NOTE_SECONDS:
                told = time.monotonic()
                self.line(f"  {label}: {done * 100 // total}%")

        yield on_progress


class _Terminal(_Plain):
    """Tables and bars, by rich."""

    def __init__(self, out: TextIO) -> None:
        super().__init__(out)
        from rich.console import Console

        self._console = Console(file=out, markup=False, highlight=False, emoji=False)

    def line(self, text: str) -> None:
        style = {"✓": "green", "✗": "red"}.get(text[:1])
        self._console.print(text, style=style, overflow="fold")

    def table(self, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
        from rich.table import Table

        table = Table()
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*row)
        self._console.print(table)

    def agrees(self) -> bool:
        if not sys.stdin.isatty():
            return True
        try:
            answer = input("받을까요? (Enter: 받기, n: 그만두기) ")
        except EOFError:
            return False
        return answer.strip().lower() in ("", "y", "yes", "ㅛ", "네", "예", "응")

    @contextlib.contextmanager
    def progress(self, label: str, total: int) -> Iterator[Callable[[int], None]]:
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        text = TextColumn("{task.description}", markup=False)
        columns = (text, BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self._console, transient=True) as bars:
            task = bars.add_task(label, total=total)
            yield lambda done: bars.update(task, completed=done)


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        usage=argparse.SUPPRESS,
        description=f"사용법: {COMMAND} [--check] [--yes]\n\n"
        "공개 모델을 제자리에 받아요. 멈췄다가 다시 실행하면 받던 곳부터 이어 받아요.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
        exit_on_error=False,
    )
    group = parser.add_argument_group("옵션")
    group.add_argument("-h", "--help", action="help", help="이 도움말을 보여 주고 끝내요")
    group.add_argument("--check", action="store_true", help="받지 않고, 있는 파일의 크기와 해시를 확인해요")
    group.add_argument("--yes", action="store_true", help="묻지 않고 받아요")
    try:
        options, unknown = parser.parse_known_args(argv)
    except argparse.ArgumentError as error:
        options, unknown = None, [str(error.argument_name)]
    if unknown:
        message = f"잘못된 옵션이에요: {' '.join(unknown)}. 쓸 수 있는 옵션은 --help 로 볼 수 있어요.\n"
        parser.exit(_WRONG_ARGUMENTS, message)
    return options


if __name__ == "__main__":
    sys.exit(main())
