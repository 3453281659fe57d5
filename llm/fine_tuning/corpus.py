"""Public Korean text as documents for the base model's pre-training.

Knows the files of the corpus folder (see MODEL_AND_DATASET_INFO.md) and how each becomes text; knows no tokenizer.
Besides the texts themselves there are *notes*: short tasks made of words of the corpus in which something written
in brackets has to be said, or something said has to be written in brackets. They teach a small model to copy.
"""

from __future__ import annotations

import csv
import lzma
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from llm.fine_tuning.conversations import Pair
from llm.fine_tuning.particles import attach
from llm.fine_tuning.plain_speech import to_plain_speech
from llm.prompt import END_OF_TEXT, clean_user_text, render_prompt, render_reply

DIALOGUE_FILE = "chatbot_data.csv"
UTTERANCE_FILE = "3i4k_fci.tsv"
PARAPHRASE_FILE = "parakqc_v1.tsv"
REVIEW_FILE = "nsmc_positive_reviews.txt.xz"
EMOJI = ("😊", "✨", "🎉", "👱‍♀️", "😢", "😋", "😆", "🤔", "💪", "🌙")
_FRAGMENT = "0"  # 3i4k's label of single words and unfinished phrases


def dialogues(folder: Path) -> list[tuple[str, str]]:
    """(question, answer in plain speech) pairs; pairs whose answer has no plain form are left out."""
    pairs = []
    with (folder / DIALOGUE_FILE).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            answer = to_plain_speech(row["A"])
            if answer:
                pairs.append((clean_user_text(row["Q"]), clean_user_text(answer)))
    return pairs


def utterances(folder: Path) -> list[str]:
    """Spoken sentences, questions and requests."""
    lines = []
    for name, keeps in ((UTTERANCE_FILE, lambda c: c[0] != _FRAGMENT), (PARAPHRASE_FILE, lambda c: True)):
        for line in (folder / name).read_text(encoding="utf-8").splitlines():
            columns = line.split("\t")
            if len(columns) > 1 and keeps(columns):
                lines.append(clean_user_text(columns[-1]))
    return [line for line in lines if len(line) > 3]


def all_reviews(folder: Path) -> list[str]:
    """Every film review."""
    with lzma.open(folder / REVIEW_FILE, "rt", encoding="utf-8") as file:
        return [clean_user_text(line) for line in file]


def reviews(folder: Path, count: int, rng: random.Random) -> list[str]:
    """``count`` film reviews, drawn at random."""
    lines = all_reviews(folder)
    return rng.sample(lines, min(count, len(lines)))


_RECALL_QUESTIONS = (
    "{key} 뭐야?",
    "{key} 뭐였지",
    "내 {key} 기억나?",
    "로라야 {key} 알려 줘",
    "{key} 뭔지 알아?",
    "나 {key} 뭐게",
    "{key} 말해 봐",
    "내 {key} 뭐라고 했더라",
    "{key} 까먹었어ㅠㅠ",
)
_RECALL_ANSWERS = (
    "{key}, {value:이라고/라고} 했잖아!",
    "{value:이야/야}.",
    "그럼, {value:이지/지}!",
    "{value:이라고/라고} 적어 뒀어.",
    "네 {key:은/는} {value:이야/야}!",
    "{value:을/를} 말하는 거지?",
    "{value}! 잊지 않았어.",
)
_NOTE_STATEMENTS = (
    "내 {key:은/는} {value:이야/야}",
    "{key:은/는} {value}",
    "나 {key} {value:으로/로} 정했어",
    "로라야 {key} {value:이야/야} 기억해 줘",
    "{value:이/가} 내 {key:이야/야}",
    "{key:이/가} {value:이래/래}",
    "이제 {key:은/는} {value:이거든/거든}",
)
_NOTE_ANSWERS = (
    "{value:이구나/구나}! 기억해 둘게.", "알았어, {value:으로/로} 적어 둘게!", "{key:이/가} {value:이라니/라니} 좋다.",
    "오! {value:이야/야}? 기억할게.", "{value}, 잘 적어 뒀어!",
)  # fmt: skip


def notes(words: list[str], count: int, rng: random.Random) -> Iterator[Pair]:
    """``count`` copying tasks whose keys and values are words of ``words`` or syllables drawn at random."""
    syllables = sorted({c for w in words[:20000] for c in w if "가" <= c <= "힣"})
    for _ in range(count):
        key = rng.choice(words)
        if rng.random() < 0.4:
            value = "".join(rng.choices(syllables, k=rng.randint(1, 5)))
        else:
            value = " ".join(rng.sample(words, rng.choice((1, 1, 1, 2, 2, 3))))
        fill = {"key": key, "value": value}
        kind = rng.random()
        if kind < 0.55:
            prompt, reply = rng.choice(_RECALL_QUESTIONS), rng.choice(_RECALL_ANSWERS)
            yield Pair(attach(prompt, fill), attach(reply, fill), memory=f"{key}: {value}")
        else:
            prompt, reply = rng.choice(_NOTE_STATEMENTS), rng.choice(_NOTE_ANSWERS)
            yield Pair(attach(prompt, fill), attach(reply, fill), save=f"{key}: {value}")


def frequent_words(folder: Path) -> list[str]:
    """Words of the spoken utterances that occur more than once."""
    counts = Counter(w for line in utterances(folder) for w in line.split() if 1 < len(w) < 7 and w.isalpha())
    return sorted(word for word, count in counts.items() if count > 1)


def single_token_lines() -> list[str]:
    """Lines that make a tokenizer hold every Hangul syllable of KS X 1001 and each emoji of hers as one token."""
    encodable = []
    for code in range(0xAC00, 0xD7A4):
        if len(chr(code).encode("euc_kr", errors="replace")) == 2:  # others take eight bytes: a composed sequence
            encodable.append(chr(code))
    rows = ["".join(encodable[i : i + 50]) for i in range(0, len(encodable), 50)]
    return [*rows, *(" ".join(row) for row in rows), " ".join(EMOJI), "".join(f"! {e}. {e}~ {e}" for e in EMOJI)]


def documents(
    folder: Path, utterance_rounds: int, dialogue_rounds: int, review_count: int, note_count: int, seed: int
) -> list[str]:
    """Training documents in a random order, each ending with the end-of-text marker.

    The rounds say how often each utterance and each dialogue stands in them; talk is what she has to learn.
    """
    rng = random.Random(seed)
    lines = utterances(folder) * utterance_rounds + reviews(folder, review_count, rng)
    texts = [f"{line} {END_OF_TEXT}" for line in lines]
    texts += [
        render_prompt(question) + render_reply(answer)
        for question, answer in dialogues(folder)
        for _ in range(dialogue_rounds)
    ]
    texts += [
        render_prompt(note.prompt, note.memory) + render_reply(note.reply, note.save)
        for note in notes(frequent_words(folder), note_count, rng)
    ]
    rng.shuffle(texts)
    return texts
