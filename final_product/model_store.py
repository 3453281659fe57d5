"""The one table of models: where the published weights lie, where the embedded ones, and what is missing.

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


def find_models(root: Path) -> dict[Part, ModelFolder]:
    """For each part the published weights if their folder is there, whole or not, else the embedded ones."""
    return {Part.LANGUAGE: _language(root), Part.RETRIEVER: _retriever(root), Part.FACE: _face(root)}


def _language(root: Path) -> ModelFolder:
    models = root / "llm" / "models"
    adapter, base = models / "polyglot_fine_tuned", models / "polyglot_original"
    if adapter.exists():
        cure = "Hugging Face의 daebakgazua/250408_OhLoRA_LLM 에서 받아 주세요"
        problems = _missing(adapter, ("adapter_config.json", "adapter_model.safetensors", "tokenizer.json"), cure)
        problems += _missing_model(base, "Hugging Face의 EleutherAI/polyglot-ko-1.3b 에서 받아 주세요")
        return ModelFolder(Part.LANGUAGE, True, adapter, base, problems)
    embedded = models / "embedded"
    adapter, base = embedded / "adapter", embedded / "base"
    problems = _missing(adapter, ("adapter_config.json", "adapter_model.safetensors"), _RESTORE)
    return ModelFolder(Part.LANGUAGE, False, adapter, base, problems + _missing_model(base, _RESTORE))


def _retriever(root: Path) -> ModelFolder:
    files = ("modules.json", "config.json", "model.safetensors", "1_Pooling/config.json")
    published = root / "llm" / "models" / "memory_sbert" / "trained_sbert_model"
    if published.exists():
        cure = "Hugging Face의 daebakgazua/250408_OhLoRA_LLM_SBERT 에서 받아 주세요"
        return ModelFolder(Part.RETRIEVER, True, published, problems=_missing(published, files, cure))
    embedded = root / "llm" / "models" / "embedded" / "memory_sbert"
    return ModelFolder(Part.RETRIEVER, False, embedded, problems=_missing(embedded, files, _RESTORE))


def _face(root: Path) -> ModelFolder:
    folder = root / "stylegan_and_segmentation" / "stylegan_modified"
    if (folder / PUBLISHED_GENERATOR).exists():
        identity = root / "final_product" / IDENTITY_FILE
        cure = "GitHub의 WannaBeSuperteur/AI_Projects, 2025_04_08_OhLoRA/final_product 에서 받아 주세요"
        problems = _missing(identity.parent, (IDENTITY_FILE,), cure)
        return ModelFolder(Part.FACE, True, folder, identity, problems)
    embedded = folder / "embedded"
    identity = embedded / "identity_z.csv"
    problems = _missing(embedded, ("config.json", "generator.safetensors", identity.name), _RESTORE)
    return ModelFolder(Part.FACE, False, embedded, identity, problems)


_RESTORE = "저장소를 다시 받거나 git restore 로 되살려 주세요"


def _missing(folder: Path, names: tuple[str, ...], cure: str) -> tuple[str, ...]:
    lost = [name for name in names if not (folder / name).is_file()]
    return (f"{folder} 폴더에 {', '.join(lost)} 파일이 없어요. {cure}.",) if lost else ()


def _missing_model(folder: Path, cure: str) -> tuple[str, ...]:
    """What a transformers model folder lacks: its config, its weights, or shards that its index names."""
    problems = _missing(folder, ("config.json",), cure)
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return problems + _missing(folder, ("model.safetensors",), cure)
    try:
        weight_map = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        shards = sorted({Path(shard).name for shard in weight_map.values()})
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return (*problems, f"{index} 파일이 깨졌어요. {cure}.")
    return problems + _missing(folder, tuple(shards), cure)
