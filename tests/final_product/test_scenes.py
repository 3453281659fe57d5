"""The scenes of the closing note, played with the embedded models: what is recalled and what becomes of the file."""

import pytest

from llm.memory_mechanism.meaning import Change
from llm.memory_mechanism.memory import Memory
from tests.scenes import cp949_file, three_days
from tests.scenes.embedded import Scene

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


def test_one_appointment_over_three_days(tmp_path):
    turns = three_days.play(Scene(tmp_path / "memory.txt", three_days.SUNDAY))
    exhibition, film = (
        Memory("내일 일정", value, three_days.SUNDAY) for value in ("지우랑 전시회 보기", "지우랑 영화 보기")
    )
    assert turns["told"].saved[0] == exhibition
    assert turns["changed"].changed[0] == Change(exhibition, film)
    recalled = {name: turn.recalled and turn.recalled.memory.item for name, turn in turns.items()}
    recalled.pop("told"), recalled.pop("changed")
    assert recalled == {
        "asked the day before": "내일 일정: 지우랑 전시회 보기",
        "asked again": "내일 일정: 지우랑 영화 보기",
        "asked on the day": "오늘 일정: 지우랑 영화 보기",
        "asked for tomorrow": None,
        "asked the day after": "어제 일정: 지우랑 영화 보기",
        "asked for today": None,
        "asked too late": None,
    }
    assert turns["asked on the day"].line == turns["asked the day after"].line == film
    text = (tmp_path / "memory.txt").read_text(encoding="utf-8")
    assert text.startswith(three_days.OTHERS + f"{film}\n"), "the line stands in the file as it was written"


def test_a_cp949_file_edited_in_between(tmp_path):
    scene = Scene(tmp_path / "memory.txt", cp949_file.DAY)
    before, added, edited, changed, marked = cp949_file.play(scene)
    # What she writes down by herself, if anything, stands behind it all.
    assert added.startswith(before + "\r\n[내일 일정: 치과] (2026-11-22)\r\n".encode("cp949"))
    assert changed.startswith(edited.replace("[사는 곳: 부산]".encode("cp949"), "[사는 곳: 서울]".encode("cp949")))
    text = changed.decode("cp949")
    text += "" if text.endswith("\r\n") else "\r\n"
    assert marked.startswith(f"\ufeff{text}[좋아하는 것: 노을 🌅]\r\n".encode())
    assert (tmp_path / "memory.txt.cp949.bak").read_bytes() == changed
    assert any("UTF-8로 바꾸었어요" in line for line in scene.lines)
