"""One chat over three days (and a fourth) about one appointment, with the embedded models and a clock of its own.

python -m tests.scenes.three_days
"""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

from final_product.companion import Turn
from tests.scenes.embedded import Scene

SUNDAY = date(2026, 11, 22)
OTHERS = "# 내가 적은 것\n[이름: 하람]\n[좋아하는 음식: 떡볶이]\n[사는 곳: 부산]\n[고양이 이름: 나비]\n"


def play(scene: Scene) -> dict[str, Turn]:
    """The chat; what came of each line that is looked at."""
    scene.path.write_text(OTHERS, encoding="utf-8")
    turns = {}
    scene.begin()
    turns["told"] = scene.say("[내일 일정: 지우랑 전시회 보기] 나 내일 바빠")
    turns["asked the day before"] = scene.say("나 내일 뭐하지")
    turns["changed"] = scene.say("[내일 일정: 지우랑 영화 보기] 전시회 말고 영화 보기로 했어")
    turns["asked again"] = scene.say("나 내일 뭐하지")
    scene.begin(days=1)
    turns["asked on the day"] = scene.say("나 오늘 뭐하지")
    turns["asked for tomorrow"] = scene.say("나 내일 뭐하지")
    scene.begin(days=1)
    turns["asked the day after"] = scene.say("나 어제 뭐 했더라")
    turns["asked for today"] = scene.say("나 오늘 뭐하지")
    scene.begin(days=1)
    turns["asked too late"] = scene.say("나 어제 뭐 했더라")
    return turns


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene(Path(folder) / "ohlora_memory.txt", SUNDAY)
        play(scene)
        print("\n".join(scene.lines))
        print(f"\n== the file ==\n{scene.path.read_text(encoding='utf-8')}")


if __name__ == "__main__":
    main()
