"""The retriever's training: labels, a tiny run that makes a loadable folder and resumes, and the embedded weights."""

import csv
import itertools
import json
import lzma
import math
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from llm.memory_mechanism import average_retrievers, evaluate
from llm.memory_mechanism.memory import Memory
from llm.memory_mechanism.retriever import MemoryRetriever
from llm.memory_mechanism.retriever_rows import (
    ASKS,
    LOOKS_ALIKE,
    NEEDS_NONE,
    invented_keys,
    memory_rows,
    renamed,
    renamed_keys,
    similarity_targets,
    spoken_variant,
)
from llm.memory_mechanism.train_retriever import MemoryLoss, main
from llm.memory_mechanism.training_pairs import (
    TRAINING_DATA,
    TrainingPairs,
    bare,
    kept_for_evaluation,
    key_overlap,
    load_pairs,
    unseen_keys,
)

EMBEDDED = Path(__file__).parents[3] / "llm" / "models" / "embedded" / "memory_sbert"


# --- labels -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "other", "overlap"),
    [
        ("내일 일정", "내일 일정", 1.0),
        ("내일 일정", "오늘 일정", 1 / 3),
        ("좋아하는 음식", "못 먹는 음식", 1 / 4),
        ("좋아하는 아이돌", "좋아하는 가수", 1.0),
        ("좋아하는 아이돌", "좋아하는 음식", 1 / 3),
        ("이름", "고양이 이름", 1 / 2),
        ("이름", "취미", 0.0),
        ("", "", 0.0),
    ],
)
def test_key_overlap_is_intersection_over_union_of_words(key, other, overlap):
    assert key_overlap(key, other) == pytest.approx(overlap)
    assert key_overlap(other, key) == key_overlap(key, other)


def test_training_and_validation_share_no_prompt():
    training, validation = load_pairs(keys_kept=0.05), load_pairs(held_out=True, keys_kept=0.05)
    for one, other in ((training.asking, validation.asking), (training.lookalikes, validation.lookalikes)):
        assert one and other
        assert not {(bare(p), k) for p, k in one} & {(bare(p), k) for p, k in other}
    assert not set(map(bare, training.needless)) & set(map(bare, validation.needless))
    assert unseen_keys() < unseen_keys(0.05) and not unseen_keys(0.05) & set(training.keys)
    assert len(unseen_keys()) == 32 and not unseen_keys() & set(load_pairs().keys)
    assert all(training.values.values()) and all(validation.values.values())


def test_a_prompt_that_asks_for_a_memory_is_never_one_that_needs_none():
    pairs = load_pairs()
    assert not {bare(p) for p, _ in pairs.asking} & {bare(p) for p in pairs.needless}
    assert not any("{" in text for p, k in pairs.asking for text in (p, k)), "an unfilled slot"


def test_similarity_targets_are_the_overlaps_of_the_keys():
    keys = ["내일 일정", "오늘 일정", "좋아하는 가수", "좋아하는 아이돌", "이름"]
    overlap, known = similarity_targets(load_pairs(), keys)
    assert known[0, 1]
    for i, key in enumerate(keys):
        for j, other in enumerate(keys):
            assert overlap[i, j].item() == pytest.approx(key_overlap(key, other)), (key, other)


def test_a_spoken_variant_keeps_the_letters():
    for seed in range(200):
        variant = spoken_variant("나 내일 뭐하지?", random.Random(seed))
        assert "나내일뭐하지" in bare(variant)


RENAMED = {
    ("내 취미가 뭐야?", "취미", "우산"): "내 우산이 뭐야?",
    ("우산을 까먹었어", "우산", "취미"): "취미를 까먹었어",
    ("취미라고 했지", "취미", "우산"): "우산이라고 했지",
    ("우산이었나", "우산", "취미"): "취미였나",
    ("취미 뭐였지", "취미", "우산"): "우산 뭐였지",
    ("우산이나 챙겨", "우산", "취미"): "취미이나 챙겨",  # only what ends a word or a copula is a particle
}


@pytest.mark.parametrize(("prompt", "word", "other"), RENAMED)
def test_a_word_is_changed_with_its_particle(prompt, word, other):
    assert renamed(prompt, word, other) == RENAMED[prompt, word, other]


def test_renamed_keys_ask_like_the_hand_written_ones():
    prompts = ("좋아하는 음식이 뭐게", "내 최애 음식 알아?", "음식 뭐 좋아한댔지", "배고파")
    pairs = TrainingPairs({"좋아하는 음식": ("김밥",)}, tuple((p, "좋아하는 음식") for p in prompts), (), ())
    made = renamed_keys(pairs, ["우산"], 5, random.Random(1))
    asks = ("좋아하는 우산이 뭐게", "내 최애 우산 알아?", "우산 뭐 좋아한댔지")
    assert [(key.key, key.asks) for key in made] == [("좋아하는 우산", asks)] * 5


def test_invented_keys_are_none_that_the_evaluation_keeps():
    kept = kept_for_evaluation()
    assert "사물함번호" in kept and "이름" not in kept
    invented = invented_keys(load_pairs(), ["사물함", "우산"], random.Random(1))
    made = {key.key.replace(" ", "") for key in invented}
    assert "우산번호" in made and not made & kept
    assert invented_keys(load_pairs(), [], random.Random(1)) == []


def test_rows_are_numbered_by_their_keys():
    pairs = load_pairs()
    rows, keys = memory_rows(pairs, ["우산", "책상"], 200, 0.3, random.Random(2))
    assert keys[: len(pairs.keys)] == list(pairs.keys) and len(keys) > len(pairs.keys)
    assert {kind for kind, *_ in rows["label"]} == {ASKS, LOOKS_ALIKE, NEEDS_NONE}
    for memory, other, (_, of, first, second) in zip(rows["memory"], rows["other"], rows["label"], strict=True):
        assert of == first and memory.startswith(f"{keys[first]}: ") and other.startswith(f"{keys[second]}: ")


class _Vectors(torch.nn.Module):
    """A model whose texts are one token long each, and the embedding of a text the vector of its token."""

    def __init__(self, vectors):
        super().__init__()
        self.vectors = vectors

    def forward(self, features):
        return {"sentence_embedding": self.vectors[features["input_ids"][:, 0]]}


def _texts(*tokens):
    return {"input_ids": torch.tensor(tokens)[:, None], "attention_mask": torch.ones(len(tokens), 1, dtype=torch.long)}


def test_the_loss_wants_the_right_memory_near_and_a_needless_prompt_far_from_all():
    overlap, known = similarity_targets(load_pairs(), ["이름", "취미", "나이"])
    loss = MemoryLoss(_Vectors(torch.eye(4)), overlap, known)
    labels = torch.tensor([[ASKS, 0, 0, 1], [NEEDS_NONE, 2, 2, 1]])
    memories = [_texts(0, 2), _texts(1, 1)]
    right = loss([_texts(0, 3), *memories], labels)
    wrong_memory = loss([_texts(1, 3), *memories], labels)
    needless_near = loss([_texts(0, 2), *memories], labels)
    assert right < 0.1 < min(wrong_memory, needless_near)


def test_the_loss_wants_prompts_and_memories_of_different_keys_apart():
    overlap, known = similarity_targets(load_pairs(), ["이름", "취미", "나이"])
    axes = torch.eye(4)
    near = torch.nn.functional.normalize(axes[0] + 0.3 * axes[1], dim=0)
    loss = MemoryLoss(_Vectors(torch.stack([*axes, near])), overlap, known)
    labels = torch.tensor([[ASKS, 0, 0, 2], [ASKS, 1, 1, 2]])
    apart = loss([_texts(0, 1), _texts(0, 1), _texts(2, 2)], labels)
    together = loss([_texts(4, 1), _texts(0, 1), _texts(2, 2)], labels)
    assert apart < 0.1 < together


class _LastTokens(torch.nn.Module):
    """Remembers how wide its batches were; the embedding of a text is its last token."""

    def __init__(self):
        super().__init__()
        self.widths = []

    def forward(self, features):
        self.widths.append(features["input_ids"].shape[1])
        last = features["attention_mask"].sum(1, keepdim=True) - 1
        return {"sentence_embedding": features["input_ids"].gather(1, last)}


def test_texts_of_like_length_go_through_the_model_together_and_come_back_in_their_order():
    lengths = [[7, 1, 5], [2, 6, 3]]
    columns = []
    for column in lengths:
        mask = (torch.arange(max(column)) < torch.tensor(column)[:, None]).long()
        columns.append({"input_ids": mask * torch.tensor(column)[:, None], "attention_mask": mask})
    model = _LastTokens()
    found = MemoryLoss(model, torch.eye(1), torch.ones(1, 1, dtype=torch.bool))._embed(columns)
    assert found[:, 0].tolist() == [*lengths[0], *lengths[1]]
    assert model.widths == [1, 2, 3, 5, 6, 7], "no wider than its longest text"


# --- a tiny run ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def corpus_folder(tmp_path_factory):
    """The corpus' files with a few sentences of our own."""
    folder = tmp_path_factory.mktemp("corpus")
    words = itertools.product(("나", "우리"), ("밥", "책"), ("봐", "사자", "줘"))
    sentences = [" ".join(row) for row in words]
    with (folder / "chatbot_data.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("Q", "A", "label"), *((s, "그래요.", 0) for s in sentences)])
    (folder / "3i4k_fci.tsv").write_text("".join(f"1\t{s}\n" for s in sentences * 5), encoding="utf-8")
    (folder / "parakqc_v1.tsv").write_text("".join(f"0\t0\t{s}\n" for s in (sentences * 2)[:20]), encoding="utf-8")
    with lzma.open(folder / "nsmc_positive_reviews.txt.xz", "wt", encoding="utf-8") as file:
        file.write("\n".join(sentences))
    pairs = "".join(f"a\tb\tc\t{i}\t3.0\t{s}\t{s}\n" for i, s in enumerate(sentences))
    text = "genre\tfilename\tyear\tid\tscore\tsentence1\tsentence2\n" + pairs
    (folder / "korsts_train.tsv").write_text(text, encoding="utf-8")
    rows = [{"sentence1": s, "sentence2": s, "labels": {"label": 5.0}} for s in sentences]
    (folder / "klue_sts_v1.1_dev.json").write_text(json.dumps(rows), encoding="utf-8")
    return folder


def _train(corpus_folder, out, **options):
    small = {"vocab_size": 600, "hidden_size": 32, "layers": 1, "heads": 2, "mlm_steps": 2, "mlm_batch": 4}
    small |= {"steps": 4, "batch": 4, "save_every": 2, "threads": 1} | options
    arguments = [text for name, value in small.items() for text in (f"--{name.replace('_', '-')}", str(value))]
    main(["--corpus", str(corpus_folder), "--out", str(out), *arguments])


def _steps_of(out):
    return sorted(int(path.name.split("-")[1]) for path in (out / "checkpoints" / "pairs").glob("checkpoint-*"))


def test_a_tiny_run_makes_a_folder_that_loads_and_resumes(corpus_folder, tmp_path, capsys):
    out = tmp_path / "model"
    _train(corpus_folder, out)
    assert '"steps": 4' in capsys.readouterr().out, "the config is shown"
    assert json.loads((out / "retriever_config.json").read_text(encoding="utf-8"))["steps"] == 4
    stored = json.loads((out / "retriever.json").read_text(encoding="utf-8"))
    retriever = MemoryRetriever.load(out)
    assert retriever.threshold == stored["threshold"] and stored["validation"]
    assert next(retriever.encoder.parameters()).dtype == torch.float32
    assert retriever.encoder.max_seq_length == 64 and retriever.encoder.get_embedding_dimension() == 512
    memories = [Memory("이름", "민지"), Memory("취미", "등산")]
    scores = retriever.scores("내 이름 뭐게", memories)
    assert scores.shape == (2,) and np.isfinite(scores).all()

    first = (out / "checkpoints" / "pretrained" / "model.safetensors").stat().st_mtime_ns
    assert _steps_of(out) == [4]
    _train(corpus_folder, out, steps=6)
    state = json.loads((out / "checkpoints" / "pairs" / "checkpoint-6" / "trainer_state.json").read_text())
    assert state["global_step"] == 6
    assert (out / "checkpoints" / "pretrained" / "model.safetensors").stat().st_mtime_ns == first, "not made again"

    on = tmp_path / "from_a_retriever"
    _train(corpus_folder, on, base=out, steps=2, learning_rate=1e-9)
    heads = [torch.nn.Module.state_dict(MemoryRetriever.load(folder).encoder[2]) for folder in (out, on)]
    assert all(torch.allclose(heads[0][name], heads[1][name], atol=1e-3) for name in heads[0]), "its head is kept"

    mean = tmp_path / "mean"
    capsys.readouterr()
    average_retrievers.main(["--first", str(out), "--second", str(on), "--share", "0.25", "--out", str(mean)])
    assert "threshold" in capsys.readouterr().out
    parts = [MemoryRetriever.load(folder).encoder.state_dict() for folder in (out, on, mean)]
    assert all(torch.allclose(0.25 * parts[0][n] + 0.75 * parts[1][n], parts[2][n], atol=1e-3) for n in parts[2])
    assert json.loads((mean / "retriever_config.json").read_text(encoding="utf-8"))["averaged_share"] == 0.25

    other = tmp_path / "from_base"
    _train(corpus_folder, other, base=out / "checkpoints" / "pretrained", steps=2)
    assert MemoryRetriever.load(other).scores("안녕", memories).shape == (2,)
    assert not (other / "checkpoints" / "pretrained").exists()


@pytest.mark.parametrize("share", ["-0.1", "1.5", "반"])
def test_a_share_that_is_none(tmp_path, share, capsys):
    with pytest.raises(SystemExit):
        average_retrievers.main(
            ["--first", str(tmp_path), "--second", str(tmp_path), "--share", share, "--out", str(tmp_path)]
        )
    assert "0에서 1 사이" in capsys.readouterr().err


# --- evaluation ---------------------------------------------------------------------------------------------------


class _KeyEncoder:
    """Knows each prompt's key: one axis a key, one more for prompts that need none."""

    def __init__(self, cases):
        self.axis = {case.key: i for i, case in enumerate(cases)}
        self.of_prompt = {prompt: self.axis[case.key] for case in cases for prompt in case.prompts}

    def _rows(self, axes):
        return np.eye(len(self.axis) + 1, dtype=np.float32)[list(axes)]

    def encode_query(self, inputs, **_):
        return self._rows(self.of_prompt.get(text, -1) for text in inputs)

    def encode_document(self, inputs, **_):
        return self._rows(self.axis[text.split(":")[0]] for text in inputs)


def test_an_encoder_that_knows_everything_has_perfect_figures():
    cases = [evaluate.Case(f"열쇠{i}", ("가", "나", "다", "라", "마"), (f"물음{i}",), i % 2 == 0) for i in range(60)]
    encoder = _KeyEncoder(cases)
    threshold = evaluate.choose_threshold(encoder, cases, ["안녕"])
    figures = evaluate.measure(encoder, threshold, cases, ["안녕"])
    assert figures["pair_correlation"] == pytest.approx(1) and figures["pair_mse"] == pytest.approx(0)
    rates = {name: value for name, value in figures.items() if not name.startswith("pair")}
    assert rates and all(value == 1.0 for value in rates.values()), rates
    assert "right line among 8" in evaluate.table(figures, threshold)


def test_training_has_no_prompt_value_or_unseen_key_of_the_evaluation():
    cases, needless = evaluate.evaluation_set()
    pairs = load_pairs()
    trained = {bare(prompt) for prompt, _ in (*pairs.asking, *pairs.lookalikes)} | set(map(bare, pairs.needless))
    assert len(cases) >= 30 and len(needless) >= 30
    assert [p for p in (*(p for case in cases for p in case.prompts), *needless) if bare(p) in trained] == []
    values = {value for listed in pairs.values.values() for value in listed}
    assert [value for case in cases for value in case.values if value in values] == []
    assert [case.key for case in cases if not case.seen_key and case.key in pairs.keys] == []


def test_the_training_data_are_as_wide_as_promised():
    lines = (TRAINING_DATA / "retrieval.jsonl").read_text(encoding="utf-8").splitlines()
    prompts = {group["key"]: len(group["prompts"]) for group in map(json.loads, lines)}
    assert len(prompts) == len(lines) >= 250 and min(prompts.values()) >= 12


# --- the embedded weights -----------------------------------------------------------------------------------------

FILE = [
    Memory("이름", "민지"),
    Memory("오늘 일정", "치과 가기"),
    Memory("내일 일정", "친구 만나기"),
    Memory("좋아하는 음식", "떡볶이"),
    Memory("못 먹는 음식", "오이"),
    Memory("고양이 이름", "나비"),
    Memory("강아지 이름", "보리"),
    Memory("직업", "간호사"),
    Memory("사는 곳", "부산"),
    Memory("생일", "3월 14일"),
    Memory("좋아하는 가수", "아이유"),
    Memory("취미", "등산"),
]


@pytest.fixture(scope="module")
def retriever():
    return MemoryRetriever.load(EMBEDDED)


@pytest.mark.parametrize(
    ("prompt", "key"),
    [
        ("나 내일 뭐하지", "내일 일정"),
        ("나 오늘 뭐하지", "오늘 일정"),
        ("오늘 저녁 뭐 먹지", "좋아하는 음식"),
        ("내 고양이 이름 뭐게", "고양이 이름"),
        ("우리 강아지 이름 기억나?", "강아지 이름"),
        ("내 이름이 뭐야?", "이름"),
        ("안녕", None),
        ("너 몇 살이야?", None),
        ("1+1은?", None),
        ("고마워 로라야", None),
    ],
)
def test_embedded_retriever_finds_the_right_line_or_none(retriever, prompt, key):
    found = retriever.best(prompt, FILE)
    assert (found.memory.key if found else None) == key, (prompt, found)


def test_embedded_retriever_is_small_and_complete(retriever):
    assert (EMBEDDED / "model.safetensors").stat().st_size <= 15 * 2**20
    model = SentenceTransformer(str(EMBEDDED), device="cpu", local_files_only=True)
    assert next(model.parameters()).dtype == torch.float32
    norms = np.linalg.norm(model.encode_query(["나 내일 뭐하지"], normalize_embeddings=True), axis=1)
    assert math.isclose(norms[0], 1, abs_tol=1e-3)
    assert not list(EMBEDDED.glob("**/*.pt")) and not list(EMBEDDED.glob("**/optimizer*"))
