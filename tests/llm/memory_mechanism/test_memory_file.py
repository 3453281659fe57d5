"""The memory file: its bytes belong to the user, its lines are read when they changed, and no line is ever lost."""

import os
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm.errors import MemoryFileError
from llm.memory_mechanism.meaning import Change
from llm.memory_mechanism.memory import Memory
from llm.memory_mechanism.memory_file import MemoryFile, Saved
from llm.memory_mechanism.memory_text import Edit, edits_of

SCHEDULE = Memory("내일 일정", "친구 만나기")
NAME = Memory("이름", "민수")
BUSAN, SEOUL = Memory("사는 곳", "부산"), Memory("사는 곳", "서울")
WINDOWS = os.name == "nt"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ohlora_memory.txt"


class CountingFile(MemoryFile):
    """Counts how often the file itself was opened."""

    def __init__(self, path):
        super().__init__(path)
        self.opened = 0

    def _load(self):
        self.opened += 1
        return super()._load()


def test_a_file_that_is_not_there_holds_nothing(path):
    assert MemoryFile(path).read() == ()
    assert MemoryFile(path.parent / "none" / "such.txt").read() == ()
    assert list(path.parent.iterdir()) == [], "reading writes nothing"


def test_the_first_memory_makes_folder_and_file(tmp_path):
    path = tmp_path / "새 폴더" / "안" / "memory.txt"
    file = MemoryFile(path)
    assert file.add([SCHEDULE, NAME]).added == (SCHEDULE, NAME)
    assert path.read_bytes() == "[내일 일정: 친구 만나기]\n[이름: 민수]\n".encode()
    assert file.read() == MemoryFile(path).read() == (SCHEDULE, NAME)


def test_nothing_to_add_touches_nothing(path):
    assert MemoryFile(path).add([]) == Saved()
    assert list(path.parent.iterdir()) == []


# Every form that an editor leaves behind: name -> (encoding, byte-order mark).
FORMS = {
    "UTF-8": ("utf-8", b""),
    "UTF-8 with BOM": ("utf-8", b"\xef\xbb\xbf"),
    "UTF-16 LE": ("utf-16-le", b"\xff\xfe"),
    "UTF-16 BE": ("utf-16-be", b"\xfe\xff"),
    "cp949": ("cp949", b""),
}
NEWLINES = {"LF": "\n", "CRLF": "\r\n"}


@pytest.mark.parametrize("last_line_ends", [True, False], ids=["whole last line", "open last line"])
@pytest.mark.parametrize("newline", NEWLINES.values(), ids=NEWLINES)
@pytest.mark.parametrize(("encoding", "mark"), FORMS.values(), ids=FORMS)
def test_a_new_line_has_the_form_of_the_others(path, encoding, mark, newline, last_line_ends):
    text = newline.join(["# 메모", "", "[이름: 민수]", "[이름: 민수]", "[반쪽: 말", "끝] 그냥 글", "[취미 : 등산]"])
    before = mark + (text + (newline if last_line_ends else "")).encode(encoding)
    path.write_bytes(before)
    file = MemoryFile(path)

    assert file.read() == (NAME, NAME, Memory("취미", "등산"))
    assert file.add([SCHEDULE]).added == (SCHEDULE,)
    added = ("" if last_line_ends else newline) + f"[내일 일정: 친구 만나기]{newline}"
    assert path.read_bytes() == before + added.encode(encoding)
    assert file.read() == (NAME, NAME, Memory("취미", "등산"), SCHEDULE)


@pytest.mark.parametrize("last_line_ends", [True, False], ids=["whole last line", "open last line"])
@pytest.mark.parametrize("newline", NEWLINES.values(), ids=NEWLINES)
@pytest.mark.parametrize(("encoding", "mark"), FORMS.values(), ids=FORMS)
def test_a_new_value_stands_where_the_old_one_stood(path, encoding, mark, newline, last_line_ends):
    lines = ["# 메모", "", "[이름: 민수]", "\t[사는곳:부산]  [취미: 등산] ", "[반쪽: 말", "끝] 그냥 글", "[나이: 22]"]
    text = newline.join(lines) + (newline if last_line_ends else "")
    path.write_bytes(mark + text.encode(encoding))
    file = MemoryFile(path)
    assert file.add([SEOUL]) == Saved(changed=(Change(Memory("사는곳", "부산"), SEOUL),))
    assert path.read_bytes() == mark + text.replace("[사는곳:부산]", "[사는 곳: 서울]").encode(encoding)
    assert file.read() == (NAME, SEOUL, Memory("취미", "등산"), Memory("나이", "22"))
    before = path.read_bytes(), path.stat().st_ino
    assert file.add([SEOUL]) == Saved()
    assert (path.read_bytes(), path.stat().st_ino) == before


@pytest.mark.parametrize(("encoding", "mark"), FORMS.values(), ids=FORMS)
def test_an_empty_file_keeps_its_form(path, encoding, mark):
    path.write_bytes(mark)
    assert MemoryFile(path).add([NAME]).added == (NAME,)
    expected = "utf-8" if encoding == "cp949" else encoding  # without a letter in it, a file is UTF-8
    assert path.read_bytes() == mark + "[이름: 민수]\n".encode(expected)


def test_a_character_that_cp949_lacks(path):
    before = "# 내 메모\r\n[이름: 민수]".encode("cp949")
    path.write_bytes(before)
    smile = Memory("좋아하는 것", "노을 🌅")
    file = MemoryFile(path)
    backup = path.with_name(f"{path.name}.cp949.bak")
    assert file.add([smile]) == Saved(added=(smile,), backup=backup)
    assert path.read_bytes() == "\ufeff# 내 메모\r\n[이름: 민수]\r\n[좋아하는 것: 노을 🌅]\r\n".encode()
    assert file.read() == (NAME, smile)
    assert backup.read_bytes() == before


def test_a_new_value_that_cp949_lacks(path):
    before = "[사는 곳: 부산] \r\n# 내 메모\r\n".encode("cp949")
    path.write_bytes(before)
    sunset = Memory("사는 곳", "노을 마을 🌅")
    saved = MemoryFile(path).add([sunset])
    assert saved.changed == (Change(BUSAN, sunset),) and saved.backup.read_bytes() == before
    assert path.read_bytes() == "\ufeff[사는 곳: 노을 마을 🌅] \r\n# 내 메모\r\n".encode()


def test_a_cp949_file_with_comments_that_is_edited_in_between(path):
    """The whole story, byte for byte: her line, the user's edit in an editor, her change of a value."""
    path.write_bytes("# 로라의 기억\r\n[사는 곳: 부산]\r\n".encode("cp949"))
    file = MemoryFile(path)
    file.add([Memory("내일 일정", "면접", date(2026, 11, 22))])
    edited = path.read_bytes().replace("# 로라의".encode("cp949"), "; 우리의".encode("cp949"))
    path.write_bytes(edited + "그냥 적어 둔 말".encode("cp949"))
    file.add([SEOUL, NAME])
    assert path.read_bytes() == (
        "; 우리의 기억\r\n[사는 곳: 서울]\r\n[내일 일정: 면접] (2026-11-22)\r\n그냥 적어 둔 말\r\n[이름: 민수]\r\n"
    ).encode("cp949")


def test_the_day_stands_behind_its_line(path):
    dated = Memory("내일 일정", "친구 만나기", date(2026, 11, 22))
    file = MemoryFile(path)
    assert file.add([dated, NAME]).added == (dated, NAME)
    assert path.read_text(encoding="utf-8") == "[내일 일정: 친구 만나기] (2026-11-22)\n[이름: 민수]\n"
    assert file.read() == (dated, NAME)
    film = Memory("내일 일정", "영화", date(2026, 11, 22))
    assert file.add([film], "친구 말고 영화").changed == (Change(dated, film),)
    assert path.read_text(encoding="utf-8") == "[내일 일정: 영화] (2026-11-22)\n[이름: 민수]\n"


def test_a_day_that_is_none_counts_as_not_written(path):
    text = "[내일 일정: 면접] (2026-02-30)\n[내일 일정: 이사] (모름)\n[이름: 민수] (2026-11-22) 아마\n"
    path.write_text(text, encoding="utf-8")
    assert MemoryFile(path).read() == (Memory("내일 일정", "면접"),), "what is no day is prose"


def test_only_whole_lines_are_memories(path):
    path.write_text(
        "오로라의 기억\n# [주석: 아님]\n[이름: 민수]  \n\t[취미: 등산] [나이: 22]\n어제 [일정: 면접] 봤다\n"
        "[경고]\n[: 값]\n[반쪽: 괄호\n괄호: 반쪽]\n[]\n[[겹친: 괄호]]\n",
        encoding="utf-8",
    )
    expected = (NAME, Memory("취미", "등산"), Memory("나이", "22"), Memory("겹친", "괄호"))
    assert MemoryFile(path).read() == expected


def test_the_same_apart_from_blanks_is_saved_once(path):
    file = MemoryFile(path)
    assert file.add([SCHEDULE, Memory("내일일정", "친구만나기")]).added == (SCHEDULE,)
    assert file.add([Memory("내일일정", "친구 만나기"), NAME, SCHEDULE]).added == (NAME,)
    before = path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino
    assert file.add([NAME, SCHEDULE]) == Saved()
    assert (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) == before, "not even replaced by its equal"


def test_the_file_is_opened_only_when_it_changed(path):
    path.write_text("[이름: 민수]\n", encoding="utf-8")
    file = CountingFile(path)
    assert [file.read() for _ in range(5)] == [(NAME,)] * 5
    assert file.opened == 1

    path.write_text("[이름: 민수]\n[내일 일정: 친구 만나기]\n", encoding="utf-8")
    assert [file.read() for _ in range(5)] == [(NAME, SCHEDULE)] * 5
    assert file.opened == 2

    path.unlink()
    assert file.read() == file.read() == ()
    assert file.opened == 2


def test_an_edit_that_keeps_size_and_length_is_seen(path):
    path.write_text("[이름: 민수]\n", encoding="utf-8")
    file = MemoryFile(path)
    assert file.read() == (NAME,)
    stamp = path.stat().st_mtime_ns + 1_000_000_000
    path.write_text("[이름: 영희]\n", encoding="utf-8")
    os.utime(path, ns=(stamp, stamp))
    assert file.read() == (Memory("이름", "영희"),)


def test_a_line_deleted_by_hand_is_gone(path):
    file = MemoryFile(path)
    file.add([SCHEDULE, NAME])
    path.write_text("[이름: 민수]\n", encoding="utf-8")
    assert file.read() == (NAME,)
    assert file.add([Memory("취미", "등산")]).added == (Memory("취미", "등산"),)
    assert path.read_text(encoding="utf-8") == "[이름: 민수]\n[취미: 등산]\n", "what was deleted is not written back"
    assert file.add([SCHEDULE]).added == (SCHEDULE,), "and may be told again"


def test_a_value_deleted_by_hand_leaves_no_place(path):
    path.write_text("[사는 곳: 부산]\n[이름: 민수]\n", encoding="utf-8")
    file = MemoryFile(path)
    assert file.read() == (BUSAN, NAME)
    path.write_text("[이름: 민수]\n", encoding="utf-8")
    assert file.add([SEOUL]) == Saved(added=(SEOUL,))
    assert path.read_text(encoding="utf-8") == "[이름: 민수]\n[사는 곳: 서울]\n"


def test_what_an_editor_saved_a_moment_ago_is_kept(path):
    file = MemoryFile(path)
    file.add([NAME])
    assert file.read() == (NAME,)
    path.write_text("[이름: 민수]\n[취미: 등산]\n", encoding="utf-8")
    file.add([Memory("취미", "등산"), SCHEDULE])
    assert path.read_text(encoding="utf-8") == "[이름: 민수]\n[취미: 등산]\n[내일 일정: 친구 만나기]\n"


@pytest.mark.parametrize("newline", NEWLINES.values(), ids=NEWLINES)
@pytest.mark.parametrize(("encoding", "mark"), FORMS.values(), ids=FORMS)
def test_a_line_forgotten_comes_back_byte_by_byte(path, encoding, mark, newline):
    lines = ["[이름: 민수]", "# 메모", "[사는 곳: 부산]", "[취미: 등산]"]
    before = mark + newline.join(lines).encode(encoding)
    path.write_bytes(before)
    file = MemoryFile(path)
    edits = [file.forget(NAME, 0), file.forget(BUSAN, 0)]
    assert path.read_bytes() == mark + newline.join(["# 메모", "[취미: 등산]"]).encode(encoding)
    assert file.read() == (Memory("취미", "등산"),)
    assert file.undo(edits) == () and path.read_bytes() == before


def test_the_line_that_the_user_saw_is_the_one_that_goes(path):
    file = MemoryFile(path)
    file.add([NAME, SCHEDULE])
    path.write_text("[취미: 등산]\n[이름: 민수]\n[내일 일정: 친구 만나기]\n", encoding="utf-8")
    assert file.forget(SCHEDULE, 1).before == SCHEDULE, "a line was written above it in between"
    assert path.read_text(encoding="utf-8") == "[취미: 등산]\n[이름: 민수]\n"
    assert file.forget(SCHEDULE, 1) is None, "it is gone by now"
    assert path.read_text(encoding="utf-8") == "[취미: 등산]\n[이름: 민수]\n"


def test_of_equal_lines_the_one_at_its_place_goes(path):
    path.write_text("[이름: 민수]\n# 둘째\n[이름: 민수]\n", encoding="utf-8")
    MemoryFile(path).forget(NAME, 1)
    assert path.read_text(encoding="utf-8") == "[이름: 민수]\n# 둘째\n"


def test_undoing_leaves_what_was_edited_by_hand(path):
    file = MemoryFile(path)
    file.add([BUSAN])
    saved = file.add([SEOUL, NAME])
    path.write_text("[사는 곳: 제주]\n[이름: 민수]\n", encoding="utf-8")
    edits = edits_of(saved.added, saved.changed)
    assert file.undo(edits) == (Edit(BUSAN, SEOUL),)
    assert path.read_text(encoding="utf-8") == "[사는 곳: 제주]\n"


def test_a_file_that_is_gone_has_nothing_to_forget(path):
    assert MemoryFile(path).forget(NAME, 0) is None
    assert MemoryFile(path).undo([Edit(None, NAME)]) == (Edit(None, NAME),) and not path.exists()


def test_no_litter_but_the_lock_file(path):
    file = MemoryFile(path)
    for number in range(5):
        file.add([Memory("수", str(number))])
    names = {entry.name for entry in path.parent.iterdir()}
    assert names - {f".{path.name}.lock"} == {path.name}


@pytest.mark.skipif(WINDOWS, reason="Windows has no such permission bits")
def test_the_mode_is_kept(path):
    path.write_text("", encoding="utf-8")
    path.chmod(0o640)
    MemoryFile(path).add([NAME])
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link(tmp_path):
    real, link = tmp_path / "real" / "memory.txt", tmp_path / "link.txt"
    real.parent.mkdir()
    real.write_text("[이름: 민수]\n", encoding="utf-8")
    try:
        link.symlink_to(real)
    except OSError:
        pytest.skip("this system lets no ordinary user make a symbolic link")
    file = MemoryFile(link)
    assert file.add([SCHEDULE]).added == (SCHEDULE,)
    assert link.is_symlink()
    assert real.read_text(encoding="utf-8") == "[이름: 민수]\n[내일 일정: 친구 만나기]\n"
    assert file.read() == (NAME, SCHEDULE)


def test_a_lock_that_another_program_holds(path, monkeypatch):
    from filelock import FileLock

    from llm.memory_mechanism import memory_file

    monkeypatch.setattr(memory_file, "LOCK_SECONDS", 0.0)
    path.write_text("[이름: 민수]\n", encoding="utf-8")
    with FileLock(path.with_name(f".{path.name}.lock")), pytest.raises(MemoryFileError, match="다른 프로그램"):
        MemoryFile(path).add([SCHEDULE])
    with FileLock(path.with_name(f".{path.name}.lock")), pytest.raises(MemoryFileError, match="다른 프로그램"):
        MemoryFile(path).forget(NAME, 0)
    assert path.read_text(encoding="utf-8") == "[이름: 민수]\n"
    assert MemoryFile(path).add([SCHEDULE]).added == (SCHEDULE,)


_WORDS = st.text(st.sampled_from("가나다abc1 #!?·~🌙\u3000"), max_size=6)
_LINES = st.one_of(_WORDS, st.builds("[{}: {}]".format, _WORDS, _WORDS), st.sampled_from(["[", "]", "[:]", "# [a: b]"]))
_MEMORIES = st.lists(st.builds(lambda k, v: Memory.parse(f"{k}x:{v}y"), _WORDS, _WORDS), max_size=4)


@given(
    lines=st.lists(_LINES, max_size=6),
    newline=st.sampled_from(["\n", "\r\n"]),
    form=st.sampled_from(list(FORMS.values())),
    memories=_MEMORIES,
)
def test_whatever_stands_in_it(tmp_path_factory, lines, newline, form, memories):
    path = tmp_path_factory.mktemp("memory") / "memory.txt"
    encoding, mark = form
    before = mark + newline.join(lines).encode(encoding, errors="ignore")
    path.write_bytes(before)
    file = MemoryFile(path)
    known = file.read()

    saved = file.add(memories)
    added = saved.added
    kept = path if saved.backup is None else saved.backup
    assert kept.read_bytes().startswith(before), "what the user wrote stays, byte for byte"
    if saved.backup:
        assert path.read_bytes().startswith(b"\xef\xbb\xbf" + before.decode("cp949").encode()), "or letter for letter"
    assert file.read() == MemoryFile(path).read() == known + added, "what was added is read back"
    assert file.add(memories) == Saved(), "and is not added a second time"
    for memory in memories:
        assert sum(memory.same_as(other) for other in known + added) >= 1
        assert sum(memory.same_as(other) for other in added) <= 1


@given(
    above=st.lists(_LINES, max_size=4),
    below=st.lists(_LINES, max_size=4),
    newline=st.sampled_from(["\n", "\r\n"]),
    form=st.sampled_from(list(FORMS.values())),
    ending=st.sampled_from(["", " ", "\t ", " (2026-11-22)", "(2026-13-99) "]),
)
def test_whatever_stands_around_a_new_value(tmp_path_factory, above, below, newline, form, ending):
    path = tmp_path_factory.mktemp("memory") / "memory.txt"
    encoding, mark = form
    head, tail = ("".join(f"{line}{newline}" for line in lines).encode(encoding, "ignore") for lines in (above, below))
    note, blanks = ("", ending) if not ending.strip() else (ending.rstrip(), ending[len(ending.rstrip()) :])
    rest = f"{blanks}{newline}".encode(encoding) + tail
    path.write_bytes(mark + head + f"[사는 곳: 부산]{note}".encode(encoding) + rest)
    (change,) = MemoryFile(path).add([SEOUL]).changed
    assert (change.before.key, change.before.value, change.after) == ("사는 곳", "부산", SEOUL)
    assert path.read_bytes() == mark + head + str(SEOUL).encode(encoding) + rest


@given(data=st.binary(max_size=60), memories=_MEMORIES)
def test_whatever_bytes_it_holds(tmp_path_factory, data, memories):
    path = tmp_path_factory.mktemp("memory") / "memory.txt"
    path.write_bytes(data)
    file = MemoryFile(path)
    try:
        known = file.read()
        added = file.add(memories).added
    except MemoryFileError:
        assert path.read_bytes() == data
    else:
        assert MemoryFile(path).read() == known + added
        if not added:
            assert path.read_bytes() == data
