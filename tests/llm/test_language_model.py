"""The language model: every form of folder it loads or refuses, and what its stream may and may not say."""

import copy
import json
import math
import re
import shutil
from types import SimpleNamespace

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import GPTNeoXForCausalLM

from llm.decoding import Decoder, Draft
from llm.errors import ModelFolderError, PromptTooLongError
from llm.fine_tuning import train_topics
from llm.fine_tuning.conversations import Family
from llm.fine_tuning.topics import add_topics, topic_ids
from llm.language_model import (
    AT_A_LOSS,
    IN_DOUBT,
    LONGER,
    NO_REPEAT_NGRAM,
    OWN_WORDS,
    SAYS_VALUE_FROM,
    LanguageModel,
    choose_dtype,
    find_base,
)
from llm.memory_mechanism.memory import Memory
from llm.prompt import ANSWER_END, END_OF_TEXT, render_prompt
from llm.reply import ReplyParser
from tests.tiny_models import SOMEBODYS_PATH, network, save_adapter, save_base, tokenizer

pytestmark = [  # of the libraries, about themselves
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"),
    pytest.mark.filterwarnings("ignore:Found missing adapter keys:UserWarning"),
]
SAID, GIVEN = "나 내일 뭐하지", "내일 일정: 친구 만나기"
PROMPT = render_prompt(SAID, GIVEN)


# --- folders -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A place for models: ``embedded/base`` with its adapter, and the published pair beside each other."""
    home = tmp_path_factory.mktemp("models")
    save_base(home / "embedded" / "base")
    save_adapter(home / "embedded" / "adapter", home / "embedded" / "base")
    save_base(home / "polyglot_original", seed=5, markers=False, shards=True)
    save_adapter(home / "polyglot_fine_tuned", home / "polyglot_original", markers=False)
    return home


FOLDERS = ("embedded/base", "embedded/adapter", "polyglot_original", "polyglot_fine_tuned")


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_form_of_folder_loads_and_speaks(home, folder):
    model = LanguageModel.load(home / folder)
    assert not model.model.training
    assert (model.temperature, model.top_p, model.context) == (0.6, 1.0, 160)
    text = "".join(model.stream(PROMPT, torch.Generator().manual_seed(3), max_new_tokens=20))
    assert re.search("[가-힣A-Za-z0-9]", text)


def test_the_published_folder_has_the_published_shape(home):
    original = home / "polyglot_original"
    assert len(list(original.glob("model-*-of-*.safetensors"))) > 2 and not (original / "model.safetensors").exists()
    written = json.loads((home / "polyglot_fine_tuned" / "adapter_config.json").read_text(encoding="utf-8"))
    assert written["base_model_name_or_path"] == SOMEBODYS_PATH
    model = LanguageModel.load(home / "polyglot_fine_tuned")
    assert model.count_tokens(ANSWER_END) > 1, "its markers are not single tokens"
    assert len(model.tokenizer) < model.model.config.vocab_size, "it has more rows than tokens"


@pytest.mark.parametrize("adapter", ["embedded/adapter", "polyglot_fine_tuned"])
def test_the_base_is_found_beside_the_adapter(home, adapter):
    name = "base" if adapter.startswith("embedded") else "polyglot_original"
    base = (home / adapter).parent / name
    assert find_base(home / adapter) == base
    found = LanguageModel.load(home / adapter).model.state_dict()
    given = LanguageModel.load(home / adapter, base=base).model.state_dict()
    assert all(torch.equal(found[key], given[key]) for key in given)


@pytest.mark.parametrize("adapter", ["embedded/adapter", "polyglot_fine_tuned"])
def test_the_adapter_is_merged_and_computes_what_peft_computes(home, adapter):
    model = LanguageModel.load(home / adapter)
    assert isinstance(model.model, GPTNeoXForCausalLM)
    assert not any("lora" in name for name in model.model.state_dict())

    base = GPTNeoXForCausalLM.from_pretrained(find_base(home / adapter))
    ids = torch.tensor([model.tokenizer(PROMPT)["input_ids"]])
    with torch.inference_mode():
        alone = base(ids).logits
        adapted = PeftModel.from_pretrained(base, str(home / adapter)).eval()(ids).logits
        merged = model.model(ids).logits
    assert torch.allclose(merged, adapted, atol=1e-4)
    assert not torch.allclose(merged, alone, atol=1e-2), "an adapter that does something"


def test_how_to_sample_is_read_beside_the_weights(home, tmp_path):
    for source, target in (("embedded/adapter", "adapter"), ("embedded/base", "base")):
        shutil.copytree(home / source, tmp_path / target)
    settings = json.dumps({"temperature": 0.5, "top_p": 0.9, "opening_temperature": 0.8, "classifier_weight": 0.4})
    (tmp_path / "adapter" / "generation_config.json").write_text(settings, encoding="utf-8")
    model = LanguageModel.load(tmp_path / "adapter")
    found = (model.temperature, model.top_p, model.opening_temperature, model.classifier_weight)
    assert found == (0.5, 0.9, 0.8, 0.4)


def test_the_tokenizer_of_the_base_serves_an_adapter_without_one(home, tmp_path):
    for source, target in (("embedded/adapter", "adapter"), ("embedded/base", "base")):
        shutil.copytree(home / source, tmp_path / target)
    (tmp_path / "adapter" / "tokenizer.json").unlink()
    assert LanguageModel.load(tmp_path / "adapter").count_tokens(PROMPT) > 0


def cut(name):
    """Halves a file, as a download that broke off."""
    return lambda folder: (folder / name).write_bytes(
        (folder / name).read_bytes()[: (folder / name).stat().st_size // 2]
    )


def remove(name):
    return lambda folder: (folder / name).unlink()


def write(name, data):
    return lambda folder: (folder / name).write_bytes(data)


def edit(name, **fields):
    def change(folder):
        old = json.loads((folder / name).read_text(encoding="utf-8"))
        (folder / name).write_text(json.dumps(old | fields), encoding="utf-8")

    return change


def tensors(name, change_tensors):
    def change(folder):
        found = {key: tensor.clone() for key, tensor in load_file(folder / name).items()}  # Windows locks mapped files
        change_tensors(found)
        save_file(found, folder / name, metadata={"format": "pt"})

    return change


EXTRA = {"gpt_neox.layers.0.mlp.of_another.bias": torch.zeros(2)}
SHARD = "model-00001-of-00004.safetensors"
# What befalls a folder, and what the error's line must hold.
BREAKAGES = [
    ("embedded/base", remove("config.json"), "config.json"),
    ("embedded/base", cut("config.json"), "config.json"),
    ("embedded/base", write("config.json", b"{}"), "config.json"),
    ("embedded/base", remove("model.safetensors"), "model.safetensors"),
    ("embedded/base", cut("model.safetensors"), "(model.safetensors)"),
    ("embedded/base", write("model.safetensors", b""), "(model.safetensors)"),
    ("embedded/base", write("model.safetensors", b"<!doctype html>" * 99), "(model.safetensors)"),
    ("embedded/base", remove("tokenizer.json"), "tokenizer.json"),
    ("embedded/base", cut("tokenizer.json"), "(tokenizer.json)"),
    ("embedded/base", cut("tokenizer_config.json"), "(tokenizer_config.json)"),
    ("embedded/base", cut("generation_config.json"), "generation_config.json"),
    ("embedded/base", edit("generation_config.json", temperature="warm"), "generation_config.json"),
    ("embedded/base", edit("config.json", hidden_size=64), "크기 다름 gpt_neox.embed_in.weight"),
    ("embedded/base", edit("config.json", num_hidden_layers=3), "없음 gpt_neox.layers.2.attention.dense.bias"),
    ("embedded/base", edit("config.json", num_hidden_layers=1), "모르는 이름 gpt_neox.layers.1.attention.dense.bias"),
    (
        "embedded/base",
        tensors("model.safetensors", lambda found: found.pop("gpt_neox.layers.1.mlp.dense_h_to_4h.weight")),
        "없음 gpt_neox.layers.1.mlp.dense_h_to_4h.weight",
    ),
    (
        "embedded/base",
        tensors("model.safetensors", lambda found: found.update(EXTRA)),
        f"모르는 이름 {next(iter(EXTRA))}",
    ),
    ("polyglot_original", remove(SHARD), SHARD),
    ("polyglot_original", cut(SHARD), f"({SHARD})"),
    ("polyglot_original", cut("model.safetensors.index.json"), "(model.safetensors.index.json)"),
    ("embedded/adapter", cut("adapter_config.json"), "(adapter_config.json)"),
    ("embedded/adapter", write("adapter_config.json", b"{}"), "adapter"),
    ("embedded/adapter", remove("adapter_model.safetensors"), "adapter_model.safetensors"),
    ("embedded/adapter", cut("adapter_model.safetensors"), "(adapter_model.safetensors)"),
    ("embedded/adapter", edit("adapter_config.json", r=8), "adapter"),
    ("embedded/adapter", edit("adapter_config.json", target_modules=["dense"]), "attention.dense.lora_A.weight"),
    (
        "embedded/adapter",
        tensors("adapter_model.safetensors", lambda found: found.pop(min(found))),
        "없음 base_model.model.gpt_neox.layers.0.attention.query_key_value.lora_A.weight",
    ),
    ("embedded/adapter", tensors("adapter_model.safetensors", lambda found: found.update(EXTRA)), "모르는 이름"),
    ("embedded/adapter", lambda folder: shutil.rmtree(folder.parent / "base"), "polyglot_original"),
    ("embedded/adapter", lambda folder: cut("model.safetensors")(folder.parent / "base"), "(model.safetensors)"),
    ("embedded/adapter", lambda folder: shutil.rmtree(folder), "config.json"),
]


@pytest.mark.parametrize(("folder", "change", "named"), BREAKAGES)
def test_a_broken_folder_is_named_in_one_line(home, tmp_path, folder, change, named):
    source, place = home / folder, tmp_path / "models"
    siblings = ("base", "adapter") if folder.startswith("embedded") else ("polyglot_original",)
    for sibling in siblings:
        shutil.copytree(source.parent / sibling, place / sibling)
    change(place / source.name)
    with pytest.raises(ModelFolderError) as caught:
        LanguageModel.load(place / source.name)
    message = str(caught.value)
    assert named in message and str(place) in message and "\n" not in message


def test_a_tokenizer_that_is_larger_than_its_model(tmp_path):
    network(spare_rows=-20).save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    with pytest.raises(ModelFolderError, match=r"420개.*400개.*어휘"):
        LanguageModel.load(tmp_path)


def test_buffers_of_old_checkpoints_are_no_mismatch(home, tmp_path):
    shutil.copytree(home / "embedded" / "base", tmp_path / "base")
    names = ("bias", "masked_bias", "rotary_emb.inv_freq")
    old = {f"gpt_neox.layers.{i}.attention.{name}": torch.zeros(2) for i in range(2) for name in names}
    tensors("model.safetensors", lambda found: found.update(old))(tmp_path / "base")
    assert LanguageModel.load(tmp_path / "base").context == 160


def test_small_models_compute_in_full_precision_on_a_cpu():
    assert choose_dtype(SimpleNamespace(hidden_size=32), "cpu") == torch.float32
    assert choose_dtype(SimpleNamespace(hidden_size=2048), "cpu") in (torch.float32, torch.bfloat16)


# --- sampling ------------------------------------------------------------------------------------------------------


def random_model(markers=True, seed=0):
    return LanguageModel(network(seed), tokenizer(markers))


def test_the_same_seed_says_the_same():
    model = random_model()
    first, again, other = (
        "".join(model.stream(PROMPT, torch.Generator().manual_seed(seed), max_new_tokens=30)) for seed in (1, 1, 2)
    )
    assert first == again != other
    assert first == "".join(random_model().stream(PROMPT, torch.Generator().manual_seed(1), max_new_tokens=30))


def test_a_generator_goes_on_from_reply_to_reply():
    def chat(seed):
        generator = torch.Generator().manual_seed(seed)
        return ["".join(model.stream(PROMPT, generator, max_new_tokens=12)) for _ in range(3)]

    model = random_model()
    first = chat(8)
    assert first == chat(8) and len(set(first)) == 3


def test_sampling_leaves_the_global_generator_alone():
    state = torch.get_rng_state()
    "".join(random_model().stream(PROMPT, torch.Generator().manual_seed(1), max_new_tokens=5))
    torch.manual_seed(0)
    assert not torch.equal(state, torch.get_rng_state())  # the network above was seeded …
    model, state = random_model(), torch.get_rng_state()
    "".join(model.stream(PROMPT, torch.Generator().manual_seed(1), max_new_tokens=5))
    assert torch.equal(state, torch.get_rng_state())  # … but speaking draws from its own source


def test_only_a_reply_with_no_memory_before_it_opens_at_its_own_temperature():
    model = LanguageModel(network(), tokenizer(), temperature=5.0, opening_temperature=0.001)

    def firsts(prompt):
        return [
            model.tokenizer("".join(model.stream(prompt, torch.Generator().manual_seed(seed), 6)))["input_ids"][:2]
            for seed in range(12)
        ]

    alone = firsts(render_prompt("나 내일 뭐하지"))
    assert len({first for first, _ in alone}) == 1 < len({second for _, second in alone})
    assert len({first for first, _ in firsts(PROMPT)}) > 1


def test_every_token_is_scored_after_all_before_it():
    model, ids = network(), tokenizer()(PROMPT)["input_ids"]
    decoder = Decoder(model, ids)
    with torch.inference_mode():
        for token in (70, 80, 90):
            wanted = model(torch.tensor([ids])).logits[0, -1].log_softmax(-1)
            torch.testing.assert_close(decoder.scores(), wanted, rtol=1e-3, atol=1e-4)
            decoder.append(token)
            ids = [*ids, token]


def test_endings_are_weighed_as_their_tokens_are_scored_one_by_one():
    model, ids = network(), tokenizer()(PROMPT)["input_ids"]
    endings = [[70], [80, 90, 100], *([60, 50 + n] for n in range(40))]
    with torch.inference_mode():
        for begun in ([], [33, 44]):
            decoder = Decoder(model, ids)
            for token in begun:
                decoder.scores()
                decoder.append(token)
            found = decoder.weigh(endings)
            for ending, weight in zip(endings, found, strict=True):
                whole = model(torch.tensor([ids + begun + ending])).logits[0].log_softmax(-1)
                wanted = sum(whole[len(ids + begun) - 1 + place, token] for place, token in enumerate(ending))
                torch.testing.assert_close(weight, wanted, rtol=1e-3, atol=1e-4)


def test_a_fork_goes_its_own_way():
    with torch.inference_mode():
        decoder = Decoder(network(), tokenizer()(PROMPT)["input_ids"])
        decoder.scores()
        decoder.append(70)
        fork, twin = decoder.fork(), decoder.fork()
        fork.scores()
        fork.append(80)
        fork.scores()
        torch.testing.assert_close(decoder.scores(), twin.scores())


FAMILIES = (
    Family("hello", ("안녕",), ("안녕!",)),
    Family("bye", ("잘 가",), ("또 봐!",)),
    Family("name", ("나는 민수야",), ("반가워!",), save="이름: 민수"),
    Family("home", ("나는 부산 살아",), ("멋지다!",), save="사는 곳: 부산"),
)


VALUE = "마라탕"


def draft_of(model, spoken, value=VALUE):
    """A reply that has come as far as ``spoken`` and speaks of ``value``."""
    draft = Draft(f"좋아하는 음식: {value}")
    for token in model._encode(spoken):
        model._take(draft, token)
    model._speak_of(draft, Memory("좋아하는 음식", value))
    return draft


def scores_of(model, likely, doubt=1.5 * IN_DOUBT):
    """Scores in which ``likely`` (token -> probability) share what as many others, alike, leave as make ``doubt``."""
    others = [t for t in range(200, model.model.config.vocab_size) if t not in likely and not model._never[t]]
    others = others[: max(1, round(math.exp(doubt)))]
    probabilities = torch.full((model.model.config.vocab_size,), 1e-12)
    probabilities[others] = (1 - sum(likely.values())) / len(others)
    for token, probability in likely.items():
        probabilities[token] = probability
    return probabilities.log()


def chosen_next(model, draft, scores):
    return {model._next_token(draft, scores.clone(), torch.Generator().manual_seed(seed)) for seed in range(40)}


@pytest.mark.parametrize("behind", ["네 최애는 ", ""])  # and at the reply's very beginning, where no blank is before it
@pytest.mark.parametrize("topics", [True, False])
@pytest.mark.parametrize(("factor", "goes_on"), [(1.5, True), (0.5, False)])
def test_a_value_that_she_has_begun_goes_on_as_it_is_known(behind, topics, factor, goes_on):
    model = model_with_topics({}) if topics else LanguageModel(network(), tokenizer())
    tokens = model._encode(f" {VALUE}" if behind else VALUE)
    for told in range(1, len(tokens)):
        draft = draft_of(model, behind.rstrip() + model.tokenizer.decode(tokens[:told]))
        draft.spoken = [*draft.spoken[:-told], *tokens[:told]]
        likely = factor * SAYS_VALUE_FROM[min(told, 2) if topics else 0]
        chosen = chosen_next(model, draft, scores_of(model, {tokens[told]: likely}))
        assert (chosen == {tokens[told]}) is goes_on


@pytest.mark.parametrize(
    ("spoken", "factor", "topics", "says"),
    [
        ("네 최애는", 1.5, True, True),
        ("네 최애는", 0.5, True, False),
        ("네 최애는", 1.5, False, False),  # whatever comes to a model without topics is its own affair
        ("", 1.5, True, False),  # a reply may begin otherwise
        ("마라탕이지! 네 최애는", 1.5, True, False),  # said before
    ],
)
def test_a_value_comes_where_a_reply_that_has_begun_may_well_go_on_with_it(spoken, factor, topics, says):
    model = model_with_topics({}) if topics else LanguageModel(network(), tokenizer())
    draft = draft_of(model, spoken)
    first = draft.value_tokens[0][0]
    chosen = chosen_next(model, draft, scores_of(model, {first: factor * SAYS_VALUE_FROM[0]}))
    assert (chosen == {first}) is says


def test_what_plainly_comes_next_comes_before_the_value():
    model = model_with_topics({})
    draft = draft_of(model, "네 최애는")
    first = draft.value_tokens[0][0]
    assert len(chosen_next(model, draft, scores_of(model, {first: 2 * SAYS_VALUE_FROM[0]}, doubt=0.5 * IN_DOUBT))) > 1


@pytest.mark.parametrize(
    ("spoken", "topics", "says"), [("", True, True), ("네 최애는", True, True), ("네 최애는", False, False)]
)
def test_where_she_is_at_a_loss_she_says_the_value(spoken, topics, says):
    model = model_with_topics({}) if topics else LanguageModel(network(), tokenizer())
    draft = draft_of(model, spoken)
    firsts = {tokens[0] for tokens in draft.value_tokens}
    chosen = chosen_next(model, draft, scores_of(model, {first: 1e-4 for first in firsts}, doubt=1.1 * AT_A_LOSS))
    assert (len(chosen) == 1 and chosen <= firsts) is says


def test_what_she_writes_down_is_the_value_that_she_speaks_of():
    model = LanguageModel(network(), tokenizer())
    draft = draft_of(model, "")
    for token in model._encode(" [취미: 등산] 등산"):
        model._take(draft, token)
    assert draft.value == "등산" and draft.value_tokens[1] == model._encode("등산")


def test_a_reply_without_a_memory_speaks_of_no_value():
    model = model_with_topics({})
    draft = Draft()
    model._speak_of(draft, None)
    assert model._of_value(draft, torch.zeros(model.model.config.vocab_size)) is None


def model_with_topics(likings, **sampling):
    """A random network that likes to talk about the families of ``likings`` (name -> score), wherever it stands."""
    words, model = copy.deepcopy(tokenizer()), network(4)
    add_topics(words, model, FAMILIES)
    with torch.no_grad():
        model.base_model.final_layer_norm.weight.fill_(0.1)
        model.base_model.final_layer_norm.bias.fill_(1.0)
        for family, number in topic_ids(words).items():
            model.lm_head.weight[number] = likings.get(family, -20.0) / model.config.hidden_size
    return LanguageModel(model, words, **sampling)


def test_a_reply_goes_on_after_the_likeliest_topic_and_shows_none(monkeypatch):
    seen = []
    monkeypatch.setattr(
        Decoder, "append", lambda self, token, old=Decoder.append: (seen.append(token), old(self, token))
    )
    for family in ("hello", "home"):
        model = model_with_topics({family: 20.0})
        seen.clear()
        text = "".join(model.stream(PROMPT, torch.Generator().manual_seed(1), max_new_tokens=20))
        topics = topic_ids(model.tokenizer)
        assert seen[0] == topics[family]
        assert not set(seen[1:]) & set(topics.values())
        assert text and "about" not in text


@pytest.mark.parametrize(
    ("likings", "chosen"),
    [
        ({"hello": 9.0, "bye": 8.9, "name": 8.4}, "hello"),  # a whim: 0.22
        ({"hello": 9.0, "bye": 8.9, "name": 8.0, "home": 7.9}, "name"),  # together 0.27
    ],
)
def test_a_topic_that_writes_a_memory_is_never_a_whim(likings, chosen):
    model = model_with_topics(likings)
    scores = Decoder(model.model, model.tokenizer(PROMPT)["input_ids"]).scores()
    assert model._topic(scores, SAID, GIVEN) == topic_ids(model.tokenizer)[chosen]


class Seconder:
    """A topic classifier that says the same of every prompt."""

    families = ("bye", "hello", "home", "name")  # in an order of its own

    def __init__(self, likings):
        self.likings, self.asked = likings, []

    def scores(self, text, memory):
        self.asked.append((text, memory))
        return torch.tensor([self.likings.get(family, 0.0) for family in self.families]).log_softmax(-1)


@pytest.mark.parametrize(
    ("weight", "likings", "chosen"),
    [
        (0.0, {"bye": 9.0}, "hello"),  # nobody asks
        (0.1, {"bye": 3.0}, "hello"),
        (0.5, {"bye": 3.0}, "bye"),
        (0.5, {"bye": 1.0, "name": 9.0}, "name"),  # written rather than not
        (0.9, {"hello": -9.0, "name": -9.0, "home": -9.0}, "bye"),
    ],
)
def test_a_classifier_seconds_the_choice_of_a_topic(weight, likings, chosen):
    seconder = Seconder(likings)
    model = model_with_topics(
        {"hello": 9.0, "bye": 8.0, "name": 7.5, "home": 7.0}, classifier=seconder, classifier_weight=weight
    )
    scores = Decoder(model.model, model.tokenizer(PROMPT)["input_ids"]).scores()
    assert model._topic(scores, SAID, GIVEN) == topic_ids(model.tokenizer)[chosen]
    assert seconder.asked == [(SAID, GIVEN)] * bool(weight)


def test_a_classifier_is_read_beside_the_base_and_missed_where_one_is_asked_for(tmp_path):
    base = model_with_topics({})
    for part in (base.model, base.tokenizer):
        part.save_pretrained(tmp_path / "base")
    save_adapter(tmp_path / "adapter", tmp_path / "base")
    base.tokenizer.save_pretrained(tmp_path / "adapter")
    assert LanguageModel.load(tmp_path / "adapter").classifier is None
    (tmp_path / "adapter" / "generation_config.json").write_text('{"classifier_weight": 0.5}', encoding="utf-8")
    with pytest.raises(ModelFolderError, match="화제 분류기가 없어요.*topic_classifier.safetensors.*train_topics"):
        LanguageModel.load(tmp_path / "adapter")
    train_topics.train(train_topics.TopicConfig(out="", least=1, epochs=1), FAMILIES).save(tmp_path / "base")
    model = LanguageModel.load(tmp_path / "adapter")
    assert model.classifier.families == tuple(family.name for family in FAMILIES)
    assert "".join(model.stream(PROMPT, torch.Generator().manual_seed(1), max_new_tokens=8))
    cut("topic_classifier.safetensors")(tmp_path / "base")
    with pytest.raises(ModelFolderError, match="화제 분류기가 깨졌어요"):
        LanguageModel.load(tmp_path / "adapter")


def test_a_classifier_of_other_topics_is_refused():
    seconder = Seconder({})
    seconder.families = ("bye", "hello", "home")
    with pytest.raises(ModelFolderError, match="화제 분류기.*train_topics"):
        model_with_topics({}, classifier=seconder)


@pytest.mark.parametrize(
    ("liked", "own_is_likelier_by", "heard", "written"),
    [
        ("민수", 0.0, True, " 민수]"),
        ("민수야", 0.0, True, " 민수야]"),
        ("민수", OWN_WORDS - 1, True, " 민수]"),
        ("민수", OWN_WORDS + 1, True, None),
        ("민수", OWN_WORDS + 9, False, " 민수]"),  # nobody said how hers begins
        ("홍민수", 0.0, True, " 민수]"),  # nobody said that
    ],
)
def test_a_value_is_written_in_the_users_own_words(liked, own_is_likelier_by, heard, written, monkeypatch):
    model = model_with_topics({"name": 20.0})
    decoder = Decoder(model.model, model.tokenizer(f"{render_prompt('내 이름은 민수야')} [이름:")["input_ids"])

    def weigh(_, endings):
        """The first is hers; a piece of what was said is the likelier, the more it is like ``liked``."""
        texts = [model.tokenizer.decode(tokens) for tokens in endings[1:]]
        weights = [-20.0 - (text != f" {liked}]") - (text != " 민수]") for text in texts]
        weights = [weight - LONGER * (len(tokens) - 1) for weight, tokens in zip(weights, endings[1:], strict=True)]
        return torch.tensor([-20.0 + own_is_likelier_by, *weights])

    monkeypatch.setattr(Decoder, "weigh", weigh)
    with torch.inference_mode():
        hers = model.tokenizer.decode(model._value(decoder, ""))  # there is nothing else
        said = f"내 이름은 민수야 {hers.replace(']', '').split()[0] if heard else ''}"
        text = model.tokenizer.decode(model._value(decoder, said))
    assert text == (written or hers)


def test_a_value_of_hers_is_heard_also_where_a_letter_takes_two_tokens():
    model = model_with_topics({"name": 20.0})
    hers = model._encode(" 뷁]")
    assert "\ufffd" in model._texts[hers[0]]

    class Wants:
        """Stands behind a key and wants to say ``hers``, which is likelier than any piece of what was said."""

        def __init__(self):
            self.said = []

        def fork(self):
            return self

        def append(self, token):
            self.said.append(token)

        def scores(self):
            scores = torch.zeros(model.model.config.vocab_size)
            scores[hers[len(self.said)]] = 9.0
            return scores

        def weigh(self, endings):
            return torch.tensor([0.0, *([-99.0] * (len(endings) - 1))])

    assert model._value(Wants(), "뷁이 내 이름") == hers
    assert model._value(Wants(), "내 이름") != hers


def test_of_two_values_the_longer_is_likelier_whole(monkeypatch):
    model = model_with_topics({"name": 20.0})
    decoder = Decoder(model.model, model.tokenizer(render_prompt("새 관찰 좋아"))["input_ids"])

    def weigh(_, endings):
        """A piece of one word is by half of ``LONGER`` likelier for each token that it is shorter."""
        return torch.tensor([-99.0, *(-0.5 * LONGER * len(tokens) for tokens in endings[1:])])

    monkeypatch.setattr(Decoder, "weigh", weigh)
    with torch.inference_mode():
        assert model.tokenizer.decode(model._value(decoder, "새 관찰")) == " 새 관찰]"


def test_a_value_is_chosen_once_even_where_its_first_token_is_half_a_letter(monkeypatch):
    model = model_with_topics({"name": 20.0})
    chosen = []

    def value(_self, _decoder, _said):
        chosen.append(model._encode(" 뷁]"))
        return list(chosen[-1])

    script = [*model._encode("[이름:"), *model._encode(" 응!"), model.tokenizer.eos_token_id]
    monkeypatch.setattr(LanguageModel, "_value", value)
    monkeypatch.setattr(LanguageModel, "_next_token", lambda *_: script.pop(0))
    text = "".join(model.stream(PROMPT, max_new_tokens=40))
    assert "[이름: 뷁] 응!" in text and len(chosen) == 1
    assert "\ufffd" in model.tokenizer.decode(chosen[0][:2])


def test_a_topic_takes_one_position_of_the_context():
    model = model_with_topics({"hello": 20.0})
    room = model.context - model.count_tokens(PROMPT)
    assert list(model.stream(PROMPT, torch.Generator().manual_seed(0), max_new_tokens=room - 1))
    with pytest.raises(PromptTooLongError):
        model.stream(PROMPT, max_new_tokens=room)


class Wishes:
    """A network that wants to say the tokens of ``text``, over and over.

    Where its wish is denied it says one of ``others``, the first that it may, and then wishes for the same again.
    """

    def __init__(self, text, tokens=None, others=(), markers=True):
        self.tokenizer = tokenizer(markers)
        self.script = tokens if tokens is not None else self.tokenizer(text)["input_ids"]
        self.others = [token for other in others for token in self.tokenizer(other)["input_ids"]]
        self.config = SimpleNamespace(max_position_embeddings=160, vocab_size=len(self.tokenizer) + 6)
        self.device = torch.device("cpu")
        self.calls = []
        self.granted = 0

    def __call__(self, input_ids, past_key_values, use_cache, logits_to_keep):
        if self.calls and input_ids[0, -1] == self.wish:
            self.granted += 1
        logits = torch.full((1, 1, self.config.vocab_size), -9000.0)
        for place, token in enumerate(self.others):
            logits[0, 0, token] = -100.0 * (place + 1)
        logits[0, 0, self.wish] = 0.0
        self.calls.append((input_ids.tolist(), past_key_values))
        return SimpleNamespace(logits=logits, past_key_values=("cache", len(self.calls) - 1))

    @property
    def wish(self):
        return self.script[self.granted % len(self.script)]

    @property
    def said(self):
        """The tokens that were sampled, but for the last one."""
        return [ids[0][0] for ids, _ in self.calls[1:]]


def speak(model, budget=80, prompt=PROMPT):
    return list(LanguageModel(model, model.tokenizer).stream(prompt, torch.Generator().manual_seed(0), budget))


def test_the_prompt_goes_in_once_and_each_token_once():
    model = Wishes(f" 안녕! {ANSWER_END}")
    speak(model)
    assert [cache for _, cache in model.calls] == [None, *(("cache", n) for n in range(len(model.calls) - 1))]
    assert model.calls[0][0] == [model.tokenizer(PROMPT)["input_ids"]]
    assert model.said == model.script[:-1]


@pytest.mark.parametrize("markers", [True, False], ids=["one token", "many tokens"])
def test_it_stops_at_the_end_mark(markers):
    model = Wishes(f" 반가워, 민수야! {ANSWER_END} {END_OF_TEXT} 더", markers=markers)
    text = "".join(speak(model))
    parser = ReplyParser()
    assert parser.feed(text) + parser.finish() == "반가워, 민수야!"
    said = len(model.tokenizer(" 반가워, 민수야! (답변")["input_ids"])
    assert len(model.calls) <= said + 1 < len(model.script) - 2, "nothing is decoded after it"


@pytest.mark.parametrize("markers", [True, False])
def test_it_stops_at_the_end_of_text(markers):
    model = Wishes(f" 안녕!{END_OF_TEXT} 더", markers=markers)
    assert "".join(speak(model)) == f" 안녕!{END_OF_TEXT}"


@pytest.mark.parametrize("markers", [True, False], ids=["one token", "many tokens"])
@pytest.mark.parametrize("early", [ANSWER_END, END_OF_TEXT, "### 답변:", "( 답변", "<|", "  ", "…!?"])
def test_it_never_ends_before_something_was_said(early, markers):
    model = Wishes(early + ANSWER_END, others=[" 안녕", "!", " 내일"], markers=markers)
    parser = ReplyParser()
    shown = parser.feed("".join(speak(model))) + parser.finish()
    assert re.match("(…![?] )?안녕?", shown), "what it would rather say, as long as its wish is denied"


def test_it_never_ends_inside_a_bracket():
    model = Wishes(
        f" [이름: 민수{ANSWER_END}", others=["]", " 안녕"]
    )  # a second "]" says nothing, and runs never repeat
    parser = ReplyParser()
    assert parser.feed("".join(speak(model))) + parser.finish() == "안녕"
    assert parser.reply.memories == (Memory("이름", "민수"),)


def test_a_reply_that_is_nothing_but_a_memory_goes_on():
    model = Wishes(f" [이름: 민수] {ANSWER_END}", others=["응"])
    parser = ReplyParser()
    assert parser.feed("".join(speak(model))) + parser.finish() == "응"
    assert parser.reply.memories == (Memory("이름", "민수"),)


def test_the_budget_counts_the_reply_alone():
    for prompt in (render_prompt("안녕"), PROMPT + " 오늘" * 40):
        model = Wishes("", tokens=list(range(60, 160)), others=["가"])  # never ends
        speak(model, 15, prompt)
        assert len(model.calls) == 15


def test_a_prompt_that_leaves_no_room():
    model = Wishes(f" 안녕! {ANSWER_END}")
    it = LanguageModel(model, model.tokenizer)
    words = next(n for n in range(1, 160) if it.count_tokens("오늘 " * n) >= 100)
    prompt = "오늘 " * words
    tokens = it.count_tokens(prompt)
    assert list(it.stream(prompt, max_new_tokens=160 - tokens)), "the last one that fits"
    with pytest.raises(PromptTooLongError) as caught:
        it.stream(prompt, max_new_tokens=160 - tokens + 1)
    assert (caught.value.tokens, caught.value.limit) == (tokens, tokens - 1)
    assert f"{tokens}토큰" in str(caught.value) and "나눠서" in str(caught.value)


@pytest.mark.parametrize("wish", ["漢字", "⊂", "╋", "⑥", "“", "”", '"', "\ufffd", "é", "\t"])
def test_what_never_comes_out(wish):
    model = Wishes(f" 안녕{wish}친구{ANSWER_END}", others=["!", "~"])
    text = "".join(speak(model)).removesuffix(ANSWER_END)
    assert text.startswith(" 안녕") and wish not in text and "\ufffd" not in text


@pytest.mark.parametrize("url", ["http://a.kr", "HTTPS://a", "www.a.kr", "Www.a", "ftp://a"])
def test_no_url_however_it_is_cut_into_tokens(url):
    for tokens in (tokenizer()(url)["input_ids"], [token for c in url for token in tokenizer()(c)["input_ids"]]):
        model = Wishes("", tokens=tokenizer()(" 안녕 ")["input_ids"] + tokens, others=["!", "~"])
        text = "".join(speak(model, 30)).lower()
        assert "안녕" in text and not any(mark in text for mark in ("http", "www.", "://"))


@pytest.mark.parametrize("wish", ["😊", "👱\u200d♀️", "ㅋㅋ", "ㅠ", "…", "♥", "100%", "A+", "'"])
def test_what_may_come_out(wish):
    assert "".join(speak(Wishes(f" 안녕 {wish} 친구{ANSWER_END}"))) == f" 안녕 {wish} 친구{ANSWER_END}"


def test_a_piece_never_holds_half_a_character():
    model = Wishes(f" 뷁😊힣 안녕 👱\u200d♀️!{ANSWER_END}")
    pieces = speak(model)
    assert len(model.script) > len(pieces), "characters of several tokens"
    assert "".join(pieces) == f" 뷁😊힣 안녕 👱\u200d♀️!{ANSWER_END}"
    assert not any("\ufffd" in piece or not piece for piece in pieces)


def test_half_a_character_at_the_end_of_the_budget_is_left_out():
    whole = tokenizer()(" 안녕")["input_ids"]
    model = Wishes("", tokens=whole + tokenizer()("뷁")["input_ids"][:2])
    assert "".join(speak(model, len(model.script))) == " 안녕"


def test_no_run_of_tokens_comes_twice():
    model = Wishes(" 안녕 친구", others=["!", "~", "야", " 오늘", "아"])
    speak(model, 60)
    said = model.said
    runs = [tuple(said[i : i + NO_REPEAT_NGRAM]) for i in range(len(said) - NO_REPEAT_NGRAM + 1)]
    assert len(runs) > 50 and len(set(runs)) == len(runs)


@pytest.mark.parametrize("markers", [True, False])
def test_whatever_a_random_network_thinks_of(markers):
    unwanted = re.compile('["“”\ufffd\u200b一-龥①-⑳]|https?:|[\x00-\x09\x0b-\x1f]')
    model = random_model(markers, seed=4)
    for seed in range(6):
        text = "".join(model.stream(PROMPT, torch.Generator().manual_seed(seed), max_new_tokens=30))
        assert not unwanted.search(text)
        parser = ReplyParser()
        shown = parser.feed(text) + parser.finish()
        assert parser.reply.text == shown


def test_token_type_ids_are_never_passed(home):
    """GPT-NeoX refuses what its tokenizer offers; a network that takes nothing else proves that we do not ask."""
    model = Wishes(f" 안녕! {ANSWER_END}")
    assert "token_type_ids" in tokenizer()("안녕", return_token_type_ids=True)
    speak(model)  # its __call__ takes input_ids and the cache alone
    loaded = LanguageModel.load(home / "polyglot_fine_tuned")
    assert "".join(loaded.stream(PROMPT, torch.Generator().manual_seed(0), max_new_tokens=4))


def test_whoever_stops_listening_stops_the_decoding():
    model = Wishes(" 반가워, 오늘 친구를 만나기로 했잖아!")
    stream = LanguageModel(model, model.tokenizer).stream(PROMPT, torch.Generator().manual_seed(0))
    next(stream), next(stream)
    stream.close()
    calls = len(model.calls)
    assert calls < len(model.script) and list(stream) == [] and len(model.calls) == calls


def test_nothing_is_decoded_before_somebody_listens():
    model = Wishes(" 안녕!")
    LanguageModel(model, model.tokenizer).stream(PROMPT)
    assert model.calls == []


class Undecided(Wishes):
    """Four of ten times it says its wish, else anything at all."""

    def __call__(self, *args, **kwargs):
        out = super().__call__(*args, **kwargs)
        return SimpleNamespace(logits=torch.where(out.logits == 0, 5.7, 0.0), past_key_values=out.past_key_values)


def test_a_nucleus_leaves_out_the_tail():
    def first_words(top_p):
        fake = Undecided(" 안녕")
        model = LanguageModel(fake, fake.tokenizer, temperature=1.0, top_p=top_p)
        return {"".join(model.stream(PROMPT, torch.Generator().manual_seed(seed), 1)) for seed in range(30)}

    assert len(first_words(0.3)) == 1
    assert len(first_words(1.0)) > 5
