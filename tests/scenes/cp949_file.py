"""A memory file in cp949 with comments, edited by hand while she talks: its bytes before and after every step.

python -m tests.scenes.cp949_file
"""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

from tests.scenes.embedded import Scene

DAY = date(2026, 11, 22)
BEFORE = (
    "# 오로라의 기억 (메모장에서 고침)\r\n"
    "[이름: 하람]\r\n"
    "\r\n"
    "; 집 이야기\r\n"
    "[사는 곳: 부산]\r\n"
    "[반쪽 괄호: 이건 기억이 아님\r\n"
    "[취미: 등산]"  # no last line end
)


def play(scene: Scene) -> list[bytes]:
    """The file's bytes at the start, after a memory, after an edit by hand, after a change, after a new encoding."""
    scene.path.write_bytes(BEFORE.encode("cp949"))
    stages = [scene.show_bytes("before")]
    scene.say("[내일 일정: 치과] 나 내일 바빠")
    stages.append(scene.show_bytes("a memory was added"))

    data = stages[-1].replace("; 집 이야기".encode("cp949"), "; 우리 집, 2층".encode("cp949"))
    data = data.replace("[취미: 등산]\r\n".encode("cp949"), b"")
    scene.path.write_bytes(data + "# 손으로 한 줄".encode("cp949"))
    stages.append(scene.show_bytes("a comment edited, a memory deleted and a comment added by hand"))

    scene.say("[사는 곳: 서울] 나 서울로 이사했어")
    stages.append(scene.show_bytes("a value was changed where it stands"))
    scene.say("[좋아하는 것: 노을 🌅] 이거 봐")
    stages.append(scene.show_bytes("a letter that cp949 lacks: UTF-8 with its mark"))
    return stages


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene(Path(folder) / "ohlora_memory.txt", DAY)
        stages = play(scene)
        print("\n".join(scene.lines))
        backup = scene.path.with_name(f"{scene.path.name}.cp949.bak")
        print(f"\n{backup.name} holds the bytes before that: {backup.read_bytes() == stages[3]}")


if __name__ == "__main__":
    main()
