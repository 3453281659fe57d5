"""Which published files are missing or broken, and bringing them in.

A file stands in a model's folder only once it is verified, and a part changes from the embedded to the published
model only once all of its files are there. Knows no terminal: what it has to say goes through a ``Screen``.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from final_product import remote_files
from final_product.model_store import SOURCES, Part, Source
from final_product.remote_files import (
    CorruptError,
    DownloadError,
    Listing,
    Patience,
    RefusedError,
    RemoteFile,
    disk_errors,
)
from llm.memory_mechanism.whole_file import rename_over

SPARE_BYTES = 64 * 1024 * 1024  # left free on a disk beside what is fetched


class Screen(Protocol):
    """Where progress is shown."""

    def line(self, text: str) -> None: ...

    def progress(self, label: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
        """Gives what to call with the number of bytes that are there, of ``total``."""


@dataclass(frozen=True)
class Plan:
    """What a source's repository holds and what of it is not in its folder.

    Attributes:
        source: where it comes from.
        files: the wanted files; their names are relative to the folder that they belong in.
        bad: the files to fetch, each with what is wrong with the one that is there (Korean).
        licence: what the repository says, or else this project knows.
    """

    source: Source
    files: tuple[RemoteFile, ...]
    bad: dict[RemoteFile, str]
    licence: str | None

    @property
    def bytes(self) -> int:
        """How many bytes have to be fetched."""
        return sum(file.size for file in self.bad)


def list_source(source: Source, patience: Patience, endpoint: str | None, github: str) -> Listing:
    """What the repository of ``source`` holds; arguments and errors as in ``remote_files``."""
    if source.hub == "GitHub":
        return remote_files.list_github(source.repository, source.needed[0], patience, github)
    return remote_files.list_hugging_face(source.repository, patience, endpoint)


def make_plan(source: Source, listing: Listing, root: Path) -> Plan:
    """Compares what the repository holds with what is there, by size and hash.

    Raises:
        RefusedError: the repository lacks a file without which the model cannot be loaded.
        DiskError: what is there cannot be read.
    """
    files = _wanted(source, listing.files)
    lost = [name for name in source.needed if name not in {file.name for file in files}]
    if lost:
        raise RefusedError(
            f"{source.hub}의 {source.repository} 저장소에 {', '.join(lost)} 파일이 없어요 - "
            "새 버전의 Oh-LoRA가 있는지 확인해 주세요."
        )
    folder = source.target(root)
    with disk_errors(folder):
        bad = {file: fault for file in files if (fault := _fault(folder / file.name, file))}
    return Plan(source, files, bad, listing.licence or source.licence)


def _wanted(source: Source, files: tuple[RemoteFile, ...]) -> tuple[RemoteFile, ...]:
    """The wanted files of that folder of the repository in which the source's first needed file lies highest."""
    first = source.needed[0]
    places = [file.name for file in files if file.name.rsplit("/", 1)[-1] == first]
    if not places:
        return ()
    prefix = min(places, key=lambda name: (name.count("/"), name))[: -len(first)]
    inside = (replace(file, name=file.name[len(prefix) :]) for file in files if file.name.startswith(prefix))
    return tuple(file for file in inside if any(_matches(file.name, pattern) for pattern in source.wanted))


def _matches(name: str, pattern: str) -> bool:
    return name.count("/") == pattern.count("/") and fnmatchcase(name, pattern)


def _fault(path: Path, file: RemoteFile) -> str | None:
    """Why the file at ``path`` is not ``file``; None where it is."""
    if not path.is_file():
        return "없어요"
    size = path.stat().st_size
    if size != file.size:
        return f"크기가 달라요 ({size:,}바이트, 저장소에는 {file.size:,}바이트)"
    return None if remote_files.digest_of(path, file.digest) == file.digest else "내용(해시)이 저장소의 것과 달라요"


def fetchable(plans: Iterable[Plan]) -> list[Plan]:
    """The plans that have something to fetch, of the parts of which every source could be asked."""
    plans = list(plans)
    asked = {plan.source for plan in plans}
    parts = {part for part in Part if all(source in asked for source in SOURCES if source.part is part)}
    return [plan for plan in plans if plan.bad and plan.source.part in parts]


def check_room(plans: Iterable[Plan], root: Path, free_bytes: Callable[[Path], int]) -> None:
    """Raises DiskError where a disk has too little room for what is still to come."""
    needed: dict[int, int] = {}
    folders: dict[int, Path] = {}
    for plan in plans:
        folder = stage = plan.source.staging(root)
        while not folder.exists():
            folder = folder.parent
        with disk_errors(folder):
            disk = folder.stat().st_dev
            here = sum(path.stat().st_size for path in stage.rglob("*") if path.is_file())
        needed[disk] = needed.get(disk, 0) + max(0, plan.bytes - here)
        folders.setdefault(disk, folder)
    for disk, folder in folders.items():
        free = free_bytes(folder)
        if needed[disk] and free < needed[disk] + SPARE_BYTES:
            raise remote_files.full_disk(folder, f" ({size_text(needed[disk])}가 필요한데 {size_text(free)} 남았어요)")


@contextlib.contextmanager
def alone(root: Path) -> Iterator[None]:
    """Keeps a second download from writing the same files: raises DownloadError."""
    path = root / "llm" / "models" / ".download.lock"
    lock = FileLock(path, timeout=0)
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except Timeout as error:
            raise DownloadError("다른 창에서 이미 받고 있어요. 그것이 끝난 뒤에 다시 실행해 주세요.") from error
    try:
        yield
    finally:
        lock.release()


def bring(plans: Iterable[Plan], screen: Screen, root: Path, patience: Patience) -> list[DownloadError]:
    """Fetches what is bad and moves it in; returns what went wrong, which is on the screen already.

    A repository that refuses or lies ends its part, the next part is tried.

    Raises:
        NetworkError, DiskError: nothing more can be fetched.
    """
    failed: list[DownloadError] = []
    given_up: set[Part] = set()
    for plan in plans:
        if plan.source.part in given_up:
            continue
        try:
            _bring_one(plan, screen, root, patience)
        except (RefusedError, CorruptError) as error:
            screen.line(f"✗ {error}")
            failed.append(error)
            given_up.add(plan.source.part)
    return failed


def _bring_one(plan: Plan, screen: Screen, root: Path, patience: Patience) -> None:
    """Fetches a source's bad files beside its folder and then moves them in."""
    stage = plan.source.staging(root)
    for file in plan.bad:
        target = stage / file.name
        with disk_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            ready = _fault(target, file) is None
        if not ready:
            with screen.progress(f"{plan.source.title} {file.name}", file.size) as on_progress:
                remote_files.fetch(file, target, patience, on_progress)
        screen.line(f"✓ {plan.source.folder}/{file.name} ({size_text(file.size)})")
    with disk_errors(stage):
        _move_in(stage, plan.source.target(root), [file.name for file in plan.bad])
    if problems := plan.source.problems(root):
        raise RefusedError(f"{plan.source.repository} 저장소에 빠진 파일이 있어요: {' '.join(problems)}")


def _move_in(stage: Path, folder: Path, names: list[str]) -> None:
    """Moves verified files into ``folder``: all at once where it is not there yet."""
    if folder.exists():
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            rename_over(stage / name, folder / name)
        shutil.rmtree(stage, ignore_errors=True)
        return
    for path in [path for path in stage.rglob("*") if path.is_file()]:  # parts of files that have changed since
        if path.relative_to(stage).as_posix() not in names:
            path.unlink()
    rename_over(stage, folder)


def size_text(count: int) -> str:
    """A number of bytes as people read it: 2.7GB."""
    value, unit = float(count), "B"
    for larger in ("KB", "MB", "GB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.1f}{unit}" if unit in ("MB", "GB") else f"{value:.0f}{unit}"
