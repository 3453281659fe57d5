"""What can be wrong with the place of the memory file: one clear error, every byte as it was, and no litter."""

import errno
import os
import time
from contextlib import contextmanager

import pytest

from llm.errors import MemoryFileError
from llm.memory_mechanism.meaning import Change
from llm.memory_mechanism.memory import Memory
from llm.memory_mechanism.memory_file import MAX_BYTES, MemoryFile

SCHEDULE = Memory("내일 일정", "친구 만나기")
NAME = Memory("이름", "민수")
WINDOWS = os.name == "nt"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ohlora_memory.txt"


def names_beside(path):
    """What stands in the file's folder but the file itself and its lock."""
    return {entry.name for entry in path.parent.iterdir()} - {path.name, f".{path.name}.lock"}


BROKEN = {
    "neither UTF-8 nor cp949": b"[\xb9\xce: \xff\xff]\n",
    "half a UTF-16 character": b"\xff\xfe[\x00k\x00:\x00 \x00v\x00]\x00\n",
    "a broken surrogate pair": b"\xff\xfe\x00\xd8[\x00",
    "broken UTF-8 behind its mark": b"\xef\xbb\xbf[\xea\xb0: v]\n",
    "NUL bytes among the letters": "[이름: 민\0수]\n".encode(),
    "nothing but NUL bytes, as a crash leaves them": bytes(4096),
    "UTF-16 without its mark": "[name: Mia]\r\n".encode("utf-16-le"),
    "a picture": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\xff\xff",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_decoded_stays_as_it_is(path, data):
    path.write_bytes(data)
    file = MemoryFile(path)
    for attempt in (file.read, file.read, lambda: file.add([NAME])):
        with pytest.raises(MemoryFileError) as caught:
            attempt()
        assert str(path) in str(caught.value) and "UTF-8" in str(caught.value) and "\n" not in str(caught.value)
    assert path.read_bytes() == data
    path.write_text("[이름: 민수]\n", encoding="utf-8")
    assert file.read() == (NAME,), "once it is mended it is read"


@pytest.mark.parametrize("size", [MAX_BYTES + 1, 100 * 1024 * 1024], ids=["a byte too large", "100 MB"])
def test_a_file_too_large_is_left_alone(path, size):
    with path.open("wb") as file:
        file.write(b"[a: b]\n")
        file.truncate(size)
    for attempt in (
        MemoryFile(path).read,
        lambda: MemoryFile(path).add([NAME]),
        lambda: MemoryFile(path).forget(NAME, 0),
    ):
        with pytest.raises(MemoryFileError, match="너무 커요"):
            attempt()
    assert path.stat().st_size == size and path.open("rb").read(8) == b"[a: b]\n\0"


LONG = 1_000_000
LONG_LINES = {
    "prose": "말" * LONG,
    "a memory": f"[일기: {'말' * LONG}]",
    "brackets that open": "[" * LONG,
    "brackets that close": f"[{']' * LONG}",
    "half brackets": "[a: b" * (LONG // 5),
    "memories": "[수: 값]" * (LONG // 6),
    "blanks": f"[{' ' * LONG}",
    "blanks behind a bracket": f"[]{' ' * LONG}x",
    "notes of days": f"[a: b]{' (2026-11-22)' * (LONG // 13)}",
    "digits behind a bracket": f"[a: b] ({'1' * LONG}",
}


@pytest.mark.parametrize("line", LONG_LINES.values(), ids=LONG_LINES)
def test_a_line_of_a_million_characters(path, line):
    before = f"[취미: 등산]\n{line}\n".encode()
    path.write_bytes(before)
    file = MemoryFile(path)
    start = time.process_time()
    assert file.read()[0] == Memory("취미", "등산") and NAME not in file.read()
    assert file.add([NAME]).added == (NAME,)
    assert path.read_bytes() == before + b"[\xec\x9d\xb4\xeb\xa6\x84: \xeb\xaf\xbc\xec\x88\x98]\n"
    assert time.process_time() - start < 10, "seconds at most, not the square of its length"


def test_a_directory_in_its_place(path):
    path.mkdir()
    (path / "안").write_text("그대로", encoding="utf-8")
    for attempt in (MemoryFile(path).read, lambda: MemoryFile(path).add([NAME])):
        with pytest.raises(MemoryFileError, match="읽지 못했어요"):
            attempt()
    assert (path / "안").read_text(encoding="utf-8") == "그대로"


def test_a_file_where_its_folder_should_be(tmp_path):
    (tmp_path / "folder").write_text("파일", encoding="utf-8")
    with pytest.raises(MemoryFileError):
        MemoryFile(tmp_path / "folder" / "memory.txt").add([NAME])
    assert (tmp_path / "folder").read_text(encoding="utf-8") == "파일"


def test_a_path_that_cannot_be_one():
    for attempt in (MemoryFile("a\0b").read, lambda: MemoryFile("a\0b").add([NAME])):
        with pytest.raises(MemoryFileError):
            attempt()


def test_a_memory_that_no_encoding_holds(path):
    path.write_text("[이름: 민수]\n", encoding="utf-8")
    with pytest.raises(MemoryFileError, match="적지 못했어요"):
        MemoryFile(path).add([Memory("깨진", "글자\ud800")])
    assert path.read_text(encoding="utf-8") == "[이름: 민수]\n"


@pytest.mark.parametrize("value", ["민\0수", "민]수", "[민수", "첫 줄\n둘째 줄"])
def test_a_memory_that_would_not_be_read_back_is_not_written(path, value):
    path.write_text("[취미: 등산]\n", encoding="utf-8")
    with pytest.raises(MemoryFileError, match="적지 못했어요"):
        MemoryFile(path).add([NAME, Memory("말", value)])
    assert path.read_text(encoding="utf-8") == "[취미: 등산]\n"


# --- what the folder forbids --------------------------------------------------------------------------------------


@contextmanager
def _without_rights():
    """Root may write everywhere: this makes the process a user without rights for a while, where it is root."""
    if os.geteuid() != 0:
        yield
        return
    nobody = 65534
    os.setresgid(nobody, nobody, 0)
    os.setresuid(nobody, nobody, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)


@pytest.fixture
def open_path(path):
    """A path that anybody may reach: pytest keeps its folders to their owner."""
    for folder in path.parents:
        if folder.stat().st_uid == os.geteuid() and folder.stat().st_mode & 0o055 != 0o055 and folder != folder.parent:
            folder.chmod(folder.stat().st_mode | 0o055)
    path.parent.chmod(0o777)
    return path


needs_users = pytest.mark.skipif(not hasattr(os, "setresuid"), reason="this system lets nobody become another user")


@needs_users
def test_a_file_that_may_only_be_read(open_path):
    open_path.write_text("[이름: 민수]\n", encoding="utf-8")
    open_path.chmod(0o444)
    with _without_rights():
        file = MemoryFile(open_path)
        assert file.read() == (NAME,)
        with pytest.raises(MemoryFileError, match="읽기 전용"):
            file.add([SCHEDULE])
        with pytest.raises(MemoryFileError, match="읽기 전용"):
            file.forget(NAME, 0)
    assert open_path.read_text(encoding="utf-8") == "[이름: 민수]\n" and names_beside(open_path) == set()


@needs_users
def test_a_file_that_may_not_even_be_read(open_path):
    open_path.write_text("[이름: 민수]\n", encoding="utf-8")
    open_path.chmod(0o000)
    with _without_rights():
        for attempt in (MemoryFile(open_path).read, lambda: MemoryFile(open_path).add([SCHEDULE])):
            with pytest.raises(MemoryFileError, match="읽지 못했어요"):
                attempt()
    open_path.chmod(0o644)
    assert open_path.read_text(encoding="utf-8") == "[이름: 민수]\n"


@needs_users
@pytest.mark.parametrize("there", [True, False], ids=["with a file", "without one"])
def test_a_folder_that_may_only_be_read(open_path, there):
    if there:
        open_path.write_text("[이름: 민수]\n", encoding="utf-8")
        open_path.chmod(0o666)
    open_path.parent.chmod(0o555)
    with _without_rights():
        file = MemoryFile(open_path)
        assert file.read() == ((NAME,) if there else ())
        with pytest.raises(MemoryFileError, match="적지 못했어요"):
            file.add([SCHEDULE])
        assert file.read() == ((NAME,) if there else ())
    open_path.parent.chmod(0o755)
    assert open_path.exists() == there and names_beside(open_path) == set()


# --- a disk that fails --------------------------------------------------------------------------------------------


class Disk:
    """Stands in for ``os``: every call goes to it, but ``failing`` ones find what ``error`` says."""

    def __init__(self, monkeypatch, failing, error):
        self.calls = 0
        monkeypatch.setattr(os, failing, self._fail)
        self.error = error

    def _fail(self, *_, **__):
        self.calls += 1
        raise OSError(self.error, os.strerror(self.error))


@pytest.mark.parametrize("failing", ["fsync", "replace", "fdopen"])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_disk_that_fails_at_any_step(path, monkeypatch, failing, error):
    before = "# 메모\r\n[이름: 민수]\r\n".encode("cp949")
    path.write_bytes(before)
    file = MemoryFile(path)
    with monkeypatch.context() as broken:
        disk = Disk(broken, failing, error)
        for memory in (SCHEDULE, Memory("좋아하는 것", "노을 🌅")):  # the second one would change the encoding
            with pytest.raises(MemoryFileError, match="적지 못했어요") as caught:
                file.add([memory])
            assert os.strerror(error) in str(caught.value) and "\n" not in str(caught.value)
        assert disk.calls == 2
    assert path.read_bytes() == before and names_beside(path) == set()
    assert file.add([SCHEDULE]).added == (SCHEDULE,), "when the disk is well again, so is she"


@pytest.mark.skipif(WINDOWS, reason="Windows limits no file sizes")
def test_a_disk_that_is_full_in_the_middle_of_a_write(path):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = f"[이름: 민수]\n{'# 메모 ' * 2000}\n".encode()
    path.write_bytes(before)
    file = MemoryFile(path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
    try:
        with pytest.raises(MemoryFileError, match="적지 못했어요"):
            file.add([SCHEDULE])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before and names_beside(path) == set()


# --- editors and programs that come in between --------------------------------------------------------------------


def test_what_an_editor_saves_while_she_writes_is_kept(path, monkeypatch):
    path.write_text("[이름: 민수]\n", encoding="utf-8")
    file, flush, saves = MemoryFile(path), os.fsync, ["[이름: 민수]\n# 둘\n", "# 셋\n[사는 곳: 부산]\n"]

    def editor_saves(handle):
        flush(handle)
        if saves:
            path.write_text(saves.pop(0), encoding="utf-8")

    monkeypatch.setattr(os, "fsync", editor_saves)
    seoul = Memory("사는 곳", "서울")
    saved = file.add([SCHEDULE, seoul])
    assert path.read_text(encoding="utf-8") == "# 셋\n[사는 곳: 서울]\n[내일 일정: 친구 만나기]\n"
    assert saved.added == (SCHEDULE,) and saved.changed == (Change(Memory("사는 곳", "부산"), seoul),)
    assert names_beside(path) == set()


def test_an_editor_that_never_stops_saving(path, monkeypatch):
    path.write_text("[이름: 민수]\n", encoding="utf-8")
    flush, saves = os.fsync, []

    def editor_saves(handle):
        flush(handle)
        saves.append(f"[이름: 민수]\n{'#' * len(saves)}\n")
        path.write_text(saves[-1], encoding="utf-8")

    monkeypatch.setattr(os, "fsync", editor_saves)
    with pytest.raises(MemoryFileError, match="다른 프로그램"):
        MemoryFile(path).add([SCHEDULE])
    assert path.read_text(encoding="utf-8") == saves[-1] and names_beside(path) == set()


def test_a_line_deleted_in_an_editor_while_she_writes_stays_deleted(path, monkeypatch):
    path.write_text("[이름: 민수]\n[내일 일정: 친구 만나기]\n", encoding="utf-8")
    flush, saves = os.fsync, ["[내일 일정: 친구 만나기]\n"]

    def editor_saves(handle):
        flush(handle)
        if saves:
            path.write_text(saves.pop(), encoding="utf-8")

    monkeypatch.setattr(os, "fsync", editor_saves)
    MemoryFile(path).add([Memory("취미", "등산")])
    assert path.read_text(encoding="utf-8") == "[내일 일정: 친구 만나기]\n[취미: 등산]\n"


def test_an_older_backup_is_never_overwritten(path):
    kept = []
    for number in range(3):
        before = f"[이름: 민수 {number}]\r\n".encode("cp949")
        path.write_bytes(before)
        kept.append((MemoryFile(path).add([Memory("좋아하는 것", "노을 🌅")]).backup, before))
    assert [backup.name for backup, _ in kept] == [
        f"{path.name}.cp949.bak", f"{path.name}.2.cp949.bak", f"{path.name}.3.cp949.bak",
    ]  # fmt: skip
    assert all(backup.read_bytes() == before for backup, before in kept)
    path.write_bytes(kept[1][1])
    assert MemoryFile(path).add([Memory("좋아하는 것", "노을 🌅")]).backup == kept[1][0], (
        "those bytes are there already"
    )


def test_what_a_killed_program_left_half_written_goes(path):
    path.write_text("[이름: 민수]\n", encoding="utf-8")
    (path.parent / f".{path.name}.abc123.tmp").write_bytes(b"[half")
    (path.parent / ".other.txt.abc123.tmp").write_bytes(b"somebody else's")
    MemoryFile(path).add([SCHEDULE])
    assert names_beside(path) == {".other.txt.abc123.tmp"}
