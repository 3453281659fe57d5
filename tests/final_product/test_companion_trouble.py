"""A chat over a memory file with which something is wrong: one clear Korean line, and the chat goes on."""

import os
import re
from datetime import date

import pytest

from final_product.companion import Companion
from llm.memory_mechanism.memory import Memory
from llm.memory_mechanism.memory_file import MemoryFile
from llm.memory_mechanism.retriever import Recall

NAME = Memory("이름", "민수")


class Model:
    def stream(self, prompt, generator=None):
        yield " [이름: 민수] 반가워! (답변 종료)"


class Retriever:
    def best(self, prompt, memories, suits):
        return Recall(memories[-1], 0.9) if memories else None


def _directory(path):
    path.mkdir()


def _folder_is_a_file(path):
    path.parent.rmdir()
    path.parent.write_text("파일", encoding="utf-8")


def _sparse(path):
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)


def _bytes(data):
    return lambda path: path.write_bytes(data)


TROUBLES = {
    "a directory in its place": _directory,
    "a file in its folder's place": _folder_is_a_file,
    "100 MB": _sparse,
    "NUL bytes": _bytes(bytes(1000)),
    "neither UTF-8 nor cp949": _bytes(b"[\xff\xff: \xff]\n"),
    "half a UTF-16 character": _bytes(b"\xff\xfe[\x00k\x00:\x00 \x00v\x00]\x00\n"),
}


@pytest.fixture
def path(tmp_path):
    (tmp_path / "memory").mkdir()
    return tmp_path / "memory" / "ohlora_memory.txt"


def companion(path):
    return Companion(Model(), Retriever(), MemoryFile(path), lambda scores: None, today=lambda: date(2026, 11, 22))


@pytest.mark.parametrize("spoil", TROUBLES.values(), ids=TROUBLES)
def test_the_chat_goes_on(path, spoil):
    spoil(path)
    her = companion(path)
    for said in ("나 민수야", "[내일 일정: 이사] 나 내일 바빠"):
        assert "".join(her.respond(said)) == "반가워!"
        turn = her.turn
        assert (turn.saved, turn.changed) == ((), ())
        assert len(turn.notices) in (1, 2), "what could not be read, and what could not be written"
        for notice in turn.notices:
            assert re.match("기억 파일", notice) and "\n" not in notice and str(path) in notice


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_the_chat_goes_on_while_the_disk_is_full(path, monkeypatch, failing):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    path.write_text("[사는 곳: 부산]\n", encoding="utf-8")
    her = companion(path)
    with monkeypatch.context() as broken:
        broken.setattr(os, failing, full)
        assert "".join(her.respond("나 민수야")) == "반가워!"
        assert her.turn.recalled == Recall(Memory("사는 곳", "부산"), 0.9) and her.turn.saved == ()
        assert her.turn.notices == (f"기억 파일에 적지 못했어요: {path} (No space left on device)",)
    assert path.read_text(encoding="utf-8") == "[사는 곳: 부산]\n"
    assert "".join(her.respond("나 민수야")) == "반가워!" and her.turn.saved == (NAME,) and her.turn.notices == ()


def test_a_folder_that_is_not_there_is_made(path):
    path.parent.rmdir()
    her = companion(path)
    assert "".join(her.respond("나 민수야")) == "반가워!"
    assert her.turn.saved == (NAME,) and her.turn.notices == () and path.read_text(encoding="utf-8") == "[이름: 민수]\n"


def test_a_line_of_a_million_characters_is_left_alone(path):
    before = f"[사는 곳: 부산]\n[일기: {'말' * 1_000_000}]\n"
    path.write_text(before, encoding="utf-8")
    her = companion(path)
    assert "".join(her.respond("나 민수야")) == "반가워!"
    assert her.turn.recalled.memory == Memory("사는 곳", "부산"), "it would crowd the prompt out"
    assert her.turn.notices == () and path.read_text(encoding="utf-8") == before + "[이름: 민수]\n"
