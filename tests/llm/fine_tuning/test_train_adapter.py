"""The adapter's training: its rows and batches, and a tiny run over a tiny base to a folder in the published form."""

import json
from types import SimpleNamespace

import pytest
import torch

from llm.fine_tuning.conversations import Family
from llm.fine_tuning.train_adapter import EMBEDDED, AdapterConfig, AnswerLoss, _parse, main, often_enough
from llm.language_model import LanguageModel
from llm.prompt import render_prompt
from tests.tiny_models import save_base

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
PROMPT = render_prompt("나 내일 뭐하지", "내일 일정: 친구 만나기")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A base, and conversations and values of three lines."""
    home = tmp_path_factory.mktemp("adapter")
    save_base(home / "base")
    families = [
        {"family": "hello", "prompts": ["안녕", "반가워"], "replies": ["안녕!", "왔구나!"]},
        {"family": "ask", "memory": "이름: {person}", "prompts": ["내 이름 뭐야?"], "replies": ["{person}(이야/야)!"]},
        {"family": "tell", "save": "이름: {person}", "prompts": ["나 {person}(이야/야)"], "replies": ["반가워!"]},
    ]
    (home / "conversations").mkdir()
    (home / "values").mkdir()
    lines = "".join(json.dumps(family, ensure_ascii=False) + "\n" for family in families)
    (home / "conversations" / "talk.jsonl").write_text(lines, encoding="utf-8")
    (home / "values" / "person.txt").write_text("민수\n영희\n혜나\n지호\n", encoding="utf-8")
    return home


def train(home, steps, out="adapter", **options):
    small = {"conversations": home / "conversations", "values": home / "values", "rank": 2, "batch": 2, "rounds": 4}
    small |= {"base": home / "base", "out": home / out, "max_steps": steps, "threads": 1} | options
    main([text for name, value in small.items() for text in (f"--{name.replace('_', '-')}", str(value))])
    return home / out


def steps_of(out):
    return [
        json.loads(p.read_text(encoding="utf-8"))["global_step"] for p in out.glob("checkpoints/*/trainer_state.json")
    ]


@pytest.fixture(scope="module")
def adapter(home):
    return train(home, steps=2)


def test_a_tiny_run_makes_a_folder_in_the_published_form(adapter):
    files = {path.name for path in adapter.iterdir()}
    assert {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json", "tokenizer_config.json"} <= files
    fields = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    assert (fields["peft_type"], fields["task_type"], fields["r"]) == ("LORA", "CAUSAL_LM", 2)
    assert fields["base_model_name_or_path"] == "base", "no path of the machine that trained it"
    assert steps_of(adapter) == [2]


def test_no_file_names_the_machine_that_trained_it(adapter, home):
    for path in adapter.glob("*.json"):
        assert str(home) not in path.read_text(encoding="utf-8"), path.name


EMBEDDED_CONFIG = AdapterConfig(base="", **EMBEDDED)


def test_the_folder_loads_and_speaks_as_it_was_told(adapter):
    model = LanguageModel.load(adapter)
    for setting in ("temperature", "top_p", "opening_temperature", "classifier_weight"):
        assert getattr(model, setting) == getattr(EMBEDDED_CONFIG, setting)
    assert "".join(model.stream(PROMPT, torch.Generator().manual_seed(0), max_new_tokens=12))
    made = json.loads((adapter / "adapter_training.json").read_text(encoding="utf-8"))
    assert made["rank"] == 2 and made["temperature"] == model.temperature


def test_a_run_goes_on_from_its_checkpoint(adapter, home, capsys):
    before = LanguageModel.load(adapter).model.state_dict()
    train(home, steps=4)
    assert '"max_steps": 4' in capsys.readouterr().out, "the config is shown"
    assert steps_of(adapter) == [4]
    after = LanguageModel.load(adapter).model.state_dict()
    assert not all(torch.equal(before[name], after[name]) for name in before)
    train(home, steps=4)  # nothing is left to do
    again = LanguageModel.load(adapter).model.state_dict()
    assert all(torch.equal(after[name], again[name]) for name in after)


def test_the_base_is_not_trained(adapter, home):
    from safetensors import safe_open

    with safe_open(adapter / "adapter_model.safetensors", framework="pt") as file:
        names = list(file.keys())
    assert names and all(".lora_A." in name or ".lora_B." in name for name in names)


def test_small_bases_get_what_serves_them_and_large_ones_what_was_published(tmp_path):
    for name, hidden in (("small", 384), ("large", 2048)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps({"hidden_size": hidden}), encoding="utf-8")
    large = _parse(["--base", str(tmp_path / "large")])
    assert large == AdapterConfig(base=str(tmp_path / "large"))
    published = (large.rank, large.alpha, large.dropout, large.targets, large.learning_rate, large.batch)
    assert published == (128, 16, 0.05, ("query_key_value",), 2e-4, 4)
    assert large.out == "llm/models/polyglot_fine_tuned"

    small = _parse(["--base", str(tmp_path / "small"), "--rounds", "3", "--targets", "dense", "query_key_value"])
    assert small.out == EMBEDDED["out"] and small.batch == EMBEDDED["batch"]
    assert (small.rounds, small.targets) == (3, ("dense", "query_key_value")), "what is given counts"


def test_a_base_that_is_not_there(tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--base", str(tmp_path / "none")])
    assert caught.value.code == 2 and "config.json" in capsys.readouterr().err


def test_the_loss_passes_over_the_prompt_and_weighs_the_answers_opening():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(1, 9, 5, generator=generator)
    labels = torch.tensor([[-100, -100, 1, 2, 3, 4, 0, 1, -100]])
    each = torch.nn.functional.cross_entropy(logits[0, 1:7], labels[0, 2:8], reduction="none")
    outputs = SimpleNamespace(logits=logits)
    assert torch.isclose(AnswerLoss(1.0)(outputs, labels), each.mean())
    weights = torch.tensor([5.0, 5.0, 5.0, 5.0, 1.0, 1.0])
    assert torch.isclose(AnswerLoss(5.0)(outputs, labels), (each * weights).sum() / weights.sum())


def test_thin_families_come_several_times():
    families = [Family(name, ("안녕",) * prompts, ("응",)) for name, prompts in (("a", 3), ("b", 10), ("c", 25))]
    names = [family.name for family in often_enough(families, 20)]
    assert {name: names.count(name) for name in "abc"} == {"a": 6, "b": 2, "c": 1}
    assert often_enough(families, 1) == families
