"""What ``run.py --doctor`` prints: what a bug report needs to know of this computer, each line ✓, or ✗ with its cure.

Touches no network and changes nothing. Works with the standard library alone: packages may be missing or broken, so
PyTorch is asked in a process of its own. Shows neither memories nor settings that may hold a secret, and the home
folder as ``~``.
"""

from __future__ import annotations

import importlib.metadata
import json
import locale
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from final_product.model_store import SOURCES, ModelFolder, expression_folders, expression_problems, find_models
from final_product.picture import CHOICE, way_of
from final_product.window_link import why_no_window

OLDEST, NEWEST = (3, 10), (3, 13)
PROBE_SECONDS = 120.0  # a first import of PyTorch from a cold disk takes long
INSTALL = "pip install -r requirements.txt 를 실행해 주세요"
MIN_COLUMNS = 40
_GIB = 1024**3

# Run by another Python: what PyTorch sees.
_PROBE = """
import json, torch
cards = []
for n in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
    free, total = torch.cuda.mem_get_info(n)
    cards.append([torch.cuda.get_device_name(n), free, total])
print(json.dumps([torch.__version__, torch.version.cuda, torch.get_num_threads(), cards]))
"""


@dataclass(frozen=True)
class Finding:
    """One line of the report: what was looked at, whether it is fine, and what was found (with the cure if not)."""

    what: str
    fine: bool
    found: str

    def __str__(self) -> str:
        return f"{'✓' if self.fine else '✗'} {self.what}: {self.found}"


def report(version: str, root: Path, memory: Path, image: Path, write: Callable[[str], None]) -> bool:
    """Writes the report line by line; True where all is fine.

    Args:
        version: of the program.
        root: the checkout.
        memory: the memory file.
        image: the picture.
        write: takes one line.
    """
    write(f"Oh-LoRA {version} 진단 - 문제를 알릴 때 이 글을 그대로 붙여 주세요.")
    checks = (
        python(),
        system(),
        packages(root / "requirements.txt"),
        devices(),
        models(root),
        expressions(root),
        memory_file(memory),
        picture(image),
        chats(),
        terminal(),
        window(),
    )
    bad = 0
    for check in checks:
        for finding in check:
            bad += not finding.fine
            write(_without_home(str(finding)))
    write(f"고칠 곳이 {bad}군데 있어요." if bad else "모두 괜찮아요.")
    return not bad


def _without_home(text: str) -> str:
    home = Path.home()
    case = re.IGNORECASE if os.name == "nt" else 0
    for form in {str(home), home.as_posix()} - {home.anchor}:  # a home of "/" says nothing
        text = re.sub(rf"{re.escape(form)}(?=[\\/\s,:)]|$)", "~", text, flags=case)
    return text


def python() -> Iterator[Finding]:
    """Whether this Python is one of those that the packages run on."""
    found = f"{platform.python_version()} ({platform.python_implementation()}, {sys.maxsize.bit_length() + 1}비트)"
    fine = OLDEST <= sys.version_info[:2] <= NEWEST and sys.maxsize > 2**32
    cure = f"64비트 파이썬 {_dots(OLDEST)}에서 {_dots(NEWEST)} 가운데 하나를 설치해 주세요"
    yield Finding("파이썬", fine, found if fine else f"{found} - {cure}")


def system() -> Iterator[Finding]:
    """The operating system, the processor and the memory."""
    total, free = _memory()
    memory = f"메모리 {_gib(total)} 가운데 {_gib(free)} 비어 있음" if total else "메모리 크기는 알 수 없음"
    yield Finding("컴퓨터", True, f"{platform.platform()}, {platform.machine()}, CPU {os.cpu_count()}개, {memory}")


def packages(requirements: Path) -> Iterator[Finding]:
    """Each pinned package against the installed one."""
    try:
        text = requirements.read_text(encoding="utf-8")
    except OSError:
        yield Finding("패키지", False, f"{requirements} 파일을 읽지 못했어요 - 저장소를 다시 받아 주세요")
        return
    for name, wanted in re.findall(r"^([\w.-]+)==([\w.+!-]+)", text, flags=re.MULTILINE):
        try:
            installed = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, False, f"없음 (필요한 버전 {wanted}) - {INSTALL}")
            continue
        fine = str(installed).split("+")[0] == wanted  # +cpu, +cu130 say what PyTorch was built for
        yield Finding(name, fine, installed if fine else f"{installed} (필요한 버전 {wanted}) - {INSTALL}")


def devices() -> Iterator[Finding]:
    """What PyTorch can compute on."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROBE_SECONDS,
            env={**os.environ, "PYTHONUTF8": "1"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        yield Finding("PyTorch", False, f"{PROBE_SECONDS:g}초 안에 불러오지 못했어요 - 컴퓨터를 다시 시작해 보세요")
        return
    try:
        version, cuda, threads, cards = json.loads(done.stdout)
    except ValueError:
        said = done.stderr.decode("utf-8", errors="replace").strip().splitlines()
        reason = said[-1] if said else f"종료 코드 {done.returncode}"
        yield Finding("PyTorch", False, f"쓰지 못해요 ({reason}) - {INSTALL}. 그래도 안 되면 README의 설치를 봐 주세요")
        return
    yield Finding("PyTorch", True, f"{version}, CPU 스레드 {threads}개, CUDA {cuda or '없음'}")
    for name, free, total in cards:
        yield Finding("그래픽카드", True, f"{name}, 메모리 {_gib(total)} 가운데 {_gib(free)} 비어 있음")
    if not cards and shutil.which("nvidia-smi"):
        cure = "README의 CUDA 설치를 봐 주세요" if not cuda else "NVIDIA 드라이버를 새로 설치해 주세요"
        yield Finding("그래픽카드", False, f"NVIDIA 그래픽카드가 있는 것 같지만 PyTorch가 쓰지 못해요 - {cure}")
    elif not cards:
        yield Finding("그래픽카드", True, "없음 (CPU로 돌려요)")


def models(root: Path) -> Iterator[Finding]:
    """Which models are found, and whether their files are there and whole."""
    for part, model in find_models(root).items():
        problems = [*model.problems, *(_torn(_files(model), model.published) if not model.problems else ())]
        where = model.describe(root).split(": ", 1)[1]
        if not problems:
            yield Finding(part.value, True, where)
        for problem in problems:
            yield Finding(part.value, False, f"{where} - {problem}")
    for source in SOURCES:
        if source.staging(root).exists():
            cure = "python final_product/download.py 를 다시 실행하면 이어 받아요"
            yield Finding(source.title, False, f"받다 만 파일이 있어요 - {cure}")


def expressions(root: Path) -> Iterator[Finding]:
    """Whether what reads expressions from replies is there and whole; without it there are rules."""
    folder, _ = expression_folders(root)
    where = folder.relative_to(root).as_posix()
    problems = [*expression_problems(root)] or [*_torn(sorted(folder.glob("classifier.*")), published=False)]
    if not problems:
        yield Finding("표정", True, f"내장 모델 ({where})")
    for problem in problems:
        yield Finding("표정", False, f"{where} - {problem}")


def _torn(files: Iterable[Path], published: bool) -> Iterator[str]:
    """The model's files that are cut off or no such file at all, each with its cure; reads their beginnings only."""
    if published:
        cure = "python final_product/download.py 를 실행하면 그 파일만 다시 받아요"
    else:
        cure = "저장소를 다시 받거나 git restore 로 되살려 주세요"
    for path in files:
        try:
            whole = _is_whole(path)
        except OSError as error:
            yield f"{path} 파일을 읽지 못했어요 ({error.strerror}) - 읽을 권한이 있는지 확인해 주세요"
            continue
        if not whole:
            yield f"{path} 파일이 깨졌어요 - {cure}"


def _files(model: ModelFolder) -> Iterable[Path]:
    """The files of its folders, and the pickle or CSV that stands among files of other kinds."""
    for folder in (model.folder, model.companion):
        if folder is None:
            continue
        if folder.is_file():
            yield folder
            continue
        for pattern in ("*.json", "*.safetensors", "*/config.json", "*.pth"):
            yield from sorted(folder.glob(pattern))


def _is_whole(path: Path) -> bool:
    if path.suffix == ".json":
        try:
            json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            return False
        return True
    if path.suffix == ".safetensors":
        return _is_whole_safetensors(path)
    if path.suffix == ".pth":  # PyTorch's container is a zip, whose directory stands at the end, or an old pickle
        with path.open("rb") as file:
            return file.read(2) == b"\x80\x02" or zipfile.is_zipfile(path)
    try:
        rows = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError:
        return False
    return len(rows) == 2 and rows[0].count(",") == rows[1].count(",")  # the identity: a header and its numbers


def _is_whole_safetensors(path: Path) -> bool:
    """Whether the file is as long as its header says: 8 bytes of length, the header, the tensors' bytes."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= size - 8:
            return False
        try:
            header = json.loads(file.read(length))
            ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            return False
    return size == 8 + length + max(ends, default=0)


def memory_file(path: Path) -> Iterator[Finding]:
    """Whether the memories can be read and written."""
    try:
        from llm.errors import MemoryFileError
        from llm.memory_mechanism.memory_file import MemoryFile
    except ImportError as error:
        yield Finding("기억 파일", False, f"{error.name} 패키지가 없어서 확인하지 못했어요 - {INSTALL}")
        return
    try:
        count = len(MemoryFile(path).read())
    except MemoryFileError as error:
        yield Finding("기억 파일", False, str(error))
        return
    problem = _unwritable(path)
    state = f"기억 {count}개" if path.exists() else "아직 없음"
    yield Finding("기억 파일", problem is None, f"{path}, {state}" if problem is None else problem)


def picture(path: Path) -> Iterator[Finding]:
    """Whether her face can be written."""
    problem = _unwritable(path)
    if problem is None and not path.parent.is_dir():
        problem = f"{path.parent} 폴더가 없어요 - 폴더를 만들거나 --image 로 다른 파일을 정해 주세요"
    yield Finding("얼굴 그림", problem is None, str(path) if problem is None else problem)


def chats() -> Iterator[Finding]:
    """Whether chats can be kept."""
    try:
        from final_product.chat_log import chats_folder, find_chats

        folder = chats_folder()
    except ImportError as error:
        yield Finding("대화 기록", False, f"{error.name} 패키지가 없어서 확인하지 못했어요 - {INSTALL}")
        return
    problem = _unwritable(folder / "chat.jsonl")
    yield Finding("대화 기록", problem is None, problem or f"{folder}, 대화 {len(find_chats(folder))}개")


def _unwritable(path: Path) -> str | None:
    """Why the file at ``path`` cannot be replaced, with the cure; None where it can."""
    if path.is_dir():
        return f"{path} 자리에 폴더가 있어요 - 폴더를 옮기거나 다른 파일 이름을 정해 주세요"
    if path.exists() and not os.access(path, os.W_OK):
        return f"{path} 파일이 읽기 전용이에요 - 파일 속성에서 읽기 전용을 풀어 주세요"
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return f"{folder} 폴더에 쓸 수 없어요 ({error.strerror}) - 폴더의 쓰기 권한을 확인해 주세요"


def terminal() -> Iterator[Finding]:
    """What the terminal can do."""
    kinds = ("파이프", "터미널")
    reads, writes = (stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
    names = {name: os.environ.get(name) for name in ("TERM", "TERM_PROGRAM", "COLORTERM")}
    if "WT_SESSION" in os.environ:
        names["TERM_PROGRAM"] = "Windows Terminal"
    named = "".join(f", {name}={value}" for name, value in names.items() if value)
    yield Finding("터미널", True, f"입력 {kinds[reads]}, 출력 {kinds[writes]}{named}")

    encoding = locale.getpreferredencoding(False)
    fine = os.name == "nt" or encoding.lower().replace("-", "") == "utf8"
    cure = "export LANG=C.UTF-8 을 실행한 뒤 다시 시작해 주세요"
    yield Finding("글자 인코딩", fine, encoding if fine else f"{encoding} - {cure}")

    try:
        from rich.console import Console

        colours = Console(file=sys.stdout).color_system or "없음"
    except ImportError:
        colours = "rich 패키지가 없어서 알 수 없음"
    yield Finding("색", True, f"{colours}{' (NO_COLOR)' if os.environ.get('NO_COLOR') else ''}")

    way = way_of(os.environ) if writes else None
    shown = "없음" if way is None else f"{way.value} (환경 변수 {CHOICE} 로 바꿀 수 있어요)"
    yield Finding("터미널의 그림", True, shown)

    columns, lines = shutil.get_terminal_size()
    size = f"{columns}x{lines}"
    cure = f"창을 {MIN_COLUMNS}칸보다 넓혀 주세요"
    yield Finding("창 크기", columns >= MIN_COLUMNS, size if columns >= MIN_COLUMNS else f"{size} - {cure}")


def window() -> Iterator[Finding]:
    """Whether her face can have a window of its own; the chat does without."""
    reason = why_no_window(os.environ)
    yield Finding("얼굴 창", True, f"없음 ({reason})" if reason else "열 수 있음 (--window)")


def _memory() -> tuple[int, int]:
    """The computer's memory and what of it is free, in bytes; zeros where the system does not say."""
    if sys.platform == "win32":  # pragma: no cover
        import ctypes

        class Status(ctypes.Structure):
            _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong)] + [
                (name, ctypes.c_ulonglong)
                for name in ("total", "free", "page", "free_page", "virtual", "free_virtual", "extended")
            ]

        status = Status(length=ctypes.sizeof(Status))
        known = ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
        return (status.total, status.free) if known else (0, 0)
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        return page * os.sysconf("SC_PHYS_PAGES"), page * os.sysconf("SC_AVPHYS_PAGES")
    except (ValueError, OSError):
        return 0, 0


def _gib(count: int) -> str:
    return f"{count / _GIB:.1f}GiB"


def _dots(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
