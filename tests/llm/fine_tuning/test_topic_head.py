"""The second task of telling a prompt's family: where it is read, what it costs, and that it leaves no trace."""

import pytest
import torch

from llm.fine_tuning.answers import IGNORED, AnswerRows, Padding, prompt_ends
from llm.fine_tuning.conversations import Pair
from llm.fine_tuning.topic_head import add_topic_head, remove_topic_head, topic_accuracy, topic_loss, topic_scores
from llm.language_model import LanguageModel
from llm.prompt import render_prompt
from tests.tiny_models import save_base, tokenizer

PAIRS = [
    Pair("안녕", "안녕!", family="hello"),
    Pair("나 내일 뭐하지", "친구를 만나기로 했잖아!", memory="내일 일정: 친구 만나기", family="tomorrow"),
    Pair("고마워", "별말을!"),
]
TOPICS = {"hello": 0, "tomorrow": 1}


@pytest.fixture
def model(tmp_path):
    save_base(tmp_path)
    return LanguageModel.load(tmp_path).model.float()


def test_rows_carry_the_number_of_their_family_only_where_it_is_asked_for():
    rows = AnswerRows(PAIRS, tokenizer(), topics=TOPICS)
    assert Padding(7)([rows[i] for i in range(3)])["topic"].tolist() == [0, 1, IGNORED]
    assert "topic" not in Padding(7)([AnswerRows(PAIRS, tokenizer())[0]])


def test_the_head_reads_the_last_token_of_each_prompt():
    words = tokenizer()
    rows = AnswerRows(PAIRS, words, topics=TOPICS)
    batch = Padding(7)([rows[i] for i in range(3)])
    ends = prompt_ends(batch["labels"])
    assert ends.tolist() == [len(words(render_prompt(p.prompt, p.memory))["input_ids"]) - 1 for p in PAIRS]


def test_what_stands_behind_a_prompt_does_not_change_its_scores(model):
    add_topic_head(model, len(TOPICS))
    ids = torch.tensor([[5, 6, 7, 8, 9], [5, 6, 7, 3, 4]])
    states = model.gpt_neox(input_ids=ids, output_hidden_states=True).hidden_states
    scores = topic_scores(model, states, torch.tensor([2, 2]))
    assert scores.shape == (2, 2)
    torch.testing.assert_close(scores[0], scores[1])


def test_rows_without_a_family_cost_nothing():
    scores = torch.tensor([[4.0, 0.0], [0.0, 9.0]], requires_grad=True)
    one = topic_loss(scores[:1], torch.tensor([1]))
    torch.testing.assert_close(topic_loss(scores, torch.tensor([1, IGNORED])), one)
    none = topic_loss(scores, torch.tensor([IGNORED, IGNORED]))
    none.backward()
    assert none.item() == 0 and not scores.grad.any()


def test_accuracy_counts_the_families_that_were_told(model):
    add_topic_head(model, len(TOPICS))
    with torch.no_grad():
        model.topic_head.weight.zero_()
        model.topic_head.bias.copy_(torch.tensor([1.0, 0.0]))
    assert topic_accuracy(model, tokenizer(), PAIRS[:2], TOPICS) == 0.5
    remove_topic_head(model)
    assert not any("topic" in name for name in model.state_dict())
