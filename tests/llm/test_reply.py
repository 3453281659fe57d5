"""The reply parser: the same answer for every way of cutting a reply, and nothing hidden that ever shows."""

import itertools
import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm.memory_mechanism.memory import Memory
from llm.prompt import MARKERS
from llm.reply import IGNORED, Reply, ReplyParser, stream_reply


def parse(pieces):
    parser = ReplyParser()
    shown = "".join(parser.feed(piece) for piece in pieces) + parser.finish()
    assert shown == parser.reply.text, "the joined pieces are the whole text"
    return parser.reply


CASES = {
    " 안녕! (답변 종료) <|endoftext|>": Reply("안녕!"),
    " [내일 일정: 꽃놀이] 우와! 좋겠다 ✨ (답변 종료)": Reply("우와! 좋겠다 ✨", (Memory("내일 일정", "꽃놀이"),)),
    " 좋아 [취미: 등산] 그리고 [이름: 민수] 반가워! (답변 종료)": Reply(
        "좋아 그리고 반가워!", (Memory("취미", "등산"), Memory("이름", "민수"))
    ),
    " [경고] 그런 말은 상처가 돼. (답변 종료)": Reply("그런 말은 상처가 돼.", warns=True),
    " [주의] 그런 말은 상처가 돼. (답변 종료)": Reply("그런 말은 상처가 돼."),
    " 응, 맞아. (답변": Reply("응, 맞아."),
    " 응, 맞아. ( 답변 종료": Reply("응, 맞아."),
    " 응, 맞아. ### 답변: 다시": Reply("응, 맞아."),
    " 끝이 없는 말": Reply("끝이 없는 말…"),
    " 괄호 (진짜로) 써도 돼! (답변 종료)": Reply("괄호 (진짜로) 써도 돼!"),
    " 1 < 2 # 해시 (": Reply("1 < 2 # 해시 (…"),
    " [내일 일정: 약속 좋아 (답변 종료)": Reply(""),
    " 나는 좋아] 그래. (답변 종료)": Reply("나는 좋아 그래."),
    " [a [취미: 그림] 멋져! (답변 종료)": Reply("멋져!", (Memory("취미", "그림"),)),
    " [취미: 그림][취미:그림] 멋져! (답변 종료)": Reply("멋져!", (Memory("취미", "그림"),)),
    "\u200b 너\u00a0참   \u00a0 \n 좋다\x07\ufffd. (답변 종료)": Reply("너 참 좋다."),
    " 로라는 '좋아' \"라고\" 했어. (답변 종료)": Reply("로라는 '좋아' 라고 했어."),
    " [: 값] [키: ] [::] 음… (답변 종료)": Reply("음…"),
    " 👱‍♀️ 나야 나! (답변 종료)": Reply("👱‍♀️ 나야 나!"),
}


@pytest.mark.parametrize("raw", CASES)
def test_every_cut_gives_the_same_reply(raw):
    assert parse([raw]) == CASES[raw]
    assert parse(list(raw)) == CASES[raw]
    for first in range(len(raw) + 1):
        assert parse([raw[:first], raw[first:]]) == CASES[raw]
    for first, second in itertools.combinations(range(len(raw)), 2):
        assert parse([raw[:first], raw[first:second], raw[second:]]) == CASES[raw]


def test_fuzz_never_shows_structure():
    rng = random.Random(7)
    atoms = [
        *MARKERS,
        "[",
        "]",
        ":",
        " ",
        "(",
        "(답",
        "답변",
        "#",
        "##",
        "<",
        "<|",
        "키",
        "값",
        "안녕",
        "\ufffd",
        "ㅋ",
        "😊",
    ]
    for _ in range(3000):
        raw = "".join(rng.choices(atoms, k=rng.randint(0, 14)))
        reply = parse(list(raw))
        assert parse([raw]) == reply
        for hidden in ("[", "]", "(답변", "###", "<|", "\ufffd", "  "):
            assert hidden not in reply.text
        assert reply.text == reply.text.strip()


_ATOMS = st.sampled_from([*MARKERS, "<|endoftext|>", "[", "]", ":", "[취미: 등산]", "(", "#", " ", "\n", "…", "\u200d"])


@given(
    atoms=st.lists(st.one_of(_ATOMS, st.text(max_size=4)), max_size=12), cuts=st.lists(st.integers(0, 60), max_size=5)
)
def test_whatever_a_model_writes(atoms, cuts):
    raw = "".join(atoms)
    marks = [0, *sorted(cuts), len(raw)]
    reply = parse([raw[first:last] for first, last in itertools.pairwise(marks)])
    assert parse(list(raw)) == reply, "wherever it was cut"
    assert reply.text == reply.text.strip()
    assert not {unicodedata.category(c) for c in reply.text} & {"Cc", "Cs", "Co", "Cn"}
    for hidden in ("[", "]", "(답변", "###", "<|", "  "):
        assert hidden not in reply.text
    for memory in reply.memories:
        assert Memory.parse(memory.item) == memory and not set("[]\n") & set(str(memory)[1:-1])
    shown, streamed = run(stream_reply(lambda: iter(raw), max_attempts=2))
    assert shown == streamed.text != "", "there is always something to show"


def test_a_piece_is_shown_as_soon_as_it_is_certain():
    parser = ReplyParser()
    assert parser.feed(" 안녕") == "안녕"
    assert parser.feed(" (") == ""
    assert parser.feed("답") == ""
    assert parser.feed("장 왔어)") == " (답장 왔어)"
    assert parser.feed(" (답변") == "" and parser.ended


def replies(*texts):
    """A stand-in for a model whose attempts answer one text after the other."""
    waiting = iter(texts)
    return lambda: iter(list(next(waiting)))


def run(stream):
    pieces = []
    while True:
        try:
            pieces.append(next(stream))
        except StopIteration as stop:
            return "".join(pieces), stop.value


def test_a_memory_awaits_its_value_right_behind_its_key():
    parser, read, awaiting = ReplyParser(), "", []
    for character in " [약속 시간: 3:30] 응: 그래 [경고] [:a] [이름:민수]":
        parser.feed(character)
        read += character
        awaiting += [read] if parser.awaits_value else []
    assert awaiting == [" [약속 시간:", " [약속 시간: 3:30] 응: 그래 [경고] [:a] [이름:"]


def test_attempts_with_nothing_to_show_are_made_again():
    shown, reply = run(stream_reply(replies(" (답변 종료)", " [키: 값", " ... (답변 종료)", " 안녕! (답변 종료)")))
    assert shown == "안녕!" and reply == Reply("안녕!")


def test_memories_of_a_refused_attempt_are_forgotten():
    _, reply = run(stream_reply(replies(" [취미: 등산] (답변 종료)", " 그래! (답변 종료)")))
    assert reply == Reply("그래!")


def test_after_the_last_attempt_she_ignores_it():
    shown, reply = run(stream_reply(lambda: iter(["(답변 종료)"]), max_attempts=3))
    assert shown == IGNORED and reply == Reply(IGNORED)
