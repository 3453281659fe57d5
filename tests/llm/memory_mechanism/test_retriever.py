"""The retriever: what is encoded and how often, which memory is best, and what its folder must hold."""

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertTokenizerFast, RobertaConfig, RobertaModel

from llm.errors import ModelFolderError
from llm.memory_mechanism.memory import Memory
from llm.memory_mechanism.retriever import THRESHOLD, MemoryRetriever, Recall

SCHEDULE = Memory("내일 일정", "친구 만나기")
NAME = Memory("이름", "민수")
HOBBY = Memory("취미", "등산")


class FakeEncoder:
    """Gives each text the vector that a test wrote down for it, and keeps a list of what it was asked."""

    def __init__(self, vectors):
        self.vectors = vectors
        self.queries, self.documents = [], []

    def encode_query(self, inputs, **kwargs):
        self.queries.append(list(inputs))
        return np.array([self.vectors[text] for text in inputs], dtype=np.float32)

    def encode_document(self, inputs, **kwargs):
        self.documents.append(list(inputs))
        return np.array([self.vectors[text] for text in inputs], dtype=np.float32)


def at(cosine):
    """A vector (not of length one) whose cosine similarity with (1, 0) is ``cosine``."""
    return np.array([cosine, np.sqrt(1 - cosine**2)]) * 3


def retriever(threshold=THRESHOLD):
    vectors = {"질문": at(1.0), SCHEDULE.item: at(0.9), NAME.item: at(0.3), HOBBY.item: at(0.7)}
    return MemoryRetriever(FakeEncoder(vectors), threshold)


def test_the_best_memory_at_or_above_the_threshold():
    best = retriever().best("질문", [NAME, SCHEDULE, HOBBY])
    assert best.memory == SCHEDULE and best.score == pytest.approx(0.9)
    assert retriever().best("질문", [NAME]) is None
    assert retriever(threshold=0.2).best("질문", [NAME]) == Recall(NAME, pytest.approx(0.3))
    assert retriever(threshold=0.95).best("질문", [NAME, SCHEDULE, HOBBY]) is None


def test_exactly_the_threshold_is_enough():
    exact = MemoryRetriever(FakeEncoder({"질문": [1.0, 0.0], SCHEDULE.item: [0.5, np.sqrt(0.75)]}), threshold=0.5)
    assert exact.best("질문", [SCHEDULE]).memory == SCHEDULE


def test_of_equals_the_newest_line_counts():
    old, new = Memory("내일 일정", "면접"), Memory("내일 일정", "꽃놀이")
    fake = FakeEncoder({"질문": at(1.0), old.item: at(0.9), new.item: at(0.9), NAME.item: at(0.2)})
    assert MemoryRetriever(fake).best("질문", [old, new, NAME]).memory == new
    assert MemoryRetriever(fake).best("질문", [new, NAME, old]).memory == old


def test_of_one_key_the_newer_line_counts_where_the_values_alone_differ():
    old, new, far = Memory("내일 일정", "면접"), Memory("내일 일정", "꽃놀이"), Memory("내일 일정", "이사")
    other = Memory("모레 일정", "면접")
    fake = FakeEncoder(
        {"질문": at(1.0), old.item: at(0.9), new.item: at(0.88), far.item: at(0.7), other.item: at(0.885)}
    )
    assert MemoryRetriever(fake).best("질문", [old, new, far, other]) == Recall(new, pytest.approx(0.88))
    assert MemoryRetriever(fake).best("질문", [new, old, far, other]) == Recall(old, pytest.approx(0.9))


def test_what_does_not_suit_makes_room_for_the_next():
    it = retriever()
    asked = []

    def suits(memory):
        asked.append(memory)
        return memory != SCHEDULE

    assert it.best("질문", [NAME, HOBBY, SCHEDULE], suits) == Recall(HOBBY, pytest.approx(0.7))
    assert NAME not in asked, "what lies below the threshold is not asked about"
    assert it.best("질문", [NAME, HOBBY, SCHEDULE], lambda memory: memory == NAME) is None
    assert len(it.encoder.documents) == 1, "what suits is no reason to embed anew"
    old, new = Memory("내일 일정", "면접"), Memory("내일 일정", "꽃놀이")
    fake = FakeEncoder({"질문": at(1.0), old.item: at(0.9), new.item: at(0.9)})
    assert MemoryRetriever(fake).best("질문", [old, new], lambda memory: memory == old).memory == old


def test_a_newer_line_just_below_the_threshold_hides_no_line_above_it():
    above, below = Memory("내일 일정", "면접"), Memory("내일 일정", "꽃놀이")
    fake = FakeEncoder({"질문": at(1.0), above.item: at(0.60004), below.item: at(0.59997)})
    assert MemoryRetriever(fake).best("질문", [above, below]).memory == above


def test_without_memories_nothing_is_encoded():
    empty = retriever()
    assert empty.best("질문", []) is None
    assert empty.best("질문", ()) is None
    assert empty.scores("질문", []).shape == (0,)
    assert (empty.encoder.queries, empty.encoder.documents) == ([], [])


def test_scores_are_cosines_in_the_order_of_the_memories():
    found = retriever().scores("질문", [NAME, SCHEDULE, HOBBY, NAME])
    assert found.shape == (4,) and found == pytest.approx([0.3, 0.9, 0.7, 0.3], abs=1e-6)


def test_vectors_of_length_zero_and_without_number_match_nothing():
    nowhere, broken = Memory("빈", "벡터"), Memory("깨진", "벡터")
    fake = FakeEncoder({"질문": at(1.0), nowhere.item: [0.0, 0.0], broken.item: [np.nan, 1.0]})
    assert MemoryRetriever(fake).best("질문", [nowhere]) is None
    assert MemoryRetriever(fake).best("질문", [broken]) is None


def test_what_a_turn_encodes():
    memories = [NAME, SCHEDULE, NAME]
    it = retriever()
    it.best("질문", memories)
    assert it.encoder.queries == [["질문"]]
    assert it.encoder.documents == [[NAME.item, SCHEDULE.item]], "one batch, equal lines once"

    for _ in range(3):  # an unchanged file: the prompt alone
        it.best("질문", tuple(memories))
    assert len(it.encoder.queries) == 4 and len(it.encoder.documents) == 1

    it.best("질문", [*memories, HOBBY])  # a new line: that line alone
    assert it.encoder.documents[1:] == [[HOBBY.item]]

    it.best("질문", [HOBBY])  # a line was deleted: nothing, and it is not found any more
    assert len(it.encoder.documents) == 2
    assert it.best("질문", [HOBBY]).memory == HOBBY

    it.best("질문", [HOBBY, SCHEDULE])  # what had been forgotten is new again
    assert it.encoder.documents[2:] == [[SCHEDULE.item]]


def test_an_encoder_that_fails_once_is_asked_again():
    class Failing(FakeEncoder):
        def encode_document(self, inputs, **kwargs):
            if not self.documents:
                self.documents.append("failed")
                raise RuntimeError("out of memory")
            return super().encode_document(inputs, **kwargs)

    it = MemoryRetriever(Failing({"질문": at(1.0), SCHEDULE.item: at(0.9)}))
    with pytest.raises(RuntimeError):
        it.best("질문", [SCHEDULE])
    assert it.best("질문", [SCHEDULE]).memory == SCHEDULE


def test_a_folder_that_is_not_there_or_empty(tmp_path):
    for folder in (tmp_path / "none", tmp_path):
        with pytest.raises(ModelFolderError) as caught:
            MemoryRetriever.load(folder)
        assert "modules.json" in str(caught.value) and str(folder) in str(caught.value)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The published folder with tiny random weights: the files and the class names of sentence-transformers 4.1."""
    folder = tmp_path_factory.mktemp("published") / "trained_sbert_model"
    torch.manual_seed(0)
    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *"내일정이름민수친구취미등산질문?:",
        *(f"##{c}" for c in "일정름수구미산문"),
    ]
    config = RobertaConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=68,
        pad_token_id=0,
    )
    RobertaModel(config, add_pooling_layer=False).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt"), do_lower_case=False).save_pretrained(folder)
    (folder / "1_Pooling").mkdir()
    contents = {
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        ],
        "sentence_bert_config.json": {"max_seq_length": 64, "do_lower_case": False},
        "config_sentence_transformers.json": {
            "__version__": {"sentence_transformers": "4.1.0", "transformers": "4.51.3", "pytorch": "2.6.0"},
            "prompts": {},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
        "1_Pooling/config.json": {
            "word_embedding_dimension": 16,
            "pooling_mode_cls_token": False,
            "pooling_mode_mean_tokens": True,
            "pooling_mode_max_tokens": False,
            "pooling_mode_mean_sqrt_len_tokens": False,
            "pooling_mode_weightedmean_tokens": False,
            "pooling_mode_lasttoken": False,
            "include_prompt": True,
        },
    }
    for name, content in contents.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_the_published_folder(published):
    it = MemoryRetriever.load(published)
    assert it.threshold == THRESHOLD == 0.6, "no threshold file: the published one"
    assert it.encoder.max_seq_length == 64
    scores = it.scores("내일 친구 만나?", [SCHEDULE, NAME])
    assert scores.shape == (2,) and np.isfinite(scores).all() and (np.abs(scores) <= 1.0001).all()
    assert it.best(SCHEDULE.item, [NAME, SCHEDULE]) == Recall(SCHEDULE, pytest.approx(1.0, abs=1e-4))


def copy_with(published, tmp_path, change):
    shutil.copytree(published, tmp_path / "model")
    change(tmp_path / "model")
    return tmp_path / "model"


def test_the_threshold_file(published, tmp_path):
    folder = copy_with(published, tmp_path, lambda f: (f / "retriever.json").write_text('{"threshold": 0.35}'))
    assert MemoryRetriever.load(folder).threshold == 0.35


def drop_tensor(file, name):
    weights = {key: tensor.clone() for key, tensor in load_file(file).items()}  # Windows keeps mapped files locked
    del weights[name]
    save_file(weights, file, metadata={"format": "pt"})


BREAKAGES = {
    "threshold file of another kind": lambda f: (f / "retriever.json").write_text("[0.6]"),
    "threshold that is no number": lambda f: (f / "retriever.json").write_text('{"threshold": null}'),
    "threshold file cut short": lambda f: (f / "retriever.json").write_text('{"thresh'),
    "modules.json cut short": lambda f: (f / "modules.json").write_text("[{"),
    "weights cut short": lambda f: (f / "model.safetensors").write_bytes((f / "model.safetensors").read_bytes()[:900]),
    "a tensor missing": lambda f: drop_tensor(f / "model.safetensors", "encoder.layer.0.output.dense.weight"),
    "weights missing": lambda f: (f / "model.safetensors").unlink(),
    "pooling missing": lambda f: (f / "1_Pooling" / "config.json").unlink(),
    "config missing": lambda f: (f / "config.json").unlink(),
}


@pytest.mark.parametrize("change", BREAKAGES.values(), ids=BREAKAGES)
def test_a_broken_folder(published, tmp_path, change):
    folder = copy_with(published, tmp_path, change)
    with pytest.raises(ModelFolderError) as caught:
        MemoryRetriever.load(folder)
    assert str(folder) in str(caught.value) and "\n" not in str(caught.value)
