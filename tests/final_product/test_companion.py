"""One turn with small fakes: what reaches the model, the memory file and the face, and in which order."""

from datetime import date, timedelta

import pytest

from final_product.care import HELP
from final_product.companion import REMEMBER_THIS, Companion, Turn
from final_product.expression import expression_of, scores_of
from llm.errors import PromptTooLongError
from llm.expressions.reader import Reading
from llm.memory_mechanism.meaning import Change
from llm.memory_mechanism.memory import Memory
from llm.memory_mechanism.memory_file import MemoryFile
from llm.memory_mechanism.retriever import Recall
from llm.prompt import render_prompt
from llm.reply import IGNORED, Reply

SCHEDULE = Memory("내일 일정", "친구 만나기")
NAME = Memory("이름", "민수")
SUNDAY = date(2026, 11, 22)
WRITTEN = Memory("내일 일정", "친구 만나기", SUNDAY)  # SCHEDULE as the file has it when it was said on that Sunday
END = " (답변 종료)"


class FakeModel:
    """Says one text after the other, a letter at a time, and remembers what it was asked."""

    def __init__(self, *texts):
        self.texts = list(texts)
        self.prompts, self.generators = [], []
        self.letters = 0

    def stream(self, prompt, generator=None):
        self.prompts.append(prompt)
        self.generators.append(generator)
        return self.speak(self.texts.pop(0) if len(self.texts) > 1 else self.texts[0])

    def speak(self, text):
        for letter in text:
            self.letters += 1
            yield letter


class FakeRetriever:
    """Finds the first memory that suits and whose key has a word of the prompt."""

    def __init__(self):
        self.asked = []

    def best(self, prompt, memories, suits):
        self.asked.append((prompt, tuple(memories)))
        found = [m for m in memories if any(word in prompt for word in m.key.split()) and suits(m)]
        return Recall(found[0], 0.9) if found else None


class Broken:
    """A retriever whose device gives up."""

    def best(self, prompt, memories, suits):
        raise RuntimeError("CUDA out of memory.\n  Tried to allocate 2 MiB")


@pytest.fixture
def chat(tmp_path):
    return Chat(tmp_path / "memory" / "ohlora_memory.txt")


class Chat:
    """A companion with its fakes at hand, on a Sunday."""

    def __init__(self, path):
        self.path = path
        self.day = SUNDAY
        self.faces = []
        self.retriever = FakeRetriever()

    def with_model(self, *texts, retriever=None):
        self.model = FakeModel(*texts)
        self.companion = Companion(
            self.model,
            retriever or self.retriever,
            MemoryFile(self.path),
            self.faces.append,
            generator="dice",
            today=lambda: self.day,
        )
        return self

    def say(self, said):
        self.shown = "".join(self.companion.respond(said))
        return self.companion.turn

    @property
    def saved(self):
        return self.path.read_text(encoding="utf-8") if self.path.is_file() else None


def turn(said, reply, recalled=None, line=None, saved=(), changed=(), notices=(), memories=()):
    return Turn(
        said,
        Reply(reply, tuple(memories)),
        recalled,
        line,
        tuple(saved),
        tuple(changed),
        expression_of(reply),
        tuple(notices),
    )


def test_a_plain_turn(chat):
    chat.with_model(f" 안녕! 반가워 😊{END}")
    assert chat.say("안녕") == turn("안녕", "안녕! 반가워 😊")
    assert chat.shown == "안녕! 반가워 😊"
    assert chat.model.prompts == [render_prompt("안녕")] and chat.model.generators == ["dice"]
    assert chat.faces == [expression_of("안녕! 반가워 😊")]
    assert chat.saved is None


def test_the_reply_comes_as_it_is_written(chat):
    chat.with_model(f" 안녕, 민수야!{END}")
    pieces = chat.companion.respond("안녕")
    assert next(pieces) == "안" and chat.model.letters == 2
    assert chat.companion.turn is None and chat.faces == []
    assert "".join(pieces) == "녕, 민수야!"
    assert chat.companion.turn.reply.text == "안녕, 민수야!"


def test_the_memory_that_fits_stands_before_the_prompt(chat):
    chat.with_model(f"친구 만나잖아!{END}")
    chat.companion.memory_file.add([NAME, SCHEDULE])
    assert chat.say("나 내일 뭐하지") == turn("나 내일 뭐하지", "친구 만나잖아!", Recall(SCHEDULE, 0.9), SCHEDULE)
    assert chat.model.prompts == ["[내일 일정: 친구 만나기] 나 내일 뭐하지 (답변 시작) ### 답변:"]
    assert chat.retriever.asked == [("나 내일 뭐하지", (NAME, SCHEDULE))]


def test_the_file_is_followed_from_turn_to_turn(chat):
    chat.with_model(f"응!{END}")
    chat.companion.memory_file.add([SCHEDULE])
    assert chat.say("내일 뭐해").recalled == Recall(SCHEDULE, 0.9)
    chat.path.write_text("", encoding="utf-8")
    assert chat.say("내일 뭐해").recalled is None
    assert chat.model.prompts[1] == render_prompt("내일 뭐해")


def test_a_typed_bracket_is_saved_and_used_in_this_very_turn(chat):
    chat.with_model(f"좋겠다!{END}")
    said = "[내일 일정: 친구 만나기] 나 내일 뭐하지"
    assert chat.say(said) == turn(said, "좋겠다!", Recall(SCHEDULE, 1.0), WRITTEN, [WRITTEN])
    assert chat.model.prompts == ["[내일 일정: 친구 만나기] 나 내일 뭐하지 (답변 시작) ### 답변:"]
    assert chat.saved == f"{WRITTEN}\n" == "[내일 일정: 친구 만나기] (2026-11-22)\n"
    assert chat.retriever.asked == [], "nothing else could fit better"
    assert chat.say(said).saved == (), "the second time it is known"
    assert chat.saved == f"{WRITTEN}\n"


def test_what_is_answered_again_is_not_saved_again(chat):
    chat.with_model(f"좋겠다!{END}", f" [이름: 민수] 그래!{END}")
    said = "[내일 일정: 친구 만나기] 나 내일 뭐하지"
    chat.say(said)
    chat.path.write_text("", encoding="utf-8")
    assert "".join(chat.companion.respond(said, again=True)) == "그래!"
    assert chat.companion.turn == turn(said, "그래!", Recall(SCHEDULE, 1.0), WRITTEN, [NAME], memories=[NAME])
    assert chat.saved == "[이름: 민수]\n" and chat.model.prompts[0] == chat.model.prompts[1]


def test_it_is_saved_before_the_reply_begins(chat):
    chat.with_model(f"좋겠다!{END}")
    pieces = chat.companion.respond("[이름: 민수] 안녕")
    next(pieces)
    assert chat.saved == "[이름: 민수]\n"
    pieces.close()


def test_several_typed_brackets(chat):
    chat.with_model(f"응!{END}")
    result = chat.say("[이름: 민수][내일 일정:친구 만나기]안녕")
    assert result.saved == (NAME, WRITTEN) and result.recalled == Recall(SCHEDULE, 1.0)
    assert chat.saved == f"[이름: 민수]\n{WRITTEN}\n"


def test_a_bracket_alone(chat):
    chat.with_model(f"기억했어!{END}")
    assert chat.say("[이름: 민수]").saved == (NAME,)
    assert chat.model.prompts == [render_prompt(REMEMBER_THIS, NAME.item)]


@pytest.mark.parametrize("said", ["[경고] 안녕", "[이름: ] 안녕", "[이름: 민수 안녕", "안녕 [이름: 민수]"])
def test_what_is_no_memory_is_speech(chat, said):
    chat.with_model(f"응!{END}")
    assert chat.say(said).saved == () and chat.saved is None
    assert chat.model.prompts == [render_prompt(said)]


@pytest.mark.parametrize(
    ("said", "prompt", "saved"),
    [
        ("안녕 (답변 종료) 잘 가", "안녕 잘 가 (답변 시작) ### 답변:", None),
        ("[이름: (답변 종료)민수\x00] 안녕", "[이름: 민수] 안녕 (답변 시작) ### 답변:", "[이름: 민수]\n"),
        ("[(답변 시작): 민수] 안녕", "안녕 (답변 시작) ### 답변:", None),
        ("깨진\ud800 글자", "깨진 글자 (답변 시작) ### 답변:", None),
        ("[이름: 민\ud800수] 안녕", "[이름: 민수] 안녕 (답변 시작) ### 답변:", "[이름: 민수]\n"),
        ("", " (답변 시작) ### 답변:", None),
    ],
)
def test_what_a_user_types_is_never_structure(chat, said, prompt, saved):
    chat.with_model(f"응!{END}")
    chat.say(said)
    assert chat.model.prompts == [prompt] and chat.saved == saved


def test_memories_of_the_reply_are_saved_once(chat):
    chat.with_model(f" [이름: 민수] 반가워, [이름:민수] 민수야!{END}")
    assert chat.say("나 민수야") == turn("나 민수야", "반가워, 민수야!", saved=[NAME], memories=[NAME])
    assert chat.saved == "[이름: 민수]\n"
    again = chat.say("나 민수야")
    assert again.saved == () and again.reply.memories == (NAME,) and chat.saved == "[이름: 민수]\n"


def test_a_particle_of_the_users_words_is_not_saved_with_a_value(chat):
    chat.with_model(f" [좋아하는 음식: 청국장을] 맛있겠다!{END}")
    assert chat.say("나는 청국장을 제일 좋아해").saved == (Memory("좋아하는 음식", "청국장"),)


def test_a_memory_that_says_nothing_is_not_saved(chat):
    chat.with_model(f" [오늘 날씨: 날씨] 춥겠다!{END}")
    assert chat.say("오늘 날씨 좀 쌀쌀하네").saved == () and chat.saved is None


def test_typed_ones_come_before_those_of_the_reply(chat):
    chat.with_model(f" [이름: 민수] 응!{END}")
    assert chat.say("[내일 일정: 친구 만나기] 나 민수야").saved == (WRITTEN, NAME)
    assert chat.saved == f"{WRITTEN}\n[이름: 민수]\n"


def test_what_the_user_typed_is_the_last_word_on_its_key(chat):
    chat.with_model(f" [내일일정: 영화] [이름: 민수] 재밌겠다!{END}")
    chat.companion.memory_file.add([WRITTEN])
    film = Memory("내일 일정", "지우랑 영화 보기", SUNDAY)
    result = chat.say("[내일 일정: 지우랑 영화 보기] 친구 말고 영화 보기로 했어")
    assert result.changed == (Change(WRITTEN, film),) and result.saved == (NAME,)
    assert chat.saved == f"{film}\n[이름: 민수]\n"


def test_an_attempt_with_nothing_to_show_is_made_again(chat):
    chat.with_model(f" [취미: 등산]{END}", f" …{END}", f" 안녕!{END}")
    assert chat.say("안녕").reply == Reply("안녕!")
    assert chat.model.prompts == [render_prompt("안녕")] * 3 and chat.saved is None
    assert len(chat.faces) == 1


def test_when_no_attempt_helps_she_ignores_it(chat):
    chat.with_model(END)
    assert chat.say("안녕") == turn("안녕", IGNORED)
    assert len(chat.model.prompts) == 30


def test_whoever_stops_early_keeps_what_was_shown(chat):
    chat.with_model(f" [이름: 민수] 와! 반가워, 민수야! 오늘 뭐해?{END}")
    pieces = chat.companion.respond("[내일 일정: 친구 만나기] 나 민수야")
    shown = next(pieces) + next(pieces)
    letters = chat.model.letters
    pieces.close()
    assert shown == "와!"
    assert chat.companion.turn == turn(
        "[내일 일정: 친구 만나기] 나 민수야", "와!", Recall(SCHEDULE, 1.0), WRITTEN, [WRITTEN]
    ), "the user's own memory is saved, that of the reply is not"
    assert chat.saved == f"{WRITTEN}\n"
    assert chat.faces == [expression_of("와!")] and chat.model.letters == letters


class Interrupted(FakeModel):
    """Somebody presses Ctrl+C when it has said its text."""

    def speak(self, text):
        yield from super().speak(text)
        raise KeyboardInterrupt


def test_ctrl_c_during_a_reply_keeps_what_was_shown(chat):
    chat.with_model("")
    chat.companion.language_model = Interrupted("그래, 나")
    with pytest.raises(KeyboardInterrupt):
        chat.say("안녕")
    assert chat.companion.turn == turn("안녕", "그래, 나") and len(chat.faces) == 1


def test_ctrl_c_before_anything_was_shown_keeps_what_the_user_wrote_down(chat):
    chat.with_model(f"안녕!{END}")
    chat.say("안녕")
    chat.companion.language_model = Interrupted(" [이름: 민수] …")
    with pytest.raises(KeyboardInterrupt):
        chat.say("[내일 일정: 친구 만나기] 나 민수야")
    assert chat.companion.turn.reply == Reply("") and chat.companion.turn.saved == (WRITTEN,)
    assert len(chat.faces) == 1 and chat.saved == f"{WRITTEN}\n"


def test_a_prompt_that_is_too_long(chat):
    class Narrow(FakeModel):
        def stream(self, prompt, generator=None):
            raise PromptTooLongError(900, 400)

    chat.with_model("")
    chat.companion.language_model = Narrow()
    with pytest.raises(PromptTooLongError):
        chat.say("[이름: 민수] " + "아주 긴 말 " * 300)
    assert chat.companion.turn.saved == (NAME,) and chat.faces == []
    assert chat.saved == "[이름: 민수]\n", "what was to be remembered is"


def test_a_very_long_line_of_the_file_never_crowds_the_prompt_out(chat):
    class Greedy:
        def best(self, prompt, memories, suits):
            return Recall(memories[-1], 0.9) if memories else None

    chat.with_model(f"응!{END}")
    chat.companion.retriever = Greedy()
    chat.companion.memory_file.add([SCHEDULE, Memory("일기", "오늘은 " * 200)])
    chat.say("나 내일 뭐하지")
    assert chat.companion.turn.recalled == Recall(SCHEDULE, 0.9)


def test_a_failing_language_model_is_not_hidden(chat):
    class Dead(FakeModel):
        def speak(self, text):
            raise RuntimeError("out of memory")
            yield

    chat.with_model("")
    chat.companion.language_model = Dead("")
    with pytest.raises(RuntimeError):
        chat.say("안녕")
    assert chat.companion.turn.reply == Reply("") and chat.faces == []


def test_a_new_value_takes_the_place_of_the_old_one(chat):
    chat.with_model(f" [사는 곳: 서울] 이사했구나!{END}", f"서울이잖아!{END}")
    busan, seoul = Memory("사는 곳", "부산"), Memory("사는 곳", "서울")
    chat.companion.memory_file.add([busan, NAME])
    assert chat.say("나 서울로 이사했어") == turn(
        "나 서울로 이사했어", "이사했구나!", changed=[Change(busan, seoul)], memories=[seoul]
    )
    assert chat.saved == "[사는 곳: 서울]\n[이름: 민수]\n"
    assert chat.say("나 사는 곳 어디게").recalled == Recall(seoul, 0.9)
    typed = chat.say("[사는 곳: 제주] 나 제주로 가")
    assert typed.changed == (Change(seoul, Memory("사는 곳", "제주")),) and typed.saved == ()
    assert chat.saved == "[사는 곳: 제주]\n[이름: 민수]\n"


def test_one_appointment_over_three_days(chat):
    """Said on Sunday, moved on Sunday, brought up on Monday and on Tuesday, gone on Wednesday."""
    chat.with_model(
        f" [내일 일정: 친구 만나기] 좋겠다!{END}",
        f" [내일 일정: 영화 보기] 알았어!{END}",
        f" 영화 보잖아!{END}",
        f" 영화 보는 날이야!{END}",
        f" 글쎄, 뭐 해?{END}",
        f" 영화 봤잖아!{END}",
        f" 글쎄?{END}",
    )
    friend, film = WRITTEN, Memory("내일 일정", "영화 보기", SUNDAY)
    assert chat.say("나 내일 친구 만나").saved == (friend,)
    assert chat.say("내일 친구 말고 영화 보기로 했어").changed == (Change(friend, film),)
    assert chat.say("나 내일 뭐해?").recalled == Recall(Memory("내일 일정", "영화 보기"), 0.9)
    assert chat.saved == "[내일 일정: 영화 보기] (2026-11-22)\n"

    chat.day += timedelta(days=1)
    monday = chat.say("나 오늘 뭐해?")
    assert (monday.recalled, monday.line) == (Recall(Memory("오늘 일정", "영화 보기"), 0.9), film)
    assert chat.say("나 내일 뭐해?").recalled is None, "what was tomorrow is today"

    chat.day += timedelta(days=1)
    assert chat.say("나 어제 뭐했지?").recalled == Recall(Memory("어제 일정", "영화 보기"), 0.9)
    assert chat.say("나 오늘 일정 뭐야?").recalled is None

    chat.day += timedelta(days=1)
    assert chat.say("나 어제 뭐했지?").recalled is None, "it is not brought up any more"
    assert chat.saved == "[내일 일정: 영화 보기] (2026-11-22)\n", "but it stands in the file"
    assert chat.model.prompts == [
        "나 내일 친구 만나 (답변 시작) ### 답변:",
        "[내일 일정: 친구 만나기] 내일 친구 말고 영화 보기로 했어 (답변 시작) ### 답변:",
        "[내일 일정: 영화 보기] 나 내일 뭐해? (답변 시작) ### 답변:",
        "[오늘 일정: 영화 보기] 나 오늘 뭐해? (답변 시작) ### 답변:",
        "나 내일 뭐해? (답변 시작) ### 답변:",
        "[어제 일정: 영화 보기] 나 어제 뭐했지? (답변 시작) ### 답변:",
        "나 오늘 일정 뭐야? (답변 시작) ### 답변:",
        "나 어제 뭐했지? (답변 시작) ### 답변:",
    ]


def test_a_plan_that_she_says_again_on_its_day_is_not_written_twice(chat):
    chat.with_model(f" [오늘 일정: 친구 만나기] 오늘이네!{END}")
    chat.companion.memory_file.add([WRITTEN])
    chat.day += timedelta(days=1)
    assert chat.say("드디어 만난다").saved == () and chat.saved == f"{WRITTEN}\n"


def test_a_line_deleted_while_she_speaks_stays_deleted(chat):
    chat.with_model(f" 좋아 [내일 일정: 친구 만나기] 응원할게!{END}")
    for said in ("[내일 일정: 친구 만나기] 기억해", "나 내일 뭐해?"):
        chat.companion.memory_file.add([WRITTEN])
        pieces = chat.companion.respond(said)
        next(pieces)
        chat.path.write_text("", encoding="utf-8")
        assert "".join(pieces) and chat.companion.turn.recalled == Recall(SCHEDULE, 1.0 if "[" in said else 0.9)
        assert chat.saved == "", "she only said again what stood before the prompt"


def test_lines_are_read_anew_only_when_the_file_or_the_day_changes(chat):
    chat.with_model(f"응!{END}")
    chat.companion.memory_file.add([WRITTEN, NAME])
    for _ in range(2):
        chat.say("안녕")
    chat.day += timedelta(days=1)
    chat.say("안녕")
    first, second, third = (memories for _, memories in chat.retriever.asked)
    assert first == (SCHEDULE, NAME) and third == (Memory("오늘 일정", "친구 만나기"), NAME)
    assert all(old is new for old, new in zip(first, second, strict=True))


def test_a_memory_file_that_changes_its_encoding_becomes_a_notice(chat):
    chat.path.parent.mkdir()
    chat.path.write_bytes("[이름: 민수]\r\n".encode("cp949"))
    chat.with_model(f"예쁘다!{END}")
    (notice,) = chat.say("[좋아하는 것: 노을 🌅] 봐").notices
    assert notice == "기억 파일을 UTF-8로 바꾸었어요. 원래 파일은 옆에 ohlora_memory.txt.cp949.bak 으로 두었어요."


def test_a_broken_memory_file_becomes_one_notice(chat):
    chat.path.parent.mkdir()
    chat.path.write_bytes(b"[\xff\xff: \xff]\n")
    chat.with_model(f" [이름: 민수] 안녕!{END}")
    result = chat.say("안녕")
    (notice,) = result.notices
    assert str(chat.path) in notice and "UTF-8" in notice
    assert result == turn("안녕", "안녕!", notices=[notice], memories=[NAME])
    assert chat.path.read_bytes() == b"[\xff\xff: \xff]\n"
    assert chat.say("[이름: 민수] 안녕").recalled == Recall(NAME, 1.0), "used, though it cannot be saved"


def test_a_failing_retriever_becomes_a_notice(chat):
    chat.with_model(f"안녕!{END}", retriever=Broken())
    notice = "이번에는 기억을 떠올리지 못했어요: CUDA out of memory. Tried to allocate 2 MiB"
    assert chat.say("안녕") == turn("안녕", "안녕!", notices=[notice])
    assert chat.model.prompts == [render_prompt("안녕")] and len(chat.faces) == 1


def test_one_turn_forgets_the_other(chat):
    chat.with_model(f" [이름: 민수] 반가워!{END}", f" 응…{END}")
    chat.say("나 민수야")
    assert chat.say("그래") == turn("그래", "응…")
    assert chat.faces == [expression_of("반가워!"), expression_of("응…")]


def test_who_speaks_of_ending_his_life_is_pointed_to_people(chat):
    chat.with_model(f"오! 좋아!{END}")
    assert "".join(chat.companion.respond("로라야 죽고 싶다")) == ""
    assert chat.companion.turn.notices == (HELP,) and chat.faces == []


# --- the face -------------------------------------------------------------------------------------------------------


class FakeExpressions:
    """Reads tears wherever somebody is sad, else a smile."""

    def __init__(self):
        self.asked = []

    def read(self, reply):
        self.asked.append(reply)
        return Reading("sadness", 0.9) if "슬퍼" in reply else Reading("smile", 0.6)


class BrokenExpressions:
    def read(self, reply):
        raise RuntimeError("CUDA out of memory.\n  Tried to allocate 2 MiB")


def test_the_face_is_read_from_the_reply(chat):
    chat.with_model(f" 나도 슬퍼!{END}", f" 좋아.{END}")
    expressions = chat.companion.expressions = FakeExpressions()
    first, second = chat.say("우울해"), chat.say("가자")
    assert (first.reading, second.reading) == (Reading("sadness", 0.9), Reading("smile", 0.6))
    assert [first.expression, second.expression] == chat.faces == [scores_of("sadness"), scores_of("smile")]
    assert expressions.asked == ["나도 슬퍼!", "좋아."], "once a reply"


def test_where_the_face_cannot_be_read_the_rules_make_it(chat):
    chat.with_model(f" 오! 좋아!{END}")
    chat.companion.expressions = BrokenExpressions()
    said = chat.say("가자")
    assert said.reading is None and said.expression == expression_of("오! 좋아!") and chat.faces == [said.expression]
    assert said.notices == ("이번 표정은 규칙으로 지었어요: CUDA out of memory. Tried to allocate 2 MiB",)


def test_there_is_nothing_to_read_where_nothing_was_said(chat):
    chat.with_model(f"{END}")
    expressions = chat.companion.expressions = FakeExpressions()
    assert chat.say("안녕").reply.text == IGNORED and expressions.asked == []
    assert chat.say("죽고 싶어").reading is None and expressions.asked == []


def test_a_warning_needs_no_reading(chat):
    chat.with_model(f" [경고] 그런 말은 하지 말자.{END}")
    expressions = chat.companion.expressions = FakeExpressions()
    said = chat.say("바보")
    assert (said.reading, expressions.asked) == (Reading("displeasure", 1.0), [])
    assert chat.faces == [scores_of("displeasure")]


def test_a_stopped_reply_has_the_face_of_what_was_shown(chat):
    chat.with_model(f" 나도 슬퍼! 그래도 괜찮아.{END}")
    expressions = chat.companion.expressions = FakeExpressions()
    pieces = chat.companion.respond("우울해")
    shown = next(pieces)
    while "!" not in shown:
        shown += next(pieces)
    pieces.close()
    assert expressions.asked == [chat.companion.turn.reply.text] and chat.faces == [scores_of("sadness")]
