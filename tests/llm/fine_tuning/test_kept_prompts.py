"""Prompts that training keeps out, and whose replies she gives to them."""

import torch

from llm.fine_tuning.conversations import Family, Pair, is_held_out, keep_prompts, kept_pairs, load_values
from llm.fine_tuning.kept_prompts import ReplyIndex, measure
from llm.prompt import ANSWER_END

FAMILIES = [
    Family("hello", ("안녕",), ("안녕! 오늘은 무슨 얘기 할까?", "왔구나, 기다렸어!")),
    Family("hungry", ("배고파",), ("배고플 땐 떡볶이지!",)),
    Family("name", ("난 {name}(이야/야)",), ("{name}(이구나/구나)! 이름 기억할게.",), save="이름: {name}"),
]


class Parrot:
    """A language model that knows its answers by heart."""

    def __init__(self, answers):
        self.answers = answers

    def stream(self, prompt, generator: torch.Generator):
        yield next(answer for said, answer in self.answers.items() if said in prompt) + ANSWER_END


def test_kept_prompts_are_not_trained_on_and_no_family_loses_all():
    families = [Family(f"f{i}", tuple(f"말 {i} {j}" for j in range(12)), ("응!",)) for i in range(40)]
    training, kept = keep_prompts(families, 0.1)
    assert [f.name for f in training] == [f.name for f in families] and kept
    for family in kept:
        whole = next(f for f in families if f.name == family.name)
        rest = next(f for f in training if f.name == family.name)
        assert set(family.prompts) | set(rest.prompts) == set(whole.prompts)
        assert rest.prompts and not set(family.prompts) & set(rest.prompts)
    assert keep_prompts(families, 1.0)[0] == families


def test_kept_prompts_are_asked_with_unseen_values_where_there_are_some():
    assert not load_values(held_out=True)["season"], "a list of four"
    kept = [Family("food", ("{food} 먹자",), ("좋아!",)), Family("season", ("난 {season} 좋아",), ("나도!",))]
    food, season = sorted(kept_pairs(kept, seed=1), key=lambda pair: pair.family or "")
    assert is_held_out(food.prompt.removesuffix(" 먹자"))
    assert season.prompt.removeprefix("난 ").removesuffix(" 좋아") in load_values()["season"]


def test_a_reply_belongs_to_the_family_whose_reply_it_is_nearest_to():
    index = ReplyIndex(FAMILIES)
    assert index.nearest("왔구나, 나 기다렸어!") == "hello"
    assert index.nearest("민수구나! 이름 꼭 기억할게.") == "name"
    assert index.nearest("hmm") is None


def test_figures_count_families_and_what_was_written():
    pairs = [
        Pair("안녕", "", family="hello"),
        Pair("배고파", "", family="hungry"),
        Pair("난 민수야", "", save="이름: 민수", family="name"),
        Pair("난 지수야", "", save="이름: 지수", family="name"),
    ]
    model = Parrot(
        {
            "안녕": "[이름: 안녕] 왔구나, 기다렸어!",
            "배고파": "안녕! 오늘은 무슨 얘기 할까?",
            "민수": "[이름: 민수] 민수구나! 이름 기억할게.",
            "지수": "[이름: 지우] 지수구나! 이름 기억할게.",
        }
    )
    found = measure(model, pairs, ReplyIndex(FAMILIES))
    assert (found.own_family, found.unsaved, found.saved) == (0.75, 0.5, 0.5)
