"""The base's training: its tokenizer, its rows, and a tiny run from corpus files to a folder that speaks."""

import json

import pytest
import torch

from llm.fine_tuning.train_base import PackedTokens, main, train_tokenizer
from llm.language_model import LanguageModel
from llm.prompt import END_OF_TEXT, MARKERS, render_prompt
from tests.llm.fine_tuning.conftest import SENTENCES


def train(corpus, out, steps, **options):
    small = {"vocab_size": 400, "hidden_size": 16, "layers": 1, "heads": 2, "context": 64, "block": 16, "batch": 2}
    small |= {"dialogue_rounds": 1, "reviews": 5, "notes": 20, "warmup": 1, "threads": 1} | options
    arguments = [text for name, value in small.items() for text in (f"--{name.replace('_', '-')}", str(value))]
    main(["--corpus", str(corpus), "--out", str(out), "--steps", str(steps), *arguments])


def steps_of(out):
    return [
        json.loads(p.read_text(encoding="utf-8"))["global_step"] for p in out.glob("checkpoints/*/trainer_state.json")
    ]


@pytest.fixture(scope="module")
def trained(corpus_folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("trained") / "base"
    train(corpus_folder, out, steps=2)
    return out


def test_a_tiny_run_makes_a_folder_that_speaks(trained):
    assert steps_of(trained) == [2]
    model = LanguageModel.load(trained)
    assert model.context == 64 and model.model.config.hidden_size == 16
    prompt = render_prompt("나 내일 뭐하지", "내일 일정: 친구 만나기")
    assert "".join(model.stream(prompt, torch.Generator().manual_seed(0), max_new_tokens=12))


def test_what_decided_the_run_lies_beside_the_weights(trained, capsys, corpus_folder):
    fields = json.loads((trained / "base_training.json").read_text(encoding="utf-8"))
    assert fields["steps"] == 2 and fields["hidden_size"] == 16
    assert not any(str(corpus_folder) in str(value) or str(trained) in str(value) for value in fields.values())


def test_the_weights_are_half_precision_safetensors(trained):
    from safetensors.torch import load_file

    assert {weight.dtype for weight in load_file(trained / "model.safetensors").values()} == {torch.float16}


def test_a_run_goes_on_from_its_checkpoint(trained, corpus_folder, tmp_path, capsys):
    tokenizer = (trained / "tokenizer.json").read_bytes()
    before = LanguageModel.load(trained).model.state_dict()
    train(corpus_folder, trained, steps=4)
    assert steps_of(trained) == [4]
    assert (trained / "tokenizer.json").read_bytes() == tokenizer, "the tokens keep their numbers"
    after = LanguageModel.load(trained).model.state_dict()
    assert not all(torch.equal(before[name], after[name]) for name in before)

    assert '"steps": 4' in capsys.readouterr().out, "the config is shown"
    train(corpus_folder, trained, steps=4)  # nothing is left to do
    again = LanguageModel.load(trained).model.state_dict()
    assert all(torch.equal(after[name], again[name]) for name in after)


def test_a_second_run_goes_on_from_another_folder(trained, corpus_folder, tmp_path):
    train(corpus_folder, tmp_path / "turned", steps=1, init=trained)
    assert (tmp_path / "turned" / "tokenizer.json").read_bytes() == (trained / "tokenizer.json").read_bytes()
    assert LanguageModel.load(tmp_path / "turned").context == 64


def test_the_markers_are_single_tokens():
    tokenizer = train_tokenizer(SENTENCES, vocab_size=300)
    for marker in (*MARKERS, END_OF_TEXT):
        assert len(tokenizer(marker)["input_ids"]) == 1
    assert tokenizer.eos_token == END_OF_TEXT and tokenizer.pad_token == "<|pad|>"


@pytest.mark.parametrize("text", [" 안녕! 뷁 (답변 종료)", "👱\u200d♀️ 😊", "漢字 ⊂\t\n x", "그래  그래"])
def test_every_text_survives_its_tokens(text):
    tokenizer = train_tokenizer(SENTENCES, vocab_size=300)
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_rows_of_a_packed_stream():
    rows = PackedTokens(torch.arange(11, dtype=torch.int32), block=4, rows=5)
    assert len(rows) == 5
    assert [row["input_ids"].tolist() for row in (rows[i] for i in range(5))] == [
        [0, 1, 2, 3], [4, 5, 6, 7], [0, 1, 2, 3], [4, 5, 6, 7], [0, 1, 2, 3]
    ]  # fmt: skip
    assert rows[0]["labels"].tolist() == [0, 1, 2, 3] and rows[0]["labels"].dtype == torch.int64
