"""A base with more layers: it says what it said, and its new layers can learn."""

import pytest
import torch
from transformers import GPTNeoXForCausalLM

from llm.fine_tuning import deepen_base
from llm.language_model import LanguageModel
from llm.prompt import render_prompt
from tests.tiny_models import save_base


def layers_of(folder):
    return LanguageModel.load(folder).model.config.num_hidden_layers


@pytest.mark.parametrize("new", [1, 2])
def test_more_layers_say_the_same(tmp_path, new):
    save_base(tmp_path / "base")
    wanted = layers_of(tmp_path / "base") + new
    arguments = ["--base", str(tmp_path / "base"), "--layers", str(wanted), "--out", str(tmp_path / "deep")]
    deepen_base.main(arguments)
    assert layers_of(tmp_path / "deep") == wanted
    said = [
        "".join(LanguageModel.load(tmp_path / name).stream(render_prompt("안녕"), torch.Generator().manual_seed(0)))
        for name in ("base", "deep")
    ]
    assert said[0] == said[1] != ""


def test_a_new_layer_learns(tmp_path):
    save_base(tmp_path)
    model = GPTNeoXForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    before = len(model.gpt_neox.layers)
    deepen_base.deepen(model, before + 1)
    model(input_ids=torch.tensor([[5, 6, 7, 8]]), labels=torch.tensor([[5, 6, 7, 8]])).loss.backward()
    silent = [layer for layer in model.gpt_neox.layers if not layer.mlp.dense_4h_to_h.weight.any()]
    assert len(silent) == 1 and silent[0].mlp.dense_4h_to_h.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("layers", [0, 2, 5])
def test_layers_that_cannot_be_had_are_refused(tmp_path, capsys, layers):
    save_base(tmp_path / "base")
    assert layers_of(tmp_path / "base") == 2
    arguments = ["--base", str(tmp_path / "base"), "--layers", str(layers), "--out", str(tmp_path / "deep")]
    with pytest.raises(SystemExit):
        deepen_base.main(arguments)
    assert "3개에서 4개까지" in capsys.readouterr().err and not (tmp_path / "deep").exists()
