"""The one table of models: where the published weights lie and come from, where the embedded ones, what is missing.

Looks at names of files alone: it opens no weights and imports nothing heavy, so that it can answer at once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

PUBLISHED_GENERATOR = "stylegan_gen_fine_tuned_v3_ckpt_0005_gen.pth"
IDENTITY_FILE = "final_ohlora_z_vector.csv"


class Part(Enum):
    """The three models, with the names that the user reads."""

    LANGUAGE = "언어 모델"
    RETRIEVER = "기억 검색"
    FACE = "얼굴"


@dataclass(frozen=True)
class ModelFolder:
    """The model that a part uses.

    Attributes:
        part: what it is for.
        published: whether these are the published weights rather than the embedded ones.
        folder: what the part's loader takes.
        companion: a second path that the loader takes: the adapter's base folder, or the face's identity file.
        problems: what is missing, each with its cure (Korean); a part with problems cannot be loaded.
    """

    part: Part
    published: bool
    folder: Path
    companion: Path | None = None
    problems: tuple[str, ...] = ()

    def describe(self, root: Path) -> str:
        """One line for the user: the part, which of the two sizes, and its folder relative to ``root``."""
        kind = "공개 모델" if self.published else "내장 모델"
        folder = self.folder.relative_to(root) if self.folder.is_relative_to(root) else self.folder
        return f"{self.part.value}: {kind} ({folder.as_posix()})"


@dataclass(frozen=True)
class Source:
    """A download: the repository that publishes files, and the folder that they belong in.

    Attributes:
        title: what the user reads.
        part: which part needs it.
        hub: ``Hugging Face`` or ``GitHub``.
        repository: ``owner/name`` there; on GitHub the folder in it follows.
        folder: where the files belong, relative to the root, with forward slashes.
        needed: the files without which the part cannot be loaded; the first one tells in which folder of the
            repository they lie.
        wanted: name patterns (fnmatch, for each depth) of the files to fetch: weights as safetensors only, no pickles
            but the generator's, which is read as plain tensors.
        transformers: whether this is a transformers model, whose weights are one file or an index and its shards.
        licence: as far as this project knows it; the repository's own word comes first.
    """

    title: str
    part: Part
    hub: str
    repository: str
    folder: str
    needed: tuple[str, ...]
    wanted: tuple[str, ...] = ("*.json", "*.txt", "*.safetensors")
    transformers: bool = False
    licence: str | None = None

    @property
    def cure(self) -> str:
        """What helps where files are missing (Korean, without the full stop)."""
        return f"python final_product/download.py 로, 또는 {self.hub}의 {self.repository} 에서 받아 주세요"

    def target(self, root: Path) -> Path:
        """The folder that the files belong in, links followed."""
        return (root / self.folder).resolve()

    def staging(self, root: Path) -> Path:
        """The folder beside it that unfinished downloads stand in, so that none ever stands in a model's folder."""
        target = self.target(root)
        return target.with_name(f".{target.name}.download")

    def problems(self, root: Path) -> tuple[str, ...]:
        """What is missing in the folder, each with its cure (Korean)."""
        return (_missing_model if self.transformers else _missing)(root / self.folder, self.needed, self.cure)


_RETRIEVER_FILES = ("modules.json", "config.json", "model.safetensors", "1_Pooling/config.json")

BASE = Source(
    title="바탕 언어 모델",
    part=Part.LANGUAGE,
    hub="Hugging Face",
    repository="EleutherAI/polyglot-ko-1.3b",
    folder="llm/models/polyglot_original",
    needed=("config.json",),
    transformers=True,
    licence="apache-2.0",
)
ADAPTER = Source(
    title="오로라 LLM",
    part=Part.LANGUAGE,
    hub="Hugging Face",
    repository="daebakgazua/250408_OhLoRA_LLM",
    folder="llm/models/polyglot_fine_tuned",
    needed=("adapter_config.json", "adapter_model.safetensors", "tokenizer.json"),
)
RETRIEVER = Source(
    title="기억 S-BERT",
    part=Part.RETRIEVER,
    hub="Hugging Face",
    repository="daebakgazua/250408_OhLoRA_LLM_SBERT",
    folder="llm/models/memory_sbert/trained_sbert_model",
    needed=_RETRIEVER_FILES,
    wanted=("*.json", "*.txt", "*.safetensors", "[0-9]_*/*.json", "[0-9]_*/*.safetensors"),
)
IDENTITY = Source(
    title="얼굴 z 벡터",
    part=Part.FACE,
    hub="GitHub",
    repository="WannaBeSuperteur/AI_Projects/2025_04_08_OhLoRA/final_product",
    folder="final_product",
    needed=(IDENTITY_FILE,),
    wanted=(IDENTITY_FILE,),
)
GENERATOR = Source(
    title="얼굴 생성기",
    part=Part.FACE,
    hub="Hugging Face",
    repository="daebakgazua/250408_OhLoRA_StyleGAN_FineTuned",
    folder="stylegan_and_segmentation/stylegan_modified",
    needed=(PUBLISHED_GENERATOR,),
    wanted=(PUBLISHED_GENERATOR,),
)

SOURCES = (BASE, ADAPTER, RETRIEVER, IDENTITY, GENERATOR)
"""In the order to fetch them: within a part, what makes ``find_models`` choose the published weights comes last."""


def find_models(root: Path) -> dict[Part, ModelFolder]:
    """For each part the published weights if their folder is there, whole or not, else the embedded ones."""
    return {Part.LANGUAGE: _language(root), Part.RETRIEVER: _retriever(root), Part.FACE: _face(root)}


def expression_folders(root: Path) -> tuple[Path, Path]:
    """The classifier that reads expressions from replies, and the embedded memory S-BERT that it was fitted with.

    It needs that one, whichever serves the memories: the published one's vectors mean something else.
    """
    embedded = root / "llm" / "models" / "embedded"
    return embedded / "expression", embedded / "memory_sbert"


def expression_problems(root: Path) -> tuple[str, ...]:
    """What is missing for reading expressions, with its cure."""
    return _missing(expression_folders(root)[0], ("classifier.json", "classifier.safetensors"), _RESTORE)


def _language(root: Path) -> ModelFolder:
    adapter = root / ADAPTER.folder
    if adapter.exists():
        problems = ADAPTER.problems(root) + BASE.problems(root)
        return ModelFolder(Part.LANGUAGE, True, adapter, root / BASE.folder, problems)
    embedded = root / "llm" / "models" / "embedded"
    adapter, base = embedded / "adapter", embedded / "base"
    problems = _missing(adapter, ("adapter_config.json", "adapter_model.safetensors"), _RESTORE)
    classifier = ("topic_classifier.safetensors",) if _asks_classifier(adapter) else ()
    problems += _missing_model(base, ("config.json", *classifier), _RESTORE)
    return ModelFolder(Part.LANGUAGE, False, adapter, base, problems)


def _asks_classifier(adapter: Path) -> bool:
    """Whether a topic classifier seconds the model; a broken file is the loader's to name."""
    try:
        settings = json.loads((adapter / "generation_config.json").read_text(encoding="utf-8"))
        return bool(settings.get("classifier_weight"))
    except (OSError, ValueError, AttributeError):
        return False


def _retriever(root: Path) -> ModelFolder:
    published = root / RETRIEVER.folder
    if published.exists():
        return ModelFolder(Part.RETRIEVER, True, published, problems=RETRIEVER.problems(root))
    embedded = root / "llm" / "models" / "embedded" / "memory_sbert"
    return ModelFolder(Part.RETRIEVER, False, embedded, problems=_missing(embedded, _RETRIEVER_FILES, _RESTORE))


def _face(root: Path) -> ModelFolder:
    folder = root / GENERATOR.folder
    if (folder / PUBLISHED_GENERATOR).exists():
        return ModelFolder(Part.FACE, True, folder, root / IDENTITY.folder / IDENTITY_FILE, IDENTITY.problems(root))
    embedded = folder / "embedded"
    identity = embedded / "identity_z.csv"
    problems = _missing(embedded, ("config.json", "generator.safetensors", identity.name), _RESTORE)
    return ModelFolder(Part.FACE, False, embedded, identity, problems)


_RESTORE = "저장소를 다시 받거나 git restore 로 되살려 주세요"


def _missing(folder: Path, names: tuple[str, ...], cure: str) -> tuple[str, ...]:
    lost = [name for name in names if not (folder / name).is_file()]
    return (f"{folder} 폴더에 {', '.join(lost)} 파일이 없어요. {cure}.",) if lost else ()


def _missing_model(folder: Path, names: tuple[str, ...], cure: str) -> tuple[str, ...]:
    """What a transformers model folder lacks: ``names``, its weights, or shards that its index names."""
    problems = _missing(folder, names, cure)
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return problems + _missing(folder, ("model.safetensors",), cure)
    try:
        weight_map = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        shards = sorted({Path(shard).name for shard in weight_map.values()})
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return (*problems, f"{index} 파일이 깨졌어요. {cure}.")
    return problems + _missing(folder, tuple(shards), cure)
