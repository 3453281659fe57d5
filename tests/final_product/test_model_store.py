"""The table of models: which of the two sizes a part uses, and what is missing, by name and with its cure."""

import json

import pytest

from final_product.model_store import IDENTITY_FILE, PUBLISHED_GENERATOR, SOURCES, Part, find_models
from llm.topic_classifier import FILE

MODELS = "llm/models"
FACE = "stylegan_and_segmentation/stylegan_modified"
ADAPTER = ("adapter_config.json", "adapter_model.safetensors", "tokenizer.json")
SBERT = ("modules.json", "config.json", "model.safetensors", "1_Pooling/config.json")
SHARDS = tuple(f"model-0000{n}-of-00003.safetensors" for n in (1, 2, 3))

EMBEDDED = {
    Part.LANGUAGE: [
        *(f"{MODELS}/embedded/adapter/{name}" for name in ADAPTER[:2]),
        *(f"{MODELS}/embedded/base/{name}" for name in ("config.json", "model.safetensors")),
    ],
    Part.RETRIEVER: [f"{MODELS}/embedded/memory_sbert/{name}" for name in SBERT],
    Part.FACE: [f"{FACE}/embedded/{name}" for name in ("config.json", "generator.safetensors", "identity_z.csv")],
}
PUBLISHED = {
    Part.LANGUAGE: [
        *(f"{MODELS}/polyglot_fine_tuned/{name}" for name in ADAPTER),
        *(f"{MODELS}/polyglot_original/{name}" for name in ("config.json", "model.safetensors.index.json", *SHARDS)),
    ],
    Part.RETRIEVER: [f"{MODELS}/memory_sbert/trained_sbert_model/{name}" for name in SBERT],
    Part.FACE: [f"{FACE}/{PUBLISHED_GENERATOR}", f"final_product/{IDENTITY_FILE}"],
}


def put(root, files):
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        index = {"weight_map": {f"tensor.{n}": shard for n, shard in enumerate(SHARDS * 2)}}
        path.write_text(json.dumps(index) if name.endswith(".index.json") else "", encoding="utf-8")


@pytest.fixture
def root(tmp_path):
    """A checkout with its embedded models."""
    for files in EMBEDDED.values():
        put(tmp_path, files)
    return tmp_path


def test_a_fresh_clone_uses_the_embedded_models(root):
    models = find_models(root)
    assert list(models) == [Part.LANGUAGE, Part.RETRIEVER, Part.FACE]
    assert not any(model.published or model.problems for model in models.values())
    assert models[Part.LANGUAGE].folder == root / MODELS / "embedded" / "adapter"
    assert models[Part.LANGUAGE].companion == root / MODELS / "embedded" / "base"
    assert models[Part.RETRIEVER].folder == root / MODELS / "embedded" / "memory_sbert"
    assert models[Part.FACE].folder == root / FACE / "embedded"
    assert models[Part.FACE].companion == root / FACE / "embedded" / "identity_z.csv"
    assert [model.describe(root) for model in models.values()] == [
        "언어 모델: 내장 모델 (llm/models/embedded/adapter)",
        "기억 검색: 내장 모델 (llm/models/embedded/memory_sbert)",
        "얼굴: 내장 모델 (stylegan_and_segmentation/stylegan_modified/embedded)",
    ]


def test_published_models_come_first(root):
    for files in PUBLISHED.values():
        put(root, files)
    models = find_models(root)
    assert all(model.published and not model.problems for model in models.values())
    assert models[Part.LANGUAGE].companion == root / MODELS / "polyglot_original"
    assert models[Part.FACE].companion == root / "final_product" / IDENTITY_FILE
    assert [model.describe(root) for model in models.values()] == [
        "언어 모델: 공개 모델 (llm/models/polyglot_fine_tuned)",
        "기억 검색: 공개 모델 (llm/models/memory_sbert/trained_sbert_model)",
        "얼굴: 공개 모델 (stylegan_and_segmentation/stylegan_modified)",
    ]


@pytest.mark.parametrize("part", Part)
def test_each_part_chooses_for_itself(root, part):
    put(root, PUBLISHED[part])
    assert {p for p, model in find_models(root).items() if model.published} == {part}


def every_file_of(table):
    return [(part, name) for part, files in table.items() for name in files]


def check_lost(root, part, name, cure):
    models = find_models(root)
    (problem,) = models[part].problems
    path = root / name
    folder = path.parent.parent if path.parent.name == "1_Pooling" else path.parent
    assert str(folder) in problem and path.relative_to(folder).as_posix() in problem and cure in problem
    assert "\n" not in problem
    assert not any(model.problems for other, model in models.items() if other is not part)
    return models[part]


@pytest.mark.parametrize(("part", "name"), every_file_of(EMBEDDED))
def test_an_embedded_file_is_missing(root, part, name):
    (root / name).unlink()
    assert not check_lost(root, part, name, "git restore").published


@pytest.mark.parametrize(("settings", "asked"), [('{"classifier_weight": 0.5}', True), ("{}", False), ("[", False)])
def test_a_classifier_that_the_embedded_adapter_asks_for(root, settings, asked):
    (root / MODELS / "embedded" / "adapter" / "generation_config.json").write_text(settings, encoding="utf-8")
    assert bool(find_models(root)[Part.LANGUAGE].problems) is asked
    if asked:
        check_lost(root, Part.LANGUAGE, f"{MODELS}/embedded/base/{FILE}", "git restore")
    put(root, [f"{MODELS}/embedded/base/{FILE}"])
    assert not find_models(root)[Part.LANGUAGE].problems


CURES = {
    "polyglot_fine_tuned": "daebakgazua/250408_OhLoRA_LLM",
    "polyglot_original": "EleutherAI/polyglot-ko-1.3b",
    "memory_sbert": "daebakgazua/250408_OhLoRA_LLM_SBERT",
    "final_product": "WannaBeSuperteur/AI_Projects",
}


@pytest.mark.parametrize(
    ("part", "name"), [entry for entry in every_file_of(PUBLISHED) if not entry[1].endswith((".pth", "index.json"))]
)
def test_a_published_file_is_missing(root, part, name):
    put(root, PUBLISHED[part])
    (root / name).unlink()
    cure = next(cure for folder, cure in CURES.items() if folder in name)
    assert check_lost(root, part, name, cure).published, "never a silent fall-back to the embedded one"


def test_fetched_in_their_order_sources_never_leave_a_part_half_published(root):
    done = set()
    for source in SOURCES:
        put(root, [name for name in PUBLISHED[source.part] if (root / name).is_relative_to(root / source.folder)])
        assert source.problems(root) == ()
        done.add(source)
        for part, model in find_models(root).items():
            assert model.problems == ()
            assert model.published == (done >= {other for other in SOURCES if other.part is part})


def test_unfinished_downloads_stand_beside_the_folder_on_the_same_disk(root, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    base = SOURCES[0]
    assert base.staging(root) == root / MODELS / ".polyglot_original.download"
    try:
        (root / base.folder).symlink_to(elsewhere, target_is_directory=True)
    except OSError:
        pytest.skip("links need a right that this account lacks")
    assert base.staging(root).parent == elsewhere.parent


def test_the_published_generator_decides_which_face(root):
    put(root, [f"final_product/{IDENTITY_FILE}"])
    assert not find_models(root)[Part.FACE].published


def test_an_empty_published_folder_names_everything(root):
    (root / MODELS / "polyglot_fine_tuned").mkdir()
    adapter, config, weights = find_models(root)[Part.LANGUAGE].problems
    assert all(name in adapter for name in ADAPTER)
    assert "config.json" in config and "model.safetensors" in weights and "polyglot_original" in weights


def test_a_base_in_one_file_is_whole_as_well(root):
    put(root, PUBLISHED[Part.LANGUAGE])
    base = root / MODELS / "polyglot_original"
    for name in ("model.safetensors.index.json", *SHARDS):
        (base / name).unlink()
    (problem,) = find_models(root)[Part.LANGUAGE].problems
    assert "model.safetensors" in problem
    (base / "model.safetensors").write_bytes(b"")
    assert find_models(root)[Part.LANGUAGE].problems == ()


def test_several_missing_shards_make_one_line(root):
    put(root, PUBLISHED[Part.LANGUAGE])
    for name in SHARDS[1:]:
        (root / MODELS / "polyglot_original" / name).unlink()
    (problem,) = find_models(root)[Part.LANGUAGE].problems
    assert f"{SHARDS[1]}, {SHARDS[2]}" in problem and SHARDS[0] not in problem


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"weight_map": []}', '{"weight_map": {"a": 3}}', '{"weight_map": {"a": []}}', "\udcff"],
)
def test_a_broken_index_is_named(root, text):
    put(root, PUBLISHED[Part.LANGUAGE])
    index = root / MODELS / "polyglot_original" / "model.safetensors.index.json"
    index.write_bytes(text.encode("utf-8", errors="surrogateescape"))
    (problem,) = find_models(root)[Part.LANGUAGE].problems
    assert str(index) in problem and "깨졌어요" in problem and "EleutherAI" in problem


def test_a_folder_outside_of_the_root_is_shown_whole(root, tmp_path_factory):
    model = find_models(root)[Part.RETRIEVER]
    assert model.describe(tmp_path_factory.mktemp("other")) == f"기억 검색: 내장 모델 ({model.folder.as_posix()})"
