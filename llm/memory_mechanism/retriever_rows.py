"""What the retriever learns from: rows of prompts and memories, the overlap of keys, and public sentence pairs.

Knows the hand-written pairs and the corpora's files; knows no model.
"""

from __future__ import annotations

import csv
import json
import random
import re
from collections.abc import Sequence
from pathlib import Path

import torch

from llm.fine_tuning import corpus
from llm.fine_tuning.particles import attach, choose
from llm.memory_mechanism.key_grammar import ComposedKey, compose
from llm.memory_mechanism.training_pairs import (
    SAME_KEY,
    TrainingPairs,
    confusable,
    kept_for_evaluation,
    key_overlap,
)

ASKS, LOOKS_ALIKE, NEEDS_NONE = range(3)  # what a row's prompt does with its key

_ENDINGS = ("", "", "", "", "?", "??", "ㅋㅋ", "ㅎㅎ", "ㅠㅠ", "~", "!", "..", ".", " 로라야")
_STARTS = ("", "", "", "", "", "", "로라야 ", "야 ", "아 ", "근데 ", "있잖아 ", "저기 ", "음 ")
_ASKED = (
    "내 {key} 뭐야?", "내 {key:이/가} 뭐게", "{key} 뭐였지", "내 {key} 기억나?", "{key} 뭐라고 했더라", "{key} 알려 줘",
    "나 {key} 알아?", "내 {key} 말해 봐", "{key:을/를} 까먹었어", "{key:이/가} 뭐였더라", "제 {key:을/를} 기억하세요?",
    "우리 {key} 뭐지", "내가 {key:이/가} 뭐라고 했지", "내가 말한 {key}", "내 {key:을/를} 맞혀 볼래?",
)  # fmt: skip
_ASKED_OF_HER = (
    "네 {key:은/는} 뭐야?", "너는 {key:이/가} 뭐야?", "너 {key} 있어?", "로라 {key} 알려 줘", "네 {key:이/가} 궁금해",
    "넌 {key} 뭐야", "너도 {key} 있어?", "네가 {key:이/가} 뭐라고 했지", "{key} 뜻이 뭐야?",
    "{key} 같은 건 왜 있는 거야?", "사람들은 {key:을/를} 보통 어떻게 정해?",
)  # fmt: skip
_PARTICLES = re.compile(r"(이라고|라고|이랑|랑|이었|였|이야|야|을|를|이|가|은|는|과|와)(?![가-힣])|(이었|였)")
_PARTICLE_PAIRS = (
    ("이라고", "라고"),
    ("이랑", "랑"),
    ("이었", "였"),
    ("이야", "야"),
    ("을", "를"),
    ("이", "가"),
    ("은", "는"),
    ("과", "와"),
)
RENAMED, COMPOSED = 1200, 2400  # keys that no hand wrote


def spoken_variant(prompt: str, rng: random.Random) -> str:
    """``prompt`` as another hand would type it: other blanks, other ends, her name before it."""
    if rng.random() < 0.5:
        prompt = prompt.rstrip("?!.~ㅋㅎㅠㅜ ") or prompt
    if rng.random() < 0.25:
        prompt = "".join(c for c in prompt if c != " " or rng.random() < 0.5)
    if not prompt.startswith("로라") and rng.random() < 0.4:
        prompt = rng.choice(_STARTS) + prompt
    return prompt + rng.choice(_ENDINGS) if rng.random() < 0.5 else prompt


def renamed(prompt: str, word: str, other: str) -> str:
    """``prompt`` with ``other`` in the place of ``word``, and the particle behind it in the form that asks for."""
    before, after = prompt.split(word, 1)
    found = _PARTICLES.match(after)
    if found:
        closed, open_ = next(pair for pair in _PARTICLE_PAIRS if found.group() in pair)
        after = choose(other, closed, open_) + after[found.end() :]
    return before + other + after


def renamed_keys(pairs: TrainingPairs, words: Sequence[str], count: int, rng: random.Random) -> list[ComposedKey]:
    """``count`` hand-written keys with their last word changed, and so are their prompts, where those say that word.

    What asks for a key that nobody thought of looks like what asks for others, and has the key's own word.
    """
    naming: dict[str, list[str]] = {}
    for prompt, key in pairs.asking:
        word = key.split()[-1]
        if len(word) > 1 and prompt.count(word) == 1:
            naming.setdefault(key, []).append(prompt)
    named = sorted(key for key, prompts in naming.items() if len(prompts) > 2)
    made = []
    for _ in range(count if named else 0):
        word, key = rng.choice(words), rng.choice(named)
        *head, old = key.split()
        made.append(ComposedKey(" ".join((*head, word)), tuple(renamed(p, old, word) for p in naming[key]), ()))
    return made


def invented_keys(pairs: TrainingPairs, words: Sequence[str], rng: random.Random) -> list[ComposedKey]:
    """Keys that no hand wrote, of the nouns ``words``: none that the evaluation keeps from training."""
    if not words:
        return []
    kept = kept_for_evaluation()
    made = renamed_keys(pairs, words, RENAMED, rng) + compose(
        words, COMPOSED, kept | set(map(_closed, pairs.keys)), rng
    )
    return [made_key for made_key in made if _closed(made_key.key) not in kept]


def _closed(key: str) -> str:
    return key.replace(" ", "")


def memory_rows(
    pairs: TrainingPairs, words: Sequence[str], count: int, unseen_share: float, rng: random.Random
) -> tuple[dict[str, list], list[str]]:
    """Columns prompt, memory, other, label of ``count`` rows for ``MemoryLoss``, and the keys that the labels number.

    ``words`` make the keys and values that no hand wrote; ``unseen_share`` (0 to 1) of the rows ask for such a key.
    """
    keys = list(pairs.keys)
    real = len(keys)
    invented = invented_keys(pairs, words, rng)
    keys += [made.key for made in invented]
    number = {key: index for index, key in enumerate(keys[:real])}
    sharing: dict[int, list[int]] = {}
    by_word: dict[str, list[int]] = {}
    for index, key in enumerate(keys):
        for word in key.split():
            by_word.setdefault(word, []).append(index)
    for index, key in enumerate(keys):
        near = {i for word in key.split() for i in by_word[word] if 0 < key_overlap(key, keys[i]) < 1}
        sharing[index] = sorted(i for i in near if i < real or index >= real)
    asked: dict[str, list[str]] = {key: [] for key in pairs.keys}
    for prompt, key in pairs.asking:
        if key in asked:
            asked[key].append(prompt)
    often = [number[key] for _, key in pairs.asking if key in number]
    lookalikes = [(prompt, key) for prompt, key in pairs.lookalikes if key in number]

    def memory(index: int) -> str:
        alike = [i for i in sharing[index] if i < real] if index >= real else []
        if alike and rng.random() < 0.5:  # what a date or a name looks like
            value = rng.choice(pairs.values[keys[rng.choice(alike)]])
        elif index >= real or rng.random() < 0.1:  # a value that tells nothing: the key has to decide
            value = " ".join(rng.choices(words, k=rng.choice((1, 1, 2)))) if words else "그것"
            if rng.random() < 0.3:
                value = rng.choice(pairs.values[keys[rng.randrange(real)]])
        else:
            value = rng.choice(pairs.values[keys[index]])
            if rng.random() < 0.06:
                value += rng.choice((", ", "랑 ", " ")) + rng.choice(pairs.values[keys[index]])
        return f"{keys[index]}: {value}"

    def neighbour(index: int) -> int:
        near = sharing[index]
        return rng.choice(near) if near and rng.random() < 0.7 else rng.randrange(real)

    rows: dict[str, list] = {"prompt": [], "memory": [], "other": [], "label": []}
    while len(rows["label"]) < count:
        draw = rng.random()
        kind, of = ASKS, rng.randrange(real)
        if draw < unseen_share and words:
            of = rng.randrange(real, len(keys)) if rng.random() < 0.8 else of
            kind = ASKS if rng.random() < 0.7 else LOOKS_ALIKE
            prompt = attach(rng.choice(_ASKED if kind == ASKS else _ASKED_OF_HER), {"key": keys[of]})
            own = (invented[of - real].asks if kind == ASKS else invented[of - real].seems) if of >= real else ()
            if own and rng.random() < 0.75:
                prompt = rng.choice(own)
        elif draw < 0.68 or not pairs.needless:
            if often and rng.random() < 0.5:  # what is asked in many ways comes more often than what is asked in few
                of = rng.choice(often)
            prompt = rng.choice(asked[keys[of]] or [f"내 {keys[of]} 뭐야?"])
        elif draw < 0.78 and lookalikes:
            kind = LOOKS_ALIKE
            prompt, key = rng.choice(lookalikes)
            of = number[key]
        else:
            kind, prompt = NEEDS_NONE, rng.choice(pairs.needless)
        other = neighbour(of)
        rows["prompt"].append(spoken_variant(prompt, rng))
        rows["memory"].append(memory(of))
        rows["other"].append(memory(other))
        rows["label"].append([kind, of, of, other])
    return rows, keys


def similarity_targets(pairs: TrainingPairs, keys: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Overlap (keys, keys) of ``keys``, and where it is a target: not between two keys that share a prompt."""
    numbers: dict[str, list[int]] = {}
    owners: dict[str, list[int]] = {}
    for index, key in enumerate(keys):
        numbers.setdefault(key, []).append(index)
        for word in set(SAME_KEY.get(key, key).split()):
            owners.setdefault(word, []).append(index)
    overlap = torch.zeros(len(keys), len(keys))
    for i, j in {(i, j) for group in owners.values() for i in group for j in group if i <= j}:
        overlap[i, j] = overlap[j, i] = key_overlap(keys[i], keys[j])
    known = torch.ones(len(keys), len(keys), dtype=torch.bool)
    for a, b in confusable(pairs):
        for i in numbers.get(a, ()):
            for j in numbers.get(b, ()):
                known[i, j] = overlap[i, j] == 1
    return overlap, known


def public_similarities(folder: Path) -> dict[str, list]:
    """Sentence pairs with a similarity of 0 to 1: KorSTS (training part) and KLUE-STS."""
    rows: dict[str, list] = {"first": [], "second": [], "score": []}
    with (folder / "korsts_train.tsv").open(encoding="utf-8", newline="") as file:
        found = [
            (row["sentence1"], row["sentence2"], float(row["score"]) / 5)
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            if row["sentence2"]
        ]
    for row in json.loads((folder / "klue_sts_v1.1_dev.json").read_text(encoding="utf-8")):
        found.append((row["sentence1"], row["sentence2"], row["labels"]["label"] / 5))
    for first, second, score in found:
        rows["first"].append(first)
        rows["second"].append(second)
        rows["score"].append(score)
    return rows


def public_paraphrases(folder: Path, rng: random.Random) -> dict[str, list[str]]:
    """Pairs that belong together: paraphrases of paraKQC, and questions with their answers."""
    lines = (folder / corpus.PARAPHRASE_FILE).read_text(encoding="utf-8").splitlines()
    sentences = [line.split("\t")[-1] for line in lines]
    pairs = []
    for start in range(0, len(sentences) - 9, 10):  # ten lines in a row say the same
        group = rng.sample(sentences[start : start + 10], 10)
        pairs += list(zip(group[::2], group[1::2], strict=True))
    pairs += corpus.dialogues(folder)
    return {"first": [a for a, _ in pairs], "second": [b for _, b in pairs]}


def plain_sentences(folder: Path, reviews: int, pairs: TrainingPairs, rng: random.Random) -> list[str]:
    """What the tokenizer and the masked-language-model training read."""
    lines = corpus.utterances(folder) + [text for pair in corpus.dialogues(folder) for text in pair]
    lines += public_similarities(folder)["first"] + corpus.reviews(folder, reviews, rng)
    own = [prompt for prompt, _ in (*pairs.asking, *pairs.lookalikes)] + list(pairs.needless)
    own += [f"{key}: {value}" for key, values in pairs.values.items() for value in values]
    lines += own * 3
    rng.shuffle(lines)
    return lines
