"""What the memory retriever learns from: which prompt needs which memory key, and the values that a key can have.

Read from the hand-written ``training_data/`` and the conversations that use a memory. Knows files and labels; knows no
model. A part of the prompts and values is kept for validation, by their spelling alone, so a list may grow without
moving any.
"""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm.fine_tuning.conversations import Family, is_held_out, load_families, load_values
from llm.fine_tuning.particles import attach
from llm.memory_mechanism.memory import Memory

TRAINING_DATA = Path(__file__).parent / "training_data"
EVALUATION = Path(__file__).parent / "evaluation"  # read to leave out what it asks, for nothing else

SAME_KEY = {"좋아하는 아이돌": "좋아하는 가수"}  # published: counts as the other

# Conversations in which she brings a memory up by herself: the prompt alone does not ask for it.
_UNASKED = (
    "memory_use_colour_food_sad", "memory_use_colour_food_payday", "memory_use_colour_name_", "memory_use_colour_job_",
    "memory_use_colour_tomorrow_late", "memory_use_colour_today_ready", "memory_use_colour_ailment_exercise",
    "memory_use_colour_cat_lonely", "memory_use_colour_plant_dry", "memory_use_colour_bought_regret",
    "memory_use_colour_game_break", "memory_use_colour_leave_wait", "memory_use_colour_dream_doubt",
    "memory_use_colour_dog_walk", "memory_use_colour_season_change",
)  # fmt: skip
# Conversations that no memory of the user's has a part in.
_NEEDLESS = (
    "greetings_", "insults_", "nonsense_", "persona_", "general_knowledge_", "philosophy_", "politics_", "reactions_",
    "to_her_love_", "deep_learning_", "programming_", "requests_joke", "requests_funny", "requests_cheer",
    "requests_comfort", "requests_praise", "requests_sing", "requests_lullaby", "requests_poem", "requests_word_chain",
    "requests_quote", "requests_bored", "requests_make_laugh", "requests_secret", "requests_advice", "requests_choose",
    "requests_number", "requests_quiz", "memory_none_her_", "memory_none_third_", "memory_none_hypo_",
    "memory_none_negative_hobby", "memory_none_negative_plan", "memory_none_how_", "memory_none_place_",
    "memory_none_tired", "memory_none_happy", "memory_none_sad", "memory_none_bored", "memory_none_sleepy",
    "memory_none_laugh", "memory_none_greeting", "memory_none_thanks",
    "memory_use_colour_name_hi", "memory_use_colour_name_bye",
)  # fmt: skip
# Keys that differ in one word alone: a prompt that asks for the one asks for the other with that word changed.
_SWAPS = (
    {f"{day} 일정": day for day in ("오늘", "내일", "모레", "이번 주말", "다음 주")},
    {"고양이 이름": "고양이", "강아지 이름": "강아지"},
    {"남자친구 이름": "남자친구", "여자친구 이름": "여자친구"},
    {"좋아하는 과목": "좋아하는", "싫어하는 과목": "싫어하는"},
    {"약속 시간": "몇 시에", "약속 장소": "어디서"},
)
_SWAPPABLE = re.compile("뭐|일정|약속|이름|과목|스케줄|만나")
_ABOUT_HER = re.compile(r"^(?:로라야 |야 )?(?:너|넌|네|너는|너도|너희|너네|너랑|로라는|로라도|로라|오로라님?) ")
_NOT_WORDS = re.compile(r"[\W_ㅋㅎㅠㅜ]+")


@dataclass(frozen=True)
class TrainingPairs:
    """``asking`` and ``lookalikes`` are (prompt, key): prompts that need that key's memory, or only seem to.

    ``needless`` are prompts that need no memory at all; ``values`` are what may stand behind each key.
    """

    values: Mapping[str, tuple[str, ...]]
    asking: tuple[tuple[str, str], ...]
    lookalikes: tuple[tuple[str, str], ...]
    needless: tuple[str, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self.values)


def key_overlap(key: str, other: str) -> float:
    """The published target: intersection over union (0 to 1) of the blank-separated words of two keys."""
    words, others = (set(SAME_KEY.get(k, k).split()) for k in (key, other))
    return len(words & others) / len(words | others) if words | others else 0.0


def bare(text: str) -> str:
    """``text`` without blanks, punctuation and laughter: what is equal here is the same prompt."""
    return _NOT_WORDS.sub("", text.lower())


def load_pairs(held_out: bool = False, keys_kept: float = 0.0) -> TrainingPairs:
    """The pairs to train on, or with ``held_out`` those for validation: other prompts, and other values.

    Keys that the data mark with ``validation`` are never trained on, nor is the part ``keys_kept`` (0 to 1) of the
    others; validation has all keys. A prompt that the evaluation happens to ask in the same words is in neither.
    """
    groups = [json.loads(line) for line in _lines(TRAINING_DATA / "retrieval.jsonl")]
    families = load_families()
    slots = {name: part or load_values()[name] for name, part in load_values(held_out=held_out).items()}
    values: dict[str, list[str]] = {group["key"]: _part(group["values"], held_out) for group in groups}
    asking: list[tuple[str, str]] = []
    lookalikes: list[tuple[str, str]] = []
    needless = _lines(TRAINING_DATA / "no_memory.txt")
    for group in groups:
        asking += [(prompt, group["key"]) for prompt in group["prompts"]]
        for prompt in group["lookalikes"]:
            if _ABOUT_HER.match(prompt):
                needless.append(prompt)
            else:
                lookalikes.append((prompt, group["key"]))
    rng = random.Random(0)
    for family in families:
        if family.name.startswith(_NEEDLESS):
            needless += [prompt for prompt, _ in _filled(family, "", slots, rng)]
        elif family.memory and family.name.startswith("memory_use_"):
            memory = Memory.parse(family.memory)
            if memory is None:
                raise ValueError(f"{family.name}: no memory: {family.memory}")
            pairs = _filled(family, memory.key, slots, rng)
            if family.name.startswith("memory_use_ignore"):
                lookalikes += pairs
            elif not family.name.startswith(_UNASKED):
                asking += pairs
                known = [v for name in family.slots if "{" + name + "}" in memory.value for v in slots[name]]
                for key in dict.fromkeys(key for _, key in pairs):
                    values.setdefault(key, []).extend(known)
    evaluated = _evaluated()
    not_needless = evaluated | {bare(prompt) for prompt, _ in asking}
    kept = {key for key in values if _kept(key, keys_kept)} | _validation_keys(groups)
    trained = [key for key in values if held_out or key not in kept]
    return TrainingPairs(
        values={key: tuple(dict.fromkeys(values[key])) for key in trained},
        asking=_distinct(
            pair
            for pair in _side(asking if held_out else asking + _swapped(asking, trained), held_out, kept)
            if bare(pair[0]) not in evaluated
        ),
        lookalikes=_distinct(
            pair for pair in _side(lookalikes, held_out, kept) if pair[1] in values and bare(pair[0]) not in evaluated
        ),
        needless=tuple(dict.fromkeys(p for p in _part(needless, held_out, True) if bare(p) not in not_needless)),
    )


def unseen_keys(keys_kept: float = 0.0) -> set[str]:
    """The keys that training leaves out: those that are there for validation alone, and more under ``keys_kept``."""
    groups = [json.loads(line) for line in _lines(TRAINING_DATA / "retrieval.jsonl")]
    return {key for key in load_pairs(held_out=True).values if _kept(key, keys_kept)} | _validation_keys(groups)


def _validation_keys(groups: Iterable[Mapping[str, Any]]) -> set[str]:
    return {group["key"] for group in groups if group.get("validation")}


def confusable(pairs: TrainingPairs) -> set[tuple[str, str]]:
    """Pairs of keys that share a prompt: neither is wrong for it."""
    owners: dict[str, set[str]] = defaultdict(set)
    for prompt, key in pairs.asking:
        owners[bare(prompt)].add(key)
    return {(a, b) for keys in owners.values() for a in keys for b in keys if a != b}


def _lines(path: Path) -> list[str]:
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _evaluated() -> set[str]:
    """The evaluation's prompts, bare."""
    prompts = _lines(EVALUATION / "no_memory.txt")
    for line in _lines(EVALUATION / "retrieval.jsonl"):
        prompts += json.loads(line)["prompts"]
    return set(map(bare, prompts))


def kept_for_evaluation() -> set[str]:
    """The keys, without blanks, that the evaluation alone has: nothing that is trained on may have them."""
    cases = map(json.loads, _lines(EVALUATION / "retrieval.jsonl"))
    return {"".join(case["key"].split()) for case in cases if not case["seen_key"]}


def _filled(family: Family, key: str, slots: Mapping[str, list[str]], rng: random.Random) -> list[tuple[str, str]]:
    """Each prompt of ``family`` and ``key``, filled with the same values."""
    pairs = []
    for prompt in family.prompts:
        chosen = {name: rng.choice(slots[name]) for name in family.slots}
        pairs.append((attach(prompt, chosen), attach(key, chosen)))
    return pairs


def _kept(key: str, keys_kept: float) -> bool:
    return random.Random(f"key {SAME_KEY.get(key, key)}").random() < keys_kept


def _held(prompt: str) -> bool:
    return is_held_out("prompt " + bare(prompt))


def _part(texts: Iterable[str], held_out: bool, prompts: bool = False) -> list[str]:
    """This side's share; where no value of a list falls to validation, its last one does."""
    texts = list(texts)
    if prompts:
        return [text for text in texts if _held(text) == held_out]
    held = [text for text in texts if is_held_out(text)] or texts[-1:]
    return held if held_out else [text for text in texts if text not in held] or texts


def _side(pairs: list[tuple[str, str]], held_out: bool, kept: set[str]) -> list[tuple[str, str]]:
    """Validation: held-out prompts of trained keys and every prompt of the ``kept`` ones. Training: the rest."""
    return [(p, k) for p, k in pairs if (_held(p) or k in kept) == held_out]


def _swapped(asking: list[tuple[str, str]], keys: Iterable[str]) -> list[tuple[str, str]]:
    """New prompts that ``asking`` gives for near keys, such as another day's; none of a prompt that is held out."""
    taken = {bare(prompt) for prompt, _ in asking}
    made = [
        (prompt.replace(words[key], word), other)
        for words in _SWAPS
        for prompt, key in asking
        if key in words and not _held(prompt) and _SWAPPABLE.search(prompt)
        if words[key] in prompt and f"{words[key]}에" not in prompt and prompt.count(words[key]) == 1
        for other, word in words.items()
        if other != key and other in keys and not any(w in prompt for w in words.values() if w != words[key])
    ]
    return [(prompt, key) for prompt, key in made if bare(prompt) not in taken]


def _distinct(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    seen: dict[tuple[str, str], tuple[str, str]] = {}
    for prompt, key in pairs:
        seen.setdefault((bare(prompt), key), (prompt, key))
    return tuple(seen.values())
