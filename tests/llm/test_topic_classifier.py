"""The topic classifier: its n-grams, its four bits, its file, and what broken files say."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from llm.errors import ModelFolderError
from llm.topic_classifier import FILE, TopicClassifier, ngram_hash, ngrams, pack, unpack


def classifier(known=("안녕", " 안녕 ", "배고", "고파"), families=("hello", "hungry")):
    """Knows a few n-grams; those with ``안`` in them speak for the first family, the others for the second."""
    grams = sorted(known, key=ngram_hash)
    vectors = torch.tensor([[4.0, 0.0] if "안" in gram else [0.0, 4.0] for gram in grams])
    return TopicClassifier(
        families,
        torch.tensor([ngram_hash(gram) for gram in grams]),
        *pack(vectors),
        torch.eye(2),
        torch.tensor([0.5, 0.0]),
    )


def test_ngrams_are_runs_of_letters_without_blanks_and_whole_words():
    found = ngrams("나 AB야")
    assert {"^", "나", "^나", "나a", "ab야$", "나ab야", " 나 ", " ab야 "} <= set(found)
    assert not any(len(gram) > 4 for gram in found if not gram.startswith(" "))
    assert set(ngrams("나ab야")) - set(found) == {" 나ab야 "}, "blanks only part words"
    assert ngrams("") == ["^", "$", "^$"]


def test_the_key_of_a_memory_is_told_from_what_was_said_and_its_value_does_not_count():
    plain, given = set(ngrams("내일 뭐하지")), set(ngrams("내일 뭐하지", "내일 일정: 친구 만나기"))
    assert plain < given
    added = given - plain
    assert "\n내일" in added and "\n" in added and not added & plain
    assert set(ngrams("내일 뭐하지", "내일 일정: 면접")) == given
    assert set(ngrams("내일 뭐하지", "취미: 면접")) != given


def test_four_bits_keep_vectors_nearly():
    torch.manual_seed(0)
    vectors = torch.randn(50, 16) * torch.logspace(-3, 1, 50).unsqueeze(1)
    vectors[7] = 0.0
    codes, scales = pack(vectors)
    assert codes.dtype == torch.uint8 and codes.shape == (50, 8) and scales.shape == (50,)
    found = unpack(codes, scales)
    lost = (found - vectors).norm(dim=1) / vectors.norm(dim=1).clamp(min=1e-9)
    assert lost.max() < 0.15 and torch.equal(found[7], vectors[7])


def test_a_prompt_is_about_what_its_known_ngrams_speak_for():
    model = classifier()
    assert model.families[int(model.scores("안녕!").argmax())] == "hello"
    assert model.families[int(model.scores("너무 배 고파").argmax())] == "hungry"
    scores = model.scores("안녕 배고파")
    assert scores.exp().sum() == pytest.approx(1.0)
    assert model.scores("안녕", "이름: 민수")[0] == model.scores("안녕")[0], "n-grams that it does not know"


@pytest.mark.parametrize("text", ["", "ㅋ", "zzz" * 500])
def test_where_no_ngram_is_known_only_how_common_the_families_are_counts(text):
    assert torch.allclose(classifier().scores(text), torch.tensor([0.5, 0.0]).log_softmax(-1))


def test_a_saved_classifier_says_the_same(tmp_path):
    model = classifier()
    model.save(tmp_path)
    found = TopicClassifier.load(tmp_path)
    assert found.families == model.families and torch.equal(found.hashes, model.hashes)
    for text in ("안녕", "배고파", ""):
        assert torch.allclose(found.scores(text), model.scores(text), atol=1e-3)


def test_a_folder_without_one_has_none(tmp_path):
    assert TopicClassifier.load(tmp_path) is None


def rewritten(change):
    def broken(file):
        found = load_file(file)
        families = change(found) or ("hello", "hungry")
        save_file({name: t.clone() for name, t in found.items()}, file, metadata={"families": json.dumps(families)})

    return broken


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        (lambda file: file.write_bytes(file.read_bytes()[:40]), "깨졌어요"),
        (lambda file: file.write_bytes(b""), "깨졌어요"),
        (lambda file: save_file(load_file(file), file), "깨졌어요"),  # no families
        (rewritten(lambda found: found.pop("codes") is None), "깨졌어요"),
        (rewritten(lambda found: found.update(scales=found["scales"][1:])), "크기"),
        (rewritten(lambda found: found.update(weight=found["weight"][:, 1:])), "크기"),
        (rewritten(lambda found: found.update(bias=found["bias"][None])), "크기"),
        (rewritten(lambda found: ("hello", "hungry", "bye")), "크기"),
        (rewritten(lambda found: found.update({n: found[n][:0] for n in ("hashes", "codes", "scales")})), "크기"),
    ],
)
def test_a_broken_file_is_named_in_one_line(broken, named, tmp_path):
    classifier().save(tmp_path)
    broken(tmp_path / FILE)
    with pytest.raises(ModelFolderError) as raised:
        TopicClassifier.load(tmp_path)
    line = str(raised.value)
    assert named in line and FILE in line and "train_topics" in line and "\n" not in line
