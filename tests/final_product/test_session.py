"""A chat and its commands, with a companion whose model says what a test wrote down: whole transcripts."""

import contextlib
import io
import itertools
import threading
from datetime import datetime

import pytest
from PIL import Image

from final_product.chat_log import ChatLog, Record, find_chats, read_chat
from final_product.companion import Companion
from final_product.display import REPLY_PREFIX, Display
from final_product.session import Session
from final_product.terminal import GOODBYE, chat
from llm.expressions.reader import Reading
from llm.memory_mechanism.memory import Memory
from llm.memory_mechanism.memory_file import MemoryFile
from llm.memory_mechanism.retriever import Recall

END = " (답변 종료)"
NAMES = "평온, 미소, 웃음, 놀람, 슬픔, 걱정, 당황, 외면, 생각, 신남, 미안, 곤란, 잠"


class Model:
    """Says one text after the other, then the last one again and again."""

    def __init__(self, *texts):
        self.texts = list(texts)

    def stream(self, prompt, generator=None):
        yield from self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]


class Retriever:
    """Finds the last memory whose key has a word of the prompt."""

    def best(self, prompt, memories, suits):
        found = [m for m in memories if any(word in prompt for word in m.key.split())]
        return Recall(found[-1], 0.8765) if found else None


class Program:
    """What ``run.py`` puts together, small; pictures are drawn at once."""

    def __init__(self, folder, *texts, face=True):
        self.image = folder / "ohlora.png"
        self.memory_file = MemoryFile(folder / "memory.txt")
        self.seed = 11
        self.face = face
        self.faces, self.told = [], []
        self.her = Companion(Model(*texts), Retriever(), self.memory_file, self.request)

    def companion(self, on_wait):
        return self.her

    def notices(self):
        told, self.told = [f"({notice})" for notice in self.told], []
        return told

    def tell(self, notice):
        self.told.append(notice)

    def request(self, scores):
        if self.face:
            self.faces.append((scores.eyes, scores.mouth, scores.pose))
            Image.new("RGB", (8, 8)).save(self.image)
        return self.face

    def draw(self, eyes, mouth, pose):
        from stylegan_and_segmentation.properties import PropertyScores

        return self.request(PropertyScores(eyes=eyes, mouth=mouth, pose=pose))

    def drawn(self):
        event = threading.Event()
        event.set()
        return event

    def reseed(self, seed):
        self.seed = seed

    def models(self):
        return ["언어 모델: 내장 모델 (llm/models/embedded/adapter)"]

    def download(self):
        self.told.append("받았어요")


class Screen(Display):
    """A display that notes which pictures it was to show."""

    def __init__(self):
        self.out = io.StringIO()
        self.pictures = []
        super().__init__(self.out)

    def picture(self, path):
        path.read_bytes()
        self.pictures.append(path)


class Typed:
    """The user's lines; what is callable is done in between."""

    echoes = True

    def __init__(self, lines):
        self.lines = list(lines)

    def read(self, prompt):
        while self.lines and callable(self.lines[0]):
            self.lines.pop(0)()
        return self.lines.pop(0) if self.lines else None

    def quiet(self):
        return contextlib.nullcontext()


class Chat:
    """Chats of one user, one after the other."""

    def __init__(self, folder):
        self.folder = folder
        self.chats = folder / "chats"
        self.memory = folder / "memory.txt"
        self.program = Program(folder, f"응!{END}")

    def says(self, *texts, face=True):
        self.program = Program(self.folder, *(f" {text}{END}" for text in texts), face=face)
        return self

    def __call__(self, *lines, resume=False, **options):
        """The lines of the transcript, the goodbye aside."""
        self.screen = Screen()
        ticks = itertools.count(100, 2)
        self.session = Session(self.program, self.screen, self.chats, clock=lambda: next(ticks), **options)
        if resume:
            self.session.resume()
        chat(Typed(lines), self.screen, self.session)
        shown = self.screen.out.getvalue().splitlines()
        assert shown.pop() == GOODBYE
        return [line.replace(REPLY_PREFIX, "> ") for line in shown]

    def write(self, *lines):
        self.memory.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    @property
    def lines(self):
        return self.memory.read_text(encoding="utf-8").splitlines()

    @property
    def records(self):
        (path,) = find_chats(self.chats)
        return read_chat(path)


@pytest.fixture
def her(tmp_path):
    return Chat(tmp_path)


def today():
    return f"{datetime.now():%Y-%m-%d}"


# --- what is kept ---------------------------------------------------------------------------------------------------


def test_every_turn_is_kept(her):
    her.says("[이름: 민수] 반가워!", "민수잖아!", "잊었어?")
    her("나 민수야", "내 이름 뭐게", "[취미: 등산] 어때")
    first, second, third = her.records
    assert (first.prompt, first.reply, first.saved, first.recalled) == ("나 민수야", "반가워!", ("[이름: 민수]",), None)
    assert (second.recalled, second.score, second.saved) == ("이름: 민수", 0.8765, ())
    assert (third.prompt, third.saved) == ("[취미: 등산] 어때", ("[취미: 등산]",))
    assert (first.eyes, first.mouth, first.pose) == (-1.2, 0.6, -1.2)
    assert first.time.tzinfo is not None and abs((datetime.now().astimezone() - first.time).total_seconds()) < 60


def test_nothing_is_kept_where_nothing_was_said_or_nothing_is_to_be(her):
    her("/기억", "/도움말")
    her("안녕", log=False)
    assert not her.chats.exists()


def test_a_chat_goes_on(her):
    her.says("하나", "둘", "셋", "넷", "다섯", "여섯", "일곱")
    her("1", "2", "3", "4", "5", "6")
    shown = her("7", resume=True)
    assert shown[:2] == ["오로라에게 말하기 (Ctrl+C to finish) : 2", "> 둘"] and len(shown) == 12
    assert shown[9] == "> 여섯" and shown[10].endswith("에 나눈 대화를 이어서 해요.)") and shown[11] == "> 일곱"
    assert [record.prompt for record in her.records] == list("1234567"), "in the same file"
    her("8", resume=True, log=False)
    assert len(her.records) == 7


def test_there_may_be_no_chat_to_go_on_with(her):
    assert her("안녕", resume=True) == ["(이어 갈 대화가 없어서 새로 시작할게요.)", "> 응!"]
    assert len(her.records) == 1


def test_a_torn_chat_goes_on(her):
    her("안녕")
    (path,) = find_chats(her.chats)
    path.write_bytes(path.read_bytes() + b'{"time": "2026-11-2')
    assert her("또", resume=True)[-1] == "> 응!"
    assert [record.prompt for record in her.records] == ["안녕", "또"]


def test_a_chat_that_cannot_be_kept_is_told_once(her):
    her.chats.write_text("a file where the folder should be", encoding="utf-8")
    shown = her("안녕", "또", "/기록")
    notice = shown.pop(1)
    assert notice.startswith(f"(대화를 적어 두지 못했어요: {her.chats}")
    assert shown == ["> 응!", "> 응!", "(남아 있는 대화가 없어요.)"]


def test_chats_of_before(her):
    assert her("/기록", "/기록 1") == [
        "(남아 있는 대화가 없어요.)",
        "(1번 대화는 없어요. /기록 을 쓰면 번호를 볼 수 있어요.)",
    ]
    her("안녕\n\n줄이 둘")
    her("[취미: 등산] 또", "그래")
    newest, oldest = her("/기록", log=False)
    assert newest.startswith(f"1  {today()}") and newest.endswith("2번  [취미: 등산] 또")
    assert oldest.startswith(f"2  {today()}") and oldest.endswith("1번  안녕 줄이 둘")
    assert her("/log 2") == ["오로라에게 말하기 (Ctrl+C to finish) : 안녕 줄이 둘", "> 응!"]
    usage = "(이렇게 써 주세요: /기록 또는 /기록 N)"
    assert her("/기록 3", "/기록 하나") == ["(3번 대화는 없어요. /기록 을 쓰면 번호를 볼 수 있어요.)", usage]


def test_saving_as_markdown(her, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    usage = "(이렇게 써 주세요: /저장 FILE.md)"
    assert her("/저장 a.md", "안녕", "/저장", "/저장 a.md", '/저장 "b c"', "/save a.md") == [
        "(아직 저장할 대화가 없어요.)",
        "> 응!",
        usage,
        "(저장했어요: a.md)",
        "(저장했어요: b c.md)",
        "(이미 있는 파일이에요: a.md - 다른 이름을 써 주세요.)",
    ]
    text = (tmp_path / "a.md").read_text(encoding="utf-8")
    assert "> 안녕\n" in text and "**오로라** (표정: 눈 -1.2, 입 0.6, 고개 -1.2)\n\n> 응!\n" in text
    assert (tmp_path / "b c.md").read_text(encoding="utf-8") == text
    (shown,) = her("안녕", "/저장 none/such.md")[1:]
    assert shown.startswith("(저장하지 못했어요: none/such.md (")
    (shown,) = her("안녕", "/저장 a\x00.md")[1:]
    assert shown.startswith("(저장하지 못했어요: a")
    her("또", "/저장 d.md", resume=True, log=False)
    assert "안녕" in (tmp_path / "d.md").read_text(encoding="utf-8"), "the chat that went on is one chat"


# --- memories -------------------------------------------------------------------------------------------------------


def test_the_table_of_memories(her):
    assert her("/기억") == ["(적어 둔 기억이 없어요.)"]
    her.says("[이름: 민수] 반가워!", "응!")
    her("나 민수야")
    before = Record(datetime(2026, 11, 20, 9, 30).astimezone(), "나 부산 살아", "응", saved=("[사는 곳: 부산]",))
    ChatLog(her.chats).append(before)
    her.write("[이름: 민수]", "# 손으로", "[취미: 등산]", "[사는 곳: 부산]", "[내일 일정: 이사] (2026-11-21)")
    first, *rest = her("/기억", log=False)
    assert first.startswith(f"1  이름  민수  {today()}")
    assert rest == ["2  취미  등산", "3  사는 곳  부산  2026-11-20 09:30", "4  내일 일정  이사  2026-11-21"]
    her.says("[고향: 전주] 그렇구나!")
    (shown,) = her("나 전주에서 왔어", "/memory", log=False)[-1:]
    assert shown.startswith(f"5  고향  전주  {today()}"), "also where nothing is kept"


def test_adding_a_memory(her):
    assert her(
        "/기억 추가 [취미: 등산]",
        "/memory 추가 사는 곳: 부산",
        "/기억 추가 [사는 곳: 서울] [이름: 민수]",
        "/기억 추가 [취미:등산]",
    ) == [
        "(기억: 취미: 등산)",
        "(기억: 사는 곳: 부산)",
        "(기억: 이름: 민수)",
        "(기억: 사는 곳 부산 → 서울)",
        "(이미 알고 있어요.)",
    ]
    assert her.lines == ["[취미: 등산]", "[사는 곳: 서울]", "[이름: 민수]"]
    assert her.records[0].prompt == "/기억 추가 [취미: 등산]"
    assert her("/기억\n추가\n[꿈: 화가]") == ["(기억: 꿈: 화가)"]
    assert her("/기억 추가 [내일 일정: 이사]") and her.lines[-1] == f"[내일 일정: 이사] ({today()})"


@pytest.mark.parametrize(
    "line",
    [
        "추가",
        "추가 민수",
        "추가 [민수]",
        "추가 [: 민수]",
        "추가 [이름: 민수] 안녕",
        "추가 이름: [민수",
        "지워",
        "추가[a: b]",
    ],
)
def test_what_is_no_memory_is_told_the_usage(her, line):
    assert her(f"/기억 {line}") == ["(이렇게 써 주세요: /기억 또는 /기억 추가 [키: 값])"]
    assert not her.memory.exists()


def test_forgetting(her):
    her.write("[이름: 민수]", "[취미: 등산]", "[직업: 학생]")
    assert her(
        "/기억", "/잊어 1", "/잊어 3", "/잊어 1", "/잊어 4", "/기억", "/잊어 1", "/잊어", "/잊어 둘", "/forget 0"
    )[3:] == [
        "(잊음: 이름: 민수)",
        "(잊음: 직업: 학생)",
        "(이름: 민수 - 이미 없는 기억이에요.)",
        "(4번 기억은 없어요. /기억 을 쓰면 번호를 볼 수 있어요.)",
        "1  취미  등산",
        "(잊음: 취미: 등산)",
        *["(이렇게 써 주세요: /잊어 N)"] * 3,
    ], "numbers are those of the table that the user has before him"
    assert her.lines == []


def test_forgetting_without_a_look_at_the_table(her):
    her.write("[이름: 민수]", "[취미: 등산]")
    assert her("/잊어 2", "/잊어 2") == [
        "(잊음: 취미: 등산)",
        "(2번 기억은 없어요. /기억 을 쓰면 번호를 볼 수 있어요.)",
    ]


def test_escape_sequences_in_the_file_stay_in_the_file(her):
    her.memory.write_bytes("[이름: \x1bc민수\x9b31m\x07]\n".encode())
    shown = her("/기억", "이름이 뭐게", "/왜", "/잊어 1", "/되돌리기")
    assert shown[-2:] == ["(잊음: 이름: c민수31m)", "(되돌림: 이름: c민수31m 다시 적음)"]
    assert not {"\x1b", "\x07", "\x9b"} & set("".join(shown))
    assert her.memory.read_bytes() == "[이름: \x1bc민수\x9b31m\x07]\n".encode()


def test_undoing_step_by_step(her):
    her.says("[사는 곳: 서울] 그래!", "응!")
    her.write("[사는 곳: 부산]", "# 메모", "[이름: 민수]")
    before = her.memory.read_bytes()
    assert her("나 서울로 이사했어", "/잊어 2", "/기억 추가 [취미: 등산]", *["/되돌리기"] * 4) == [
        "> 그래!",
        "(기억: 사는 곳 부산 → 서울)",
        "(잊음: 이름: 민수)",
        "(기억: 취미: 등산)",
        "(되돌림: 취미: 등산 지움)",
        "(되돌림: 이름: 민수 다시 적음)",
        "(되돌림: 사는 곳 서울 → 부산)",
        "(되돌릴 것이 없어요.)",
    ]
    assert her.memory.read_bytes() == before


def test_what_was_edited_by_hand_is_not_undone(her):
    her.says("[사는 곳: 서울] [이름: 민수] 그래!")
    her.write("[사는 곳: 부산]")
    assert her("나 서울 사는 민수", lambda: her.write("[사는 곳: 제주]", "[이름: 민수]"), "/undo")[3:] == [
        "(사는 곳: 서울 - 그사이에 손으로 고치신 것이라 그대로 두었어요.)",
        "(되돌림: 이름: 민수 지움)",
    ]
    assert her.lines == ["[사는 곳: 제주]"]


def test_a_memory_file_that_cannot_be_written(her):
    her.says("[이름: 민수] 반가워!")
    commands = ("/되돌리기", "/다시", "/기억", "/잊어 1", "/기억 추가 [a: b]")
    shown = her("나 민수야", lambda: her.memory.write_bytes(b"[\xff\xff: \xff]\n"), *commands)
    assert shown[:2] == ["> 반가워!", "(기억: 이름: 민수)"]
    assert len(shown) == 7 and all(line.startswith("(기억 파일의 글자를 읽지 못했어요") for line in shown[2:])
    assert her.memory.read_bytes() == b"[\xff\xff: \xff]\n"


# --- the last reply -------------------------------------------------------------------------------------------------


def test_why(her):
    her.write("[취미: 등산]")
    her.says("오! 등산이지!", "응.", "알았어!")
    assert her("/왜", "내 취미 뭐게", "/왜", "심심해", "/why", "[이름: 민수] 기억해", "/왜", "/왜 그래") == [
        "(아직 답한 말이 없어요. 먼저 말을 걸어 주세요.)",
        "> 오! 등산이지!",
        "떠올린 기억: 취미: 등산 (비슷한 정도 0.88)",
        "표정: 눈 1.6, 입 1.3, 고개 -1.2",
        "걸린 시간: 2.0초",
        "> 응.",
        "떠올린 기억: 없음",
        "표정: 눈 -1.2, 입 -1.2, 고개 -1.2 (평온)",
        "걸린 시간: 2.0초",
        "> 알았어!",
        "(기억: 이름: 민수)",
        "떠올린 기억: 이름: 민수 (비슷한 정도 1.00)",
        "표정: 눈 -1.2, 입 0.6, 고개 -1.2 (미소)",
        "걸린 시간: 2.0초",
        "(이렇게 써 주세요: /왜)",
    ]


def test_why_tells_how_sure_the_face_is_where_it_was_read_from_the_reply(her):
    class Expressions:
        def read(self, reply):
            return Reading("sadness", 0.876)

    her.says("그랬구나.")
    her.program.her.expressions = Expressions()
    assert her("우울해", "/왜")[-2] == "표정: 눈 -2.4, 입 -1.2, 고개 1.8 (슬픔, 답에서 읽음, 확률 0.88)"


def test_why_names_the_line_where_it_reads_otherwise_today(her):
    her.write("[내일 일정: 이사] (2026-11-21)")
    her.program.her.today = lambda: datetime(2026, 11, 22).date()
    assert her("오늘 뭐해", "/왜")[1:3] == [
        "떠올린 기억: 오늘 일정: 이사 (비슷한 정도 0.88)",
        "파일에 있는 줄: [내일 일정: 이사] (2026-11-21)",
    ]


def test_another_reply_undoes_the_memories_of_the_first(her):
    her.says("[이름: 인수] 반가워!", "[이름: 민수] 안녕!", "그래!")
    assert her("/다시", "나 민수야", "/다시", "/again", "/되돌리기") == [
        "(아직 답한 말이 없어요. 먼저 말을 걸어 주세요.)",
        "> 반가워!",
        "(기억: 이름: 인수)",
        "(되돌림: 이름: 인수 지움)",
        "> 안녕!",
        "(기억: 이름: 민수)",
        "(되돌림: 이름: 민수 지움)",
        "> 그래!",
        "(되돌릴 것이 없어요.)",
    ]
    assert her.lines == []
    (record,) = her.records
    assert (record.prompt, record.reply, record.again) == ("나 민수야", "그래!", True)


def test_what_the_user_wrote_down_stays_with_another_reply(her):
    her.says("[취미: 등산] 반가워!", "[꿈: 화가] 그래!", "응!")
    her.write("[직업: 학생]")
    shown = her("[이름: 민수] 등산 좋아해", "/다시")
    assert shown == [
        "> 반가워!",
        "(기억: 이름: 민수)",
        "(기억: 취미: 등산)",
        "(되돌림: 취미: 등산 지움)",
        "> 그래!",
        "(기억: 꿈: 화가)",
    ]
    assert her.lines == ["[직업: 학생]", "[이름: 민수]", "[꿈: 화가]"]
    (record,) = her.records
    assert record.saved == ("[이름: 민수]", "[꿈: 화가]") and record.again


def test_another_reply_writes_nothing_that_the_user_took_away_or_edited(her):
    her.says("[취미: 등산] 반가워!", "그래!")
    her("[이름: 민수] 안녕", lambda: her.write("[이름: 철수]", "[취미: 등산]"), "/다시")
    assert her.lines == ["[이름: 철수]"]
    her.says("[직업: 화가] 그래!", "응!")
    her.write("[이름: 철수]", "[직업: 학생]")
    assert her("[사는 곳: 부산] 나 화가가 됐어", "/다시", "/되돌리기", "/다시", "/되돌리기") == [
        "> 그래!",
        "(기억: 사는 곳: 부산)",
        "(기억: 직업 학생 → 화가)",
        "(되돌림: 직업 화가 → 학생)",
        "> 응!",
        "(되돌림: 사는 곳: 부산 지움)",
        "> 응!",
        "(되돌릴 것이 없어요.)",
    ]
    assert her.lines == ["[이름: 철수]", "[직업: 학생]"]


# --- her face -------------------------------------------------------------------------------------------------------


def test_expressions(her):
    range_ = "(눈, 입, 고개는 -4에서 4 사이의 수로 써 주세요.)"
    usage = f"(이렇게 써 주세요: /표정 이름 또는 /표정 눈 입 고개 (이름: {NAMES}))"
    assert her("/표정 미소", "/face", "/표정 1 0.5 -2", "/표정 9 0 0", "/표정", "/표정 행복", "/얼굴 정면") == [
        "(표정: 눈 -1.2, 입 0.6, 고개 -1.2)",
        "(표정: 눈 1, 입 0.5, 고개 -2)",
        range_,
        usage,
        usage,
        "(이렇게 써 주세요: /얼굴)",
    ]
    assert her.program.faces == [(-1.2, 0.6, -1.2), (1.0, 0.5, -2.0)] and her.screen.pictures == [her.program.image]


def test_the_face_after_each_reply(her):
    her("안녕", "/표정 웃음", "또", show_face=True)
    assert her.screen.pictures == [her.program.image] * 3
    her("안녕")
    assert her.screen.pictures == []


def test_without_a_face(her):
    her.says("응!", face=False)
    assert her("/표정 미소", "/얼굴", "안녕", show_face=True) == [
        "(지금은 얼굴을 그리지 않아요. --no-face 없이 시작하면 그려요.)",
        "(아직 그린 얼굴이 없어요. 말을 걸거나 /표정 을 써 보세요.)",
        "> 응!",
        "(아직 그린 얼굴이 없어요. 말을 걸거나 /표정 을 써 보세요.)",
    ]


def test_a_face_that_cannot_be_read(her):
    her.program.image.mkdir()
    (shown,) = her("/얼굴")
    assert shown.startswith(f"(얼굴 그림을 읽지 못했어요: {her.program.image} (")


# --- the program ----------------------------------------------------------------------------------------------------


def test_models_and_seed(her):
    usage = "(이렇게 써 주세요: /시드 또는 /시드 N)"
    assert her("/모델", "/모델 받기", "/모델 삭제", "/시드", "/시드 7", "/시드 -1", "/seed 칠", f"/시드 {2**63}") == [
        "언어 모델: 내장 모델 (llm/models/embedded/adapter)",
        "(받았어요)",
        "(이렇게 써 주세요: /모델 또는 /모델 받기)",
        "(시드: 11)",
        "(시드: 7)",
        usage,
        usage,
        usage,
    ]
    assert her.program.seed == 7


@pytest.mark.parametrize("line", ["/다시 한 번", "/되돌리기 3", "/얼굴 왼쪽", "/왜 왜"])
def test_what_takes_no_more_words_says_so(her, line):
    assert her("안녕", line)[1:] == [f"(이렇게 써 주세요: {line.split()[0]})"]


def test_a_memory_of_the_typed_kind_is_what_the_companion_makes_of_it(her):
    her("/기억 추가 [이름: (답변 종료)민수]")
    assert her.program.memory_file.read() == (Memory("이름", "민수"),)
