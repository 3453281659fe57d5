"""Training the topic classifier: on a few families of our own, from prompts to a file."""

import json

import pytest

from llm.fine_tuning import train_topics
from llm.fine_tuning.conversations import Family, Pair
from llm.fine_tuning.train_topics import TopicConfig, count_ngrams, told, train
from llm.topic_classifier import FILE, TopicClassifier, ngram_hash

FOODS, PLACES = ("김밥", "라면", "만두", "국수", "떡볶이"), ("바다", "산", "공원", "강", "시장")
FAMILIES = [
    Family("food", tuple(f"{food} {end}" for food in FOODS for end in ("먹고 싶다", "먹을래", "맛있겠다")), ("좋아!",)),
    Family(
        "place", tuple(f"{place}에 {end}" for place in PLACES for end in ("가고 싶다", "갈래", "놀러 가자")), ("가자!",)
    ),
    Family("ask", ("내일 뭐하지", "뭐 하더라"), ("{event}!",), memory="내일 일정: {event}"),
    Family("name", ("내 이름은 {person}(이야/야)", "난 {person}(이라고/라고) 해"), ("반가워!",), save="이름: {person}"),
]
SMALL = {"dimensions": 8, "least": 1, "epochs": 60, "batch": 8, "learning_rate": 0.03, "dropout": 0.2}


def test_prompts_that_it_never_saw_are_told():
    model = train(TopicConfig(out="", **SMALL), FAMILIES)
    unseen = [
        Pair("순대 먹고 싶다", "", family="food"),
        Pair("호수에 놀러 가자", "", family="place"),
        Pair("뭐하지", "", memory="내일 일정: 소풍", family="ask"),
        Pair("난 하루카라고 해", "", family="name"),
    ]
    assert list(told(model, unseen)) == [True] * 4
    assert model.families == tuple(family.name for family in FAMILIES)


def test_ngrams_are_counted_once_a_prompt_and_slots_are_left_empty():
    counts = count_ngrams([Family("name", ("난 {person}(이야/야)", "난 난 {person}"), ("응",), save="이름: {person}")])
    assert counts[ngram_hash("난")] == 2
    assert not any(counts[ngram_hash(letter)] for letter in "p{(이")


def test_the_rarest_and_weakest_ngrams_are_left_out():
    known = len(train(TopicConfig(out="", **SMALL | {"epochs": 1}), FAMILIES).hashes)
    assert len(train(TopicConfig(out="", **SMALL | {"epochs": 1, "least": 3}), FAMILIES).hashes) < known
    small = train(TopicConfig(out="", **SMALL | {"epochs": 1}, most=20), FAMILIES)
    assert len(small.hashes) == 20 and small.hashes.diff().min() > 0


def test_a_run_writes_the_file_and_its_settings(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(train_topics, "load_families", lambda: FAMILIES)
    options = [text for name, value in SMALL.items() for text in (f"--{name.replace('_', '-')}", str(value))]
    train_topics.main(["--out", str(tmp_path / "new"), *options, "--threads", "1", "--kept-prompts", "0.1"])
    assert "kept prompts told" in capsys.readouterr().out
    assert TopicClassifier.load(tmp_path / "new").families == tuple(family.name for family in FAMILIES)
    made = json.loads((tmp_path / "new" / train_topics.CONFIG_FILE).read_text(encoding="utf-8"))
    assert made["dimensions"] == 8 and "out" not in made
    assert (tmp_path / "new" / FILE).is_file()
    with pytest.raises(SystemExit):
        train_topics.main(["--out", str(tmp_path), "--dimensions", "7"])
    assert "짝수" in capsys.readouterr().err
