"""Chats on disk: what is written is read again, whatever a power cut or an editor left of it; and as Markdown."""

import json
import os
import stat
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from final_product.chat_log import (
    ChatLog,
    Record,
    chats_folder,
    find_chats,
    newest_chat,
    read_all,
    read_chat,
    times_written,
    to_markdown,
)
from llm.memory_mechanism.memory import Memory
from llm.memory_mechanism.retriever import Recall
from llm.reply import Reply
from stylegan_and_segmentation.properties import PropertyScores

SEOUL = timezone(timedelta(hours=9))
EVENING = datetime(2026, 11, 22, 20, 5, 54, tzinfo=SEOUL)
FIRST = Record(EVENING, "안녕", "안녕! 반가워 😊", eyes=-1.2, mouth=0.6, pose=-1.2)
SECOND = Record(
    EVENING + timedelta(minutes=1),
    "나 내일 뭐하지",
    "친구 만나잖아!",
    recalled="내일 일정: 친구 만나기",
    score=0.8712,
    saved=("[이름: 민수]",),
    changed=(("[사는 곳: 부산]", "[사는 곳: 서울]"),),
)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "Oh-LoRA" / "chats"


def keep(folder, *records):
    log = ChatLog(folder)
    for record in records:
        log.append(record)
    return log.path


def test_a_turn_becomes_a_record():
    turn = SimpleNamespace(
        prompt="나 내일 뭐하지",
        reply=Reply("친구 만나잖아!"),
        recalled=Recall(Memory("내일 일정", "친구 만나기"), 0.871234567),
        saved=(Memory("이름", "민수"), Memory("내일 일정", "이사", EVENING.date())),
        changed=(SimpleNamespace(before=Memory("사는 곳", "부산"), after=Memory("사는 곳", "서울")),),
        expression=PropertyScores(eyes=-1.2, mouth=0.6, pose=3.0),
        notices=("알림",),
    )
    record = Record.of(turn, EVENING, again=True)
    assert json.loads(record.to_json()) == {
        "time": "2026-11-22T20:05:54+09:00",
        "prompt": "나 내일 뭐하지",
        "reply": "친구 만나잖아!",
        "recalled": {"memory": "내일 일정: 친구 만나기", "score": 0.8712},
        "saved": ["[이름: 민수]", "[내일 일정: 이사] (2026-11-22)"],
        "changed": [{"before": "[사는 곳: 부산]", "after": "[사는 곳: 서울]"}],
        "expression": {"eyes": -1.2, "mouth": 0.6, "pose": 3.0},
        "again": True,
    }
    assert Record.from_json(record.to_json()) == record
    turn.recalled = None
    assert json.loads(Record.of(turn, EVENING).to_json())["recalled"] is None


@given(
    prompt=st.text(st.characters(), max_size=20),
    reply=st.text(st.characters(), max_size=20),
    saved=st.lists(st.text(st.characters(), max_size=5), max_size=2),
    score=st.none() | st.floats(-1, 1),
)
def test_whatever_was_said_is_read_again(tmp_path_factory, prompt, reply, saved, score):
    record = Record(EVENING, prompt, reply, None if score is None else prompt, score, tuple(saved))
    path = keep(tmp_path_factory.mktemp("chats"), record, FIRST)
    assert path.read_bytes().count(b"\n") == 2
    assert read_chat(path) == (record, FIRST)


def test_lone_surrogates_are_kept_as_well():
    record = Record(EVENING, "깨진\ud800 \\\udfff글자", "응")
    assert Record.from_json(record.to_json().encode("utf-8")) == record


def test_a_chat_is_one_file_made_with_its_first_turn(folder):
    log = ChatLog(folder)
    assert log.path is None and not folder.exists()
    log.append(FIRST)
    log.append(SECOND)
    assert find_chats(folder) == [log.path]
    assert log.path.read_text(encoding="utf-8").splitlines() == [FIRST.to_json(), SECOND.to_json()]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_nobody_else_reads_it(folder):
    path = keep(folder, FIRST)
    assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 == stat.S_IMODE(folder.stat().st_mode) & 0o077


def test_the_newest_chat(folder):
    assert newest_chat(folder) is None, "no folder yet"
    paths = [keep(folder, FIRST), keep(folder, SECOND), keep(folder, FIRST)]
    assert find_chats(folder) == paths[::-1] and newest_chat(folder) == paths[2]
    paths[2].write_bytes(b"\x00\x00\n{")
    (folder / "notes.txt").write_text("메모", encoding="utf-8")
    assert newest_chat(folder) == paths[1], "of those in which something was said"


BROKEN = {
    "torn": FIRST.to_json()[:-9].encode(),
    "torn within a letter": FIRST.to_json().encode()[: FIRST.to_json().encode().index("안".encode()) + 1],
    "zeros, as some file systems leave them": b"\x00" * 40,
    "another type": b"[1, 2]",
    "a number": b"7",
    "text": b'"time"',
    "fields missing": b'{"time": "2026-11-22T20:05:54+09:00"}',
    "a time without its zone": FIRST.to_json().replace("+09:00", "").encode(),
    "no time": FIRST.to_json().replace("2026-", "").encode(),
    "a number for a text": FIRST.to_json().replace('"안녕"', "7").encode(),
    "deep": b"[" * 100_000,
    "nothing": b"",
}


@pytest.mark.parametrize("line", BROKEN.values(), ids=BROKEN)
def test_a_broken_line_stops_nothing(folder, line):
    path = keep(folder, FIRST)
    with path.open("ab") as file:
        file.write(line)
    assert read_chat(path) == (FIRST,)
    ChatLog(folder, path).append(SECOND)
    assert read_chat(path) == (FIRST, SECOND), "what is said next has a line of its own"
    assert newest_chat(folder) == path and list(read_all(folder)) == [FIRST, SECOND]


def test_another_reply_replaces_the_first(folder):
    again = Record(EVENING, "안녕", "왔구나!", again=True)
    assert read_chat(keep(folder, SECOND, FIRST, again, again)) == (SECOND, again)
    assert read_chat(keep(folder, FIRST, SECOND, again)) == (SECOND, again), "a command came in between"
    assert read_chat(keep(folder, SECOND, again)) == (SECOND, again), "the one that it replaced is lost"


def test_when_memories_were_written(folder):
    assert times_written(read_all(folder)) == {}
    later = Record(EVENING + timedelta(days=1), "나 민수라니까", "그래", saved=("[이름: 민수]",))
    keep(folder, SECOND)
    keep(folder, later)
    assert times_written(read_all(folder)) == {"[이름: 민수]": later.time, "[사는 곳: 서울]": SECOND.time}


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OSError):
        ChatLog(tmp_path / "file" / "chats").append(FIRST)
    assert find_chats(tmp_path / "file" / "chats") == []


def test_a_chat_that_somebody_deleted_is_begun_anew(folder):
    log = ChatLog(folder)
    log.append(FIRST)
    log.path.unlink()
    log.append(SECOND)
    assert read_chat(log.path) == (SECOND,)


def test_the_folder_is_the_users_own():
    assert chats_folder().parts[-2:] == ("Oh-LoRA", "chats") and chats_folder().is_absolute()


def test_markdown():
    odd = Record(EVENING, "- *별*\n1. [링크](a)\x1b[31m\n\n# 제목", "")
    assert to_markdown([FIRST, SECOND, odd]) == (
        "# 오로라와의 대화\n"
        "\n"
        "2026-11-22 20:05부터 2026-11-22 20:05까지\n"
        "\n"
        "**나** (20:05)\n"
        "\n"
        "> 안녕\n"
        "\n"
        "**오로라** (표정: 눈 -1.2, 입 0.6, 고개 -1.2)\n"
        "\n"
        "> 안녕! 반가워 😊\n"
        "\n"
        "**나** (20:06)\n"
        "\n"
        "> 나 내일 뭐하지\n"
        "\n"
        "**오로라** (표정: 눈 0, 입 0, 고개 0)\n"
        "\n"
        "> 친구 만나잖아!\n"
        "\n"
        "- 떠올린 기억: 내일 일정: 친구 만나기 (0.87)\n"
        "- 적어 둔 기억: \\[이름: 민수\\]\n"
        "- 고친 기억: \\[사는 곳: 부산\\] → \\[사는 곳: 서울\\]\n"
        "\n"
        "**나** (20:05)\n"
        "\n"
        "> \\- \\*별\\*\\\n"
        "> 1\\. \\[링크\\](a)\\[31m\\\n"
        "> \\\n"
        "> \\# 제목\n"
    )
    assert to_markdown([]) == "# 오로라와의 대화\n"
