"""Turning a base towards our talk: a tiny run from a base to a folder that speaks, and its loss."""

import json

import pytest
import torch
from torch.nn import functional

from llm.fine_tuning import average_bases, train_talk
from llm.fine_tuning.answers import IGNORED
from llm.fine_tuning.conversations import load_families
from llm.language_model import LanguageModel
from llm.prompt import render_prompt
from tests.tiny_models import network, save_base


@pytest.fixture
def few_families(monkeypatch):
    """Three of the families, so that a run takes no time."""
    families = load_families()
    few = [families[0], next(f for f in families if f.memory), next(f for f in families if f.save)]
    monkeypatch.setattr(train_talk, "load_families", lambda: few)


def train(corpus, init, out, steps):
    small = {"rounds": 1, "dialogue_rounds": 1, "notes": 4, "batch": 2, "warmup": 1, "threads": 1, "max_steps": steps}
    options = [text for name, value in small.items() for text in (f"--{name.replace('_', '-')}", str(value))]
    train_talk.main(["--corpus", str(corpus), "--init", str(init), "--out", str(out), *options])


def test_a_tiny_run_trains_every_weight_and_goes_on(few_families, corpus_folder, tmp_path, capsys):
    save_base(tmp_path / "base")
    train(corpus_folder, tmp_path / "base", tmp_path / "talk", steps=2)
    before = LanguageModel.load(tmp_path / "base").model.state_dict()
    after = LanguageModel.load(tmp_path / "talk")
    changed = {name for name, weight in after.model.state_dict().items() if not torch.equal(before[name], weight)}
    assert {"gpt_neox.embed_in.weight", "gpt_neox.layers.0.mlp.dense_h_to_4h.weight"} <= changed
    assert "".join(after.stream(render_prompt("안녕"), torch.Generator().manual_seed(0), max_new_tokens=8))

    train(corpus_folder, tmp_path / "base", tmp_path / "talk", steps=3)
    states = [json.loads(p.read_text(encoding="utf-8")) for p in tmp_path.glob("talk/checkpoints/*/trainer_state.json")]
    assert [state["global_step"] for state in states] == [3]
    made = (tmp_path / "talk" / "talk_training.json").read_text(encoding="utf-8")
    assert json.loads(made)["max_steps"] == 3 and str(tmp_path) not in made

    train(corpus_folder, tmp_path / "talk", tmp_path / "on", steps=3)
    mean = ["--first", str(tmp_path / "talk"), "--second", str(tmp_path / "on"), "--share", "0.25"]
    average_bases.main([*mean, "--out", str(tmp_path / "mean")])
    assert "kept prompts told" in capsys.readouterr().out
    parts = [LanguageModel.load(tmp_path / name).model.state_dict() for name in ("talk", "on", "mean")]
    assert not torch.equal(*(part["gpt_neox.embed_in.weight"] for part in parts[:2]))
    assert all(torch.allclose(0.25 * parts[0][n] + 0.75 * parts[1][n], parts[2][n], atol=1e-3) for n in parts[2])
    made = json.loads((tmp_path / "mean" / "talk_training.json").read_text(encoding="utf-8"))
    assert made["averaged_share"] == 0.25 and made["max_steps"] == 3
    with pytest.raises(SystemExit):
        average_bases.main([*mean, "--first", str(tmp_path / "base"), "--out", str(tmp_path / "none")])
    assert "토크나이저가 달라요" in capsys.readouterr().err and not (tmp_path / "none").exists()


def test_families_that_the_base_has_no_topic_for_come_more_often(few_families, corpus_folder):
    families = train_talk.load_families()
    config = train_talk.TalkConfig(str(corpus_folder), "", "", rounds=2, fresh=3, slot_fills=1, notes=4)
    made = train_talk.talk_pairs(config, families, known={families[0].name})
    times = [sum(pair.family == family.name for pair in made) / len(family.prompts) for family in families]
    assert times == [2, 6, 6]


def test_bases_of_other_sizes_have_no_mean(tmp_path, capsys):
    save_base(tmp_path / "base")
    save_base(tmp_path / "wide")
    network(hidden=64).save_pretrained(tmp_path / "wide")
    for name in ("base", "wide"):
        (tmp_path / name / "talk_training.json").write_text("{}", encoding="utf-8")
    options = ["--first", str(tmp_path / "base"), "--second", str(tmp_path / "wide"), "--out", str(tmp_path / "out")]
    with pytest.raises(SystemExit):
        average_bases.main(options)
    assert "구조가 달라요" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_the_loss_is_the_weighted_one_of_the_answers(tmp_path):
    save_base(tmp_path)
    model = LanguageModel.load(tmp_path).model.float()
    ids = torch.tensor([[5, 6, 7, 8, 9, 10, 11, 12], [5, 6, 7, 8, 0, 0, 0, 0]])
    labels = torch.tensor([[IGNORED, IGNORED, 7, 8, 9, 10, 11, 12], [IGNORED, 6, 7, 8, *[IGNORED] * 4]])
    trainer = train_talk.TalkTrainer.__new__(train_talk.TalkTrainer)
    trainer.opening_weight = 2.0
    loss = trainer.compute_loss(model, {"input_ids": ids, "labels": labels})

    logits = model(input_ids=ids).logits[:, :-1].transpose(1, 2)
    each = functional.cross_entropy(logits, labels[:, 1:], ignore_index=IGNORED, reduction="none")
    weights = torch.tensor([[0, 2, 2, 2, 2, 1, 1], [2, 2, 2, 0, 0, 0, 0]])
    torch.testing.assert_close(loss, (each * weights).sum() / weights.sum(), rtol=0.02, atol=0.02)
