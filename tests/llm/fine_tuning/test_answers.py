"""Rows of prompt and answer: what is learned, what is padded, what is left as it was written."""

import torch

from llm.fine_tuning.answers import IGNORED, AnswerRows, Padding, answer_weights
from llm.fine_tuning.conversations import Pair
from llm.prompt import render_prompt, render_reply
from tests.tiny_models import tokenizer

PAIRS = [Pair("안녕", "안녕!"), Pair("나 내일 뭐하지", "친구를 만나기로 했잖아!", memory="내일 일정: 친구 만나기")]


def test_the_answer_alone_is_learned():
    words = tokenizer()
    for pair, row in zip(PAIRS, list(map(AnswerRows(PAIRS, words).__getitem__, range(2))), strict=True):
        prompt, reply = render_prompt(pair.prompt, pair.memory), render_reply(pair.reply, pair.save)
        learned = [token for token in row["labels"] if token != IGNORED]
        assert words.decode(row["input_ids"]) == prompt + reply
        assert words.decode(learned) == reply
        assert row["input_ids"][-len(learned) :] == learned


def test_a_batch_is_padded_where_no_loss_is():
    rows = list(map(AnswerRows(PAIRS, tokenizer()).__getitem__, range(2)))
    batch = Padding(pad_token=7)(rows)
    lengths = [len(row["input_ids"]) for row in rows]
    assert {tuple(tensor.shape) for tensor in batch.values()} == {(2, max(lengths))}
    for row, ids, labels, mask in zip(rows, batch["input_ids"], batch["labels"], batch["attention_mask"], strict=True):
        length, gap = len(row["input_ids"]), max(lengths) - len(row["input_ids"])
        assert ids.tolist() == row["input_ids"] + [7] * gap
        assert labels.tolist() == row["labels"] + [IGNORED] * gap
        assert mask.tolist() == [1] * length + [0] * gap


def test_noise_changes_a_prompts_words_but_never_a_memory_or_the_format():
    words = tokenizer()
    pairs = [Pair("고민이야", "떡볶이 어때?")] * 40 + [PAIRS[1]] * 40
    rows = AnswerRows(pairs, words, noise=0.5)
    plain = words(render_prompt(pairs[0].prompt))["input_ids"]
    frame = set(words(render_prompt(""))["input_ids"]) | set(words.all_special_ids)
    noisy = [rows.prompts[i].tolist() for i in range(40)]
    assert all(len(row) == len(plain) for row in noisy) and any(row != plain for row in noisy)
    for row in noisy:
        assert [(i, t) for i, t in enumerate(row) if t in frame] == [(i, t) for i, t in enumerate(plain) if t in frame]
    remembering = {words.decode(rows.prompts[i].tolist()) for i in range(40, 80)}
    assert remembering <= {
        render_prompt(left, PAIRS[1].memory) for left in ("나", "내일", "뭐하지", "나 내일", "나 뭐하지", "내일 뭐하지")
    } | {render_prompt(PAIRS[1].prompt, PAIRS[1].memory)}
    assert len(remembering) > 3


def test_noise_leaves_out_no_word_that_is_written_down():
    words = tokenizer()
    rows = AnswerRows([Pair("있잖아 나 민수야", "반가워!", save="이름: 민수")] * 40, words, noise=0.7)
    texts = [words.decode(rows.prompts[i].tolist()) for i in range(40)]
    assert all("민수야" in text for text in texts) and len(set(texts)) > 1


def test_cuts_change_the_pieces_of_a_prompt_but_not_its_text():
    words = tokenizer()
    pairs = [PAIRS[0]] * 20 + [PAIRS[1]] * 20
    rows = AnswerRows(pairs, words, cuts=0.5)
    plain = [words(render_prompt(p.prompt, p.memory))["input_ids"] for p in PAIRS]
    as_it_was = [rows.prompts[i].tolist() == plain[i // 20] for i in range(40)]
    assert 5 < sum(as_it_was[:20]) < 20  # half of those without a memory stay whole
    assert sum(as_it_was[20:]) < 10
    assert {words.decode(rows.prompts[i].tolist()) for i in range(20)} == {words.decode(plain[0])}
    assert {words.decode(rows.prompts[i].tolist()) for i in range(20, 40)} == {words.decode(plain[1])}


def test_a_share_of_the_answers_is_cut_to_its_opening_but_never_a_written_memory():
    pairs = [Pair("안녕", "안녕! 오늘은 무슨 일로 왔어? 정말 반가워 친구야!")] * 50
    pairs += [Pair("나 민수야", "반가워, 민수야! 이름 꼭 기억해 둘게.", save="이름: 민수")] * 50
    rows = AnswerRows(pairs, tokenizer(), opening_share=0.5)
    lengths = [len(reply) for reply in rows.replies]
    assert 10 < sum(length == min(lengths) for length in lengths[:50]) < 40
    assert len(set(lengths[:50])) == 2 and len(set(lengths[50:])) == 1


def test_the_first_tokens_of_an_answer_weigh_more():
    labels = torch.tensor([[IGNORED, 5, 6, 7, 8, 9, IGNORED], [3, 4, IGNORED, IGNORED, IGNORED, IGNORED, IGNORED]])
    assert answer_weights(labels, 3.0).tolist() == [[0, 3, 3, 3, 3, 1, 0], [3, 3, 0, 0, 0, 0, 0]]
