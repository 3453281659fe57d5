"""Topics: tokens that models and tokenizers are given once, and that rows, losses and figures know."""

import copy

import pytest
import torch

from llm.fine_tuning.answers import IGNORED, AnswerRows, answer_weights
from llm.fine_tuning.conversations import Family, Pair
from llm.fine_tuning.topics import add_topics, topic_accuracy, topic_ids
from llm.prompt import OTHER_TOPIC, render_prompt, writes_memory
from tests.tiny_models import network, tokenizer

PAIRS = [
    Pair("안녕", "안녕!", family="hello"),
    Pair("나 내일 뭐하지", "친구를 만나기로 했잖아!", memory="내일 일정: 친구 만나기", family="tomorrow"),
    Pair("고마워", "별말을!"),
]
FAMILIES = [
    Family("hello", ("안녕",), ("안녕!",)),
    Family("tomorrow", ("나 내일 뭐하지",), ("푹 쉬어",), save="일정: {x}"),
]


@pytest.fixture
def words():
    return copy.deepcopy(tokenizer())


@pytest.fixture
def model(words):
    model = network()
    add_topics(words, model, FAMILIES)
    return model


def test_topics_are_added_once_and_leave_the_words_alone(words, model):
    before = tokenizer()
    topics = topic_ids(words)
    assert topics == {"hello": len(before) + 1, "tomorrow": len(before) + 2}
    assert [writes_memory(words.convert_ids_to_tokens(number)) for number in topics.values()] == [False, True]
    add_topics(words, model, FAMILIES[::-1])
    assert topic_ids(words) == topics
    assert model.config.vocab_size >= len(words) == len(before) + 3
    assert model.lm_head.weight.shape[0] == model.config.vocab_size
    text = render_prompt(PAIRS[1].prompt, PAIRS[1].memory)
    assert words(text)["input_ids"] == before(text)["input_ids"]


def test_new_topics_begin_alike_in_models_that_learn_apart():
    made = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        words, model = copy.deepcopy(tokenizer()), network()
        add_topics(words, model, FAMILIES)
        made.append(model.get_input_embeddings().weight[list(topic_ids(words).values())])
    assert torch.equal(*made)


def test_a_tokenizer_without_topics_has_none():
    assert topic_ids(tokenizer()) == {}


def test_an_answer_begins_with_its_topic_and_a_strangers_topic_is_not_learned(words, model):
    plain = [AnswerRows(PAIRS, tokenizer())[i] for i in range(3)]
    topics = topic_ids(words)
    numbers = [topics["hello"], topics["tomorrow"], words.convert_tokens_to_ids(OTHER_TOPIC)]
    for row, before, number in zip(map(AnswerRows(PAIRS, words).__getitem__, range(3)), plain, numbers, strict=True):
        start = sum(label == IGNORED for label in before["labels"])
        assert row["input_ids"] == [*before["input_ids"][:start], number, *before["input_ids"][start:]]
        learned = IGNORED if number == numbers[2] else number
        assert row["labels"] == [*before["labels"][:start], learned, *before["labels"][start:]]


def test_noise_never_makes_a_topic_of_a_word(words, model):
    rows = AnswerRows(PAIRS[:1] * 200, words, noise=0.9)
    start = len(words(render_prompt("안녕"))["input_ids"])
    assert not {i for row in map(rows.__getitem__, range(200)) for i in row["input_ids"][:start]} & {
        *topic_ids(words).values()
    }


def test_a_topic_has_a_weight_of_its_own():
    labels = torch.tensor([[IGNORED, 9, 4, 5, 6, 7], [IGNORED, IGNORED, 4, 5, 6, 7]])
    weights = answer_weights(labels, 2.0, torch.tensor([8, 9]), 5.0)
    assert weights.tolist() == [[0, 5, 2, 2, 2, 1], [0, 0, 2, 2, 2, 2]]


def test_accuracy_counts_the_topics_that_are_likeliest_after_their_prompts(words, model):
    topics = topic_ids(words)
    direction = torch.linspace(-1, 1, model.config.hidden_size)
    with torch.no_grad():
        model.base_model.final_layer_norm.weight.zero_()
        model.base_model.final_layer_norm.bias.copy_(direction)
        model.lm_head.weight[topics["hello"]] = -direction
        model.lm_head.weight[topics["tomorrow"]] = direction
    assert topic_accuracy(model, words, PAIRS[:2]) == 0.5
    assert topic_accuracy(model, words, PAIRS[1:2]) == 1.0
