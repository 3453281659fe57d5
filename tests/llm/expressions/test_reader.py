"""The classifier: what it reads, that it comes back as it was saved, and that it belongs to one encoder."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from llm.errors import ModelFolderError
from llm.expressions.cues import CUES
from llm.expressions.features import Scales, features, piece_features
from llm.expressions.fit import Settings, fitted, material_of, vocabulary_of
from llm.expressions.labelled import EXPRESSIONS, Labelled
from llm.expressions.reader import CONFIG_FILE, WEIGHTS_FILE, Classifier, ExpressionReader, Reading, fingerprint

EMBEDDED = Path(__file__).resolve().parents[3] / "llm" / "models" / "embedded"
WORDS = {"비": 1, "해": 2, "눈": 3}


class FakeEncoder:
    """Turns to the first axis for rain, to the second for anything else; knows three words."""

    def __init__(self):
        self.asked = []

    def encode_document(self, inputs, **kwargs):
        self.asked.append(list(inputs))
        return np.array([[2.0, 0.0] if "비" in text else [0.0, 3.0] for text in inputs])

    def tokenizer(self, text, add_special_tokens):
        assert add_special_tokens is False
        return {"input_ids": [WORDS.get(word, 0) for word in text.split()]}


EXAMPLES = [
    *(Labelled("sadness", text) for text in ("비 비", "비 해", "비 눈", "비")),
    *(Labelled("smile", text) for text in ("해 해", "해", "해 눈", "눈 해")),
    *(Labelled("laughter", text) for text in ("해 ㅋㅋ", "눈 ㅋㅋ", "비 ㅋㅋ", "ㅋㅋ")),
]


@pytest.fixture(scope="module")
def classifier():
    encoder, settings = FakeEncoder(), Settings(decay=1e-4, example_weight=1.0, steps=50)
    vocabulary = vocabulary_of(encoder, [row.reply for row in EXAMPLES])
    material = material_of(encoder, EXAMPLES, [], vocabulary)
    weight, bias = fitted(material, settings)
    return Classifier(weight, bias, vocabulary, settings.scales, "encoder's fingerprint")


def save_encoder(folder):
    for name in ("model.safetensors", "tokenizer.json", "config.json", "modules.json", "1_Pooling/config.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f'{{"{name}": 1}}\n', encoding="utf-8", newline="\n")
    return folder


def test_it_reads_what_it_was_fitted_on(classifier):
    reader = ExpressionReader(FakeEncoder(), classifier)
    assert [reader.read(row.reply).expression for row in EXAMPLES] == [row.expression for row in EXAMPLES]
    reading = reader.read("비 비")
    assert isinstance(reading, Reading) and 0.5 < reading.probability < 1
    assert reader.encoder.asked[-1] == ["비 비"], "one reply is encoded once"


def test_probabilities_sum_to_one(classifier):
    chances = ExpressionReader(FakeEncoder(), classifier).probabilities(["비", "해", "모르는 말", ""])
    assert chances.shape == (4, len(EXPRESSIONS)) and chances.sum(axis=1) == pytest.approx(1.0)


def test_features_stand_side_by_side():
    encoder = FakeEncoder()
    rows = features(encoder, ["비 해 비", "!"], [1, 3], Scales(embedding=0.5, pieces=4.0))
    assert rows.shape == (2, 2 + 2 + len(CUES)) and rows.dtype == np.float32
    assert rows[0, :4] == pytest.approx([0.5, 0.0, 4 / 2**0.5, 0.0])
    assert rows[1, 4:].sum() == 1, "an exclamation mark"
    without = features(encoder, ["비"], [1, 3], Scales(embedding=0.0, pieces=0.0))
    assert without.shape == (1, len(CUES)) and len(encoder.asked) == 1, "what does not count is not encoded"
    assert piece_features(encoder, [""], [1]).tolist() == [[0.0]]


def test_only_pieces_of_several_replies_count():
    assert vocabulary_of(FakeEncoder(), ["비", "비 해", "비 해 해", "해 눈", "눈"]).tolist() == [1, 2]


def test_saved_and_loaded_it_is_the_same(classifier, tmp_path):
    classifier.save(tmp_path, {"accuracy": 0.5})
    loaded = Classifier.load(tmp_path)
    for name in ("weight", "bias", "vocabulary"):
        assert (getattr(loaded, name) == getattr(classifier, name)).all(), name
    assert (loaded.scales, loaded.encoder) == (classifier.scales, classifier.encoder)
    config = json.loads((tmp_path / CONFIG_FILE).read_text(encoding="utf-8"))
    assert config["cues"] == list(CUES) and config["notes"] == {"accuracy": 0.5}


def test_it_belongs_to_one_encoder(classifier, tmp_path):
    encoder = save_encoder(tmp_path / "memory_sbert")
    found = fingerprint(encoder)
    (encoder / "config.json").write_bytes(b'{"config.json": 1}\r\n')
    assert fingerprint(encoder) == found, "another line end is no other model"
    whole = Classifier(classifier.weight, classifier.bias, classifier.vocabulary, classifier.scales, found)
    whole.save(tmp_path / "expression")
    loaded = FakeEncoder()
    reader = ExpressionReader.load(tmp_path / "expression", encoder, loaded)
    assert reader.encoder is loaded and reader.read("비").expression == "sadness"
    (encoder / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(ModelFolderError, match="python -m llm.expressions.fit"):
        ExpressionReader.load(tmp_path / "expression", encoder, loaded)
    (encoder / "tokenizer.json").unlink()
    with pytest.raises(ModelFolderError, match="tokenizer.json"):
        ExpressionReader.load(tmp_path / "expression", encoder, loaded)


def test_what_is_broken_is_named(classifier, tmp_path):
    with pytest.raises(ModelFolderError, match="expression"):
        Classifier.load(tmp_path / "expression")
    classifier.save(tmp_path)
    config = json.loads((tmp_path / CONFIG_FILE).read_text(encoding="utf-8"))
    for wrong in (config | {"cues": ["a new one"]}, config | {"expressions": ["happy"]}):
        (tmp_path / CONFIG_FILE).write_text(json.dumps(wrong), encoding="utf-8")
        with pytest.raises(ModelFolderError, match="python -m llm.expressions.fit"):
            Classifier.load(tmp_path)
    classifier.save(tmp_path)
    (tmp_path / WEIGHTS_FILE).write_bytes(b"half a file")
    with pytest.raises(ModelFolderError):
        Classifier.load(tmp_path)
    classifier.save(tmp_path)
    (tmp_path / CONFIG_FILE).write_text("{}", encoding="utf-8")
    with pytest.raises(ModelFolderError):
        Classifier.load(tmp_path)


def test_the_embedded_one_was_fitted_with_the_embedded_encoder():
    fitted_with = Classifier.load(EMBEDDED / "expression").encoder
    assert fitted_with == fingerprint(EMBEDDED / "memory_sbert"), (
        "llm/models/embedded/memory_sbert has changed since the expressions were fitted: "
        "run python -m llm.expressions.fit and commit llm/models/embedded/expression"
    )


def test_the_embedded_one_reads_clear_cases():
    reader = ExpressionReader.load(EMBEDDED / "expression", EMBEDDED / "memory_sbert")
    clear = {
        "오! 정말 합격했어? 축하해!": "surprise",
        "아 웃겨 ㅋㅋㅋ 너 진짜 못 말려 😆": "laughter",
        "많이 속상했겠다… 나도 눈물이 나 😢": "sadness",
        "음… 글쎄, 조금 더 생각해 볼게 🤔": "thinking",
        "반가워! 오늘도 즐겁게 얘기하자 😊": "smile",
    }
    assert {reply: reader.read(reply).expression for reply in clear} == clear


def test_another_place_needs_no_copy_of_the_encoder(tmp_path):
    """The folder of the classifier can be moved: it names no path."""
    shutil.copytree(EMBEDDED / "expression", tmp_path / "elsewhere")
    assert Classifier.load(tmp_path / "elsewhere").encoder == Classifier.load(EMBEDDED / "expression").encoder
