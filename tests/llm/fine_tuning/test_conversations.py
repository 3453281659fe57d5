"""The hand-written conversations: every committed line keeps the format's rules, and pairs are made as promised."""

import json
import re

import pytest

from llm.fine_tuning.conversations import (
    CONVERSATIONS,
    KEY_SLOTS,
    VALUES,
    Family,
    is_held_out,
    load_families,
    load_values,
    plain_texts,
    training_pairs,
)
from llm.memory_mechanism.memory import Memory, split_leading_memories
from llm.prompt import END_OF_TEXT, MARKERS, clean_user_text, render_reply
from llm.reply import Reply, ReplyParser

_SLOT = re.compile(r"\{(\w+)")


@pytest.fixture(scope="module")
def families():
    return load_families()


def slots(text):
    return set(_SLOT.findall(text or ""))


def broken(families, rule):
    """The families that break ``rule``, by name: an assertion that shows them is easier to mend."""
    return [family.name for family in families if not rule(family)]


# --- what is committed ----------------------------------------------------------------------------------------------


def test_there_are_enough_and_all_have_names_of_their_own(families):
    names = [family.name for family in families]
    assert len(names) >= 600
    assert sorted(names) == sorted(set(names))
    assert not broken(families, lambda f: f.prompts and f.replies)


def test_no_field_is_misspelt_and_no_text_is_blank():
    for path in sorted(CONVERSATIONS.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            fields = json.loads(line)
            where = f"{path.name}:{number}"
            assert set(fields) <= {"family", "prompts", "replies", "memory", "save"}, where
            for text in (*fields["prompts"], *fields["replies"]):
                assert isinstance(text, str) and text == text.strip() and text, (where, text)


def test_no_prompt_or_reply_comes_twice_in_a_family(families):
    assert not broken(families, lambda f: len(set(f.prompts)) == len(f.prompts))
    assert not broken(families, lambda f: len(set(f.replies)) == len(f.replies))


def test_every_slot_has_values_and_every_list_is_clean(families):
    files = {path.stem: path.read_text(encoding="utf-8").splitlines() for path in VALUES.glob("*.txt")}
    used = {name for family in families for name in family.slots}
    assert used <= set(files)
    for name, lines in files.items():
        assert all(line == line.strip() and line for line in lines), name
        assert len(set(lines)) == len(lines) > 0, name
        assert not any(set(line) & set('[]{}:"') for line in lines), name
    training = load_values()
    assert not [name for name in used if not training[name]], "slots without a value to train on"


def test_training_and_evaluation_share_no_value():
    training, evaluation = load_values(), load_values(held_out=True)
    assert {v for values in training.values() for v in values}.isdisjoint(
        v for values in evaluation.values() for v in values
    )
    for name, values in training.items():
        lines = (VALUES / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        assert sorted(values + evaluation[name]) == sorted(lines)
    assert not any(evaluation[name] for name in KEY_SLOTS)


def test_the_words_of_a_key_are_all_learned_and_none_is_made_up():
    family = Family(
        "name", ("우리 {relation} 이름은 {person}",), ("{relation}(은/는) {person}!",), save="{relation} 이름: {person}"
    )
    values = load_values()
    made = training_pairs([family], values, rounds=1, seed=1, slot_fills=400, invented=1.0, distractors=0.0, typing=0.0)
    keys = {pair.save.split(" 이름: ")[0] for pair in made}
    assert len(keys) > 90 and keys <= set(values["relation"])
    assert all(pair.prompt.startswith(f"우리 {pair.save.split(' 이름: ')[0]} ") for pair in made)
    assert sum(pair.save.split(": ")[1] not in values["person"] for pair in made) > 300


def test_replies_hold_nothing_that_the_parser_would_cut(families):
    unwanted = re.compile(r'["“”\[\]]|\(답변|###|<\|')
    assert not broken(families, lambda f: not any(unwanted.search(r.removeprefix("[경고] ")) for r in f.replies))


def test_what_she_learns_to_write_is_what_is_shown(families):
    for family in families:
        for reply in family.replies:
            if not slots(reply):
                parser = ReplyParser()
                shown = parser.feed(render_reply(reply, None if slots(family.save) else family.save)) + parser.finish()
                saved = () if slots(family.save) or not family.save else (Memory.parse(family.save),)
                assert parser.reply == Reply(shown, saved, reply.startswith("[경고]")), family.name
                assert shown == reply.removeprefix("[경고] "), family.name


def test_prompts_hold_no_markers_and_nothing_that_typing_would_lose(families):
    assert not broken(families, lambda f: all(clean_user_text(prompt) == prompt for prompt in f.prompts))


def test_memories_are_items(families):
    for family in families:
        for item in (family.memory, family.save):
            assert item is None or Memory.parse(item).item == item, family.name


def test_she_saves_only_what_was_said(families):
    assert not broken(families, lambda f: all(slots(f.save) <= slots(p) for p in f.prompts))


def test_replies_know_only_what_was_said_or_remembered(families):
    def rule(family):
        known = [slots(family.memory) | slots(prompt) for prompt in family.prompts]
        return all(slots(reply) <= each for reply in family.replies for each in known)

    assert not broken(families, rule)


# --- how pairs are made ---------------------------------------------------------------------------------------------

FAMILIES = (
    Family("hello", ("안녕하세요 로라", "반가워 로라야"), ("안녕!", "반가워!", "왔구나!")),
    Family("asked_food", ("내가 좋아하는 음식 뭐야?",), ("{food}(이지/지)!",), memory="좋아하는 음식: {food}"),
    Family("write_food", ("나 {food} 좋아해",), ("{food}(을/를) 좋아하는구나!",), save="좋아하는 음식: {food}"),
    Family("bracket", ("[내일 일정: {event}] 나 내일 바빠",), ("{event}(이구나/구나)!",), save="내일 일정: {event}"),
    Family("memory_none_unknown_name", ("내 이름이 뭐게 맞혀 봐",), ("아직 몰라.",)),
)
FOODS = tuple(f"음식{n}호" for n in range(40))
VALUE_LISTS = {"food": [v for v in FOODS if not is_held_out(v)], "event": ["꽃놀이", "면접", "친구 만나기"]}


def pairs(rounds=3, seed=1, **options):
    return training_pairs(FAMILIES, VALUE_LISTS, rounds, seed, **options)


def test_the_same_seed_gives_the_same_pairs():
    assert pairs() == pairs() != pairs(seed=2)
    assert sorted(map(repr, pairs())) != sorted(map(repr, pairs(seed=2)))


def test_every_prompt_comes_in_every_round():
    plain = pairs(rounds=4, slot_fills=2, typing=0, distractors=0)
    one_round = 2 + 2 + 2 + 2 + 1
    assert len(plain) == 4 * one_round
    for start in range(0, len(plain), one_round):
        said = [pair.prompt for pair in plain[start : start + one_round]]
        assert {"안녕하세요 로라", "반가워 로라야", "내 이름이 뭐게 맞혀 봐"} <= set(said)
        assert said.count("내가 좋아하는 음식 뭐야?") == said.count("나 내일 바빠") == 2


def test_every_reply_of_a_family_is_used():
    assert {pair.reply for pair in pairs(rounds=6)} >= {"안녕!", "반가워!", "왔구나!"}


def test_slots_agree_within_a_pair():
    for pair in pairs(rounds=10, typing=0, distractors=0):
        for item in (pair.memory, pair.save):
            if item:
                assert item.split(": ")[1] in pair.reply
        if pair.save:
            assert pair.save.split(": ")[1] in pair.prompt
        assert not re.search(r"[{}]|\([가-힣]*/", pair.prompt + pair.reply + (pair.memory or "") + (pair.save or ""))


def test_brackets_in_a_prompt_become_the_memory_before_it():
    found = [pair for pair in pairs(rounds=5, typing=0) if pair.prompt == "나 내일 바빠"]
    assert found
    for pair in found:
        key, value = pair.memory.split(": ")
        assert key == "내일 일정" and pair.save is None and value in pair.reply


def test_distractors_are_memories_of_other_families():
    made = pairs(rounds=20, distractors=1.0, typing=0)
    assert all(pair.memory for pair in made if pair.reply != "아직 몰라.")
    assert not any(pair.memory for pair in made if pair.reply == "아직 몰라."), (
        "she was just asked what she cannot know"
    )
    assert {pair.memory.split(":")[0] for pair in made if pair.reply == "안녕!"} == {"좋아하는 음식"}
    assert not any(pair.memory for pair in pairs(distractors=0) if pair.reply == "안녕!")


def test_who_tells_something_new_may_be_reminded_of_what_was_told_before():
    """Saying a second favourite dish recalls the first: it must be written down all the same."""
    event = Family("event", ("나 {event} 있어",), ("알았어!",), save="오늘 일정: {event}")
    asked = Family("asked_event", ("나 내일 뭐 해?",), ("{event}!",), memory="내일 일정: {event}")
    made = training_pairs((*FAMILIES, event, asked), VALUE_LISTS, 60, 1, slot_fills=1, distractors=0.4, typing=0)
    recalled = {
        save: [pair.memory.split(":")[0] for pair in made if pair.memory and (pair.save or "").startswith(save)]
        for save in ("좋아하는 음식", "오늘 일정")
    }
    assert recalled["좋아하는 음식"].count("좋아하는 음식") > len(recalled["좋아하는 음식"]) / 2
    assert recalled["오늘 일정"].count("내일 일정") > len(recalled["오늘 일정"]) / 2
    for key, keys in recalled.items():
        told = sum((pair.save or "").startswith(key) for pair in made)
        assert len(keys) == pytest.approx(0.8 * told, abs=12)
    greeted = [pair for pair in made if pair.family == "hello"]
    assert sum(bool(pair.memory) for pair in greeted) == pytest.approx(0.4 * len(greeted), abs=16)


def test_careless_typing_changes_the_prompt_alone():
    careless = [pair.prompt for pair in pairs(rounds=60, typing=1.0, distractors=0) if pair.reply == "안녕!"]
    assert set(careless) == {
        *("안녕하세요로라", "안녕하세요 로라", "로라야 안녕하세요 로라"),
        *("반가워로라야", "반가워 로라야", "로라야 반가워 로라야"),
    }


def test_held_out_values_never_occur(families):
    for seed in range(2):
        made = training_pairs(FAMILIES, VALUE_LISTS, 30, seed)
        text = "\n".join(f"{p.prompt} {p.reply} {p.memory} {p.save}" for p in made)
        assert not [value for value in FOODS if is_held_out(value) and value in text]
    # The committed ones, as whole saved or remembered values.
    held_out = {v for values in load_values(held_out=True).values() for v in values}
    fixed = {f.memory for f in families} | {f.save for f in families}
    for pair in training_pairs(families, load_values(), rounds=1, seed=3):
        for item in {pair.memory, pair.save} - {None} - fixed:
            assert item.split(": ", 1)[1] not in held_out


def test_every_committed_family_becomes_pairs(families):
    made = training_pairs(families, load_values(), rounds=1, seed=1)
    assert len(made) >= sum(len(family.prompts) for family in families)
    for pair in made:
        assert pair.prompt.strip() and pair.reply.strip()
        assert not any(mark in text for mark in (*MARKERS, END_OF_TEXT) for text in (pair.prompt, pair.reply))
        assert split_leading_memories(pair.prompt)[0] == []


def test_texts_for_the_tokenizer_have_empty_slots():
    assert list(plain_texts(FAMILIES[2:3])) == ["나  좋아해", "를 좋아하는구나!", "좋아하는 음식: "]


# --- files that are not as they should be ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '"안녕"',
        '{"family": "a", "prompts": ["안녕"]}',
        '{"prompts": ["안녕"], "replies": ["안녕!"]}',
        '{"family": "a", "prompts": "안녕", "replies": ["안녕!"]}',
        '{"family": "a", "prompts": ["안녕"], "replies": []}',
        '{"family": "a", "prompts": [1], "replies": ["안녕!"]}',
        '{"family": "a", "prompts": ["안녕"], "replies": ["안녕!"], "memory": ["이름: 민수"]}',
    ],
)
def test_a_line_that_is_no_family_is_named(tmp_path, line):
    good = '{"family": "a", "prompts": ["안녕"], "replies": ["안녕!"]}'
    (tmp_path / "talk.jsonl").write_text(f"{good}\n\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"talk\.jsonl:3: "):
        load_families(tmp_path)


def test_values_may_grow_without_moving(tmp_path):
    (tmp_path / "food.txt").write_text("\n".join(FOODS[:20]), encoding="utf-8")
    before = load_values(tmp_path)["food"]
    (tmp_path / "food.txt").write_text("\n".join(FOODS), encoding="utf-8")
    after = load_values(tmp_path)["food"]
    assert after[: len(before)] == before
    assert 0 < len(load_values(tmp_path, held_out=True)["food"]) < len(FOODS) / 3
