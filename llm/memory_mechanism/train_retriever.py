"""Trains the memory retriever: a sentence-transformers model that puts a prompt near the memory line it needs.

    python -m llm.memory_mechanism.train_retriever --corpus FOLDER --out llm/models/embedded/memory_sbert
    python -m llm.memory_mechanism.train_retriever --corpus FOLDER --out FOLDER --base klue/roberta-base
    python -m llm.memory_mechanism.train_retriever --corpus FOLDER --out FOLDER --base llm/models/embedded/memory_sbert

Without ``--base`` it starts from nothing: an own tokenizer, a small BERT and a short masked-language-model training on
spoken Korean. ``--base`` may also be a retriever, which learns on. Then, in all cases, it learns from the memory pairs
(``training_pairs.py``) and from public pairs for general similarity. The threshold is chosen on the validation part and
stored as ``retriever.json`` beside the weights.

A run that was interrupted goes on from its last checkpoint when it is started again with the same arguments.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss, MultipleNegativesRankingLoss
from sentence_transformers.sentence_transformer.modules import Dense, Pooling, Transformer
from tokenizers import models
from transformers import PreTrainedTokenizerFast

from llm.fine_tuning import corpus
from llm.memory_mechanism.evaluate import choose_threshold, measure, validation_set
from llm.memory_mechanism.key_grammar import nouns
from llm.memory_mechanism.retriever import THRESHOLD_FILE
from llm.memory_mechanism.retriever_rows import (
    ASKS,
    LOOKS_ALIKE,
    memory_rows,
    plain_sentences,
    public_paraphrases,
    public_similarities,
    similarity_targets,
)
from llm.memory_mechanism.small_bert import MAX_TOKENS, SmallBertConfig, pretrain
from llm.memory_mechanism.training_pairs import TrainingPairs, load_pairs
from llm.training import add_options, last_checkpoint, trainer_settings

CONFIG_FILE = "retriever_config.json"


@dataclass(frozen=True, kw_only=True)
class RetrieverConfig(SmallBertConfig):
    """Everything that decides a run; saved beside the weights, without the folders, as ``retriever_config.json``."""

    corpus: str
    out: str
    base: str = ""  # hub name or folder of a pre-trained encoder or a retriever; empty: a small one from nothing
    head: int = 512  # dimensions of the layer behind the pooling, 0: none
    reviews: int = 150000  # film reviews among the sentences that the small model starts from
    merge_dropout: float = 0.05  # part of the tokenizer's merges left out while training: words in varying pieces
    steps: int = 1200
    batch: int = 96  # prompts; each brings two memories
    learning_rate: float = 5e-4
    warmup: float = 0.06  # part of the steps
    memory_share: float = 0.85  # of the steps; the others are general similarity
    unseen_share: float = 0.3  # of the memory rows: keys made of corpus nouns, so that unseen keys are found by name
    keys_kept: float = 0.0  # part of the keys that are left out and only validated
    threads: int = 2


class MemoryLoss(torch.nn.Module):
    """Compares every prompt of a batch with every memory of it; the target is the overlap of their keys.

    On the cosine similarities of prompts and memories there are a squared error against the overlap (the published
    target), each degree of overlap with its own weight; cross entropy that puts a right memory first; and a margin
    around one fixed similarity, so that a single threshold tells "found" from "none". The squared error is taken of
    memories with memories and of prompts with prompts as well: it keeps what has nothing to do with each other apart in
    all directions, at no cost of encoding.

    Rows are (prompt, memory, other memory) with labels (kind, prompt's key, memory's key, other memory's key): keys are
    numbers into ``overlap`` (keys, keys); kinds are below.
    """

    BORDER = 0.55  # between the similarity of a right memory and of any other
    SCALE = 16.0
    PARTS = 6  # of a batch that go through the model by themselves
    FAR_WEIGHT = 20  # of keys without a common word: they are nearly all pairs of a file, so their noise counts most

    def __init__(self, model: SentenceTransformer, overlap: torch.Tensor, known: torch.Tensor) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("overlap", overlap, persistent=False)
        self.register_buffer("known", known, persistent=False)  # False: two keys that share a prompt, no target

    def forward(self, sentence_features: Sequence[dict[str, torch.Tensor]], labels: torch.Tensor) -> torch.Tensor:
        embedded = torch.nn.functional.normalize(self._embed(sentence_features), dim=-1)
        prompts, memories = embedded[: len(labels)], embedded[len(labels) :]
        similarity = prompts @ memories.T  # (prompts, memories)
        kind, key = labels[:, :1], labels[:, 1]
        memory_keys = torch.cat([labels[:, 2], labels[:, 3]])
        asks = kind == ASKS
        target = torch.where(asks, self.overlap[key][:, memory_keys], 0.0)
        same = key[:, None] == memory_keys
        counts = torch.where(kind == LOOKS_ALIKE, same, self.known[key][:, memory_keys] | (kind != ASKS))
        right = counts & (target > 0.99)
        wrong = counts & ~right
        scaled = self.SCALE * (similarity - self.BORDER)
        others = scaled.masked_fill(~wrong, -30.0).logsumexp(1, keepdim=True)
        first = (torch.logaddexp(scaled, others) - scaled)[right]
        above = torch.nn.functional.softplus(-scaled)[right]
        below = torch.nn.functional.softplus(others)
        terms = [4 * self._error(similarity, target, counts), 0.5 * below.mean(), self._apart(memories, memory_keys)]
        if right.any():
            terms += [0.3 * first.mean(), 0.3 * above.mean(), self._apart(prompts[asks[:, 0]], key[asks[:, 0]])]
        return sum(terms)

    def _embed(self, columns: Sequence[dict[str, torch.Tensor]]) -> torch.Tensor:
        """The embeddings (texts, dimensions) of the columns one after the other.

        Texts of like length go through the model together: half of what a batch would compute is padding otherwise.
        """
        longest = max(column["input_ids"].shape[1] for column in columns)
        ids, mask = (
            torch.cat([torch.nn.functional.pad(c[name], (0, longest - c[name].shape[1])) for c in columns])
            for name in ("input_ids", "attention_mask")
        )
        lengths = mask.sum(1)
        order = lengths.argsort()
        parts = []
        for rows in order.chunk(self.PARTS):
            used = int(lengths[rows].max())
            features = {"input_ids": ids[rows, :used], "attention_mask": mask[rows, :used]}
            parts.append(self.model(features)["sentence_embedding"].float())
        return torch.cat(parts)[order.argsort()]

    def _error(self, similarity: torch.Tensor, target: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """Squared error of those that ``counts`` names, as the weighted sum of its means over degrees of overlap."""
        error = (similarity - target) ** 2
        right, far = counts & (target > 0.99), counts & (target == 0)
        groups = ((1, right), (1, counts & ~right & ~far), (self.FAR_WEIGHT, far))
        return sum((weight * error[mask].mean() for weight, mask in groups if mask.any()), error.new_zeros(()))

    def _apart(self, rows: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
        """The error of ``rows`` (texts, dimensions) among themselves, each with the others."""
        others = ~torch.eye(len(rows), dtype=torch.bool, device=rows.device)
        return self._error(rows @ rows.T, self.overlap[keys][:, keys], others & self.known[keys][:, keys])


def _repeated(columns: dict[str, list], rows: int, rng: random.Random) -> Dataset:
    """``rows`` rows of ``columns``, every row as often as the others, in a random order."""
    order: list[int] = []
    size = len(next(iter(columns.values())))
    while len(order) < rows:
        order += rng.sample(range(size), size)
    return Dataset.from_dict({name: [values[i] for i in order[:rows]] for name, values in columns.items()})


def _set_merge_dropout(tokenizer: PreTrainedTokenizerFast, part: float | None) -> None:
    if isinstance(tokenizer.backend_tokenizer.model, models.BPE):  # a base from elsewhere may have another kind
        model = tokenizer.backend_tokenizer.model
        model.dropout = part or None


def train_pairs(config: RetrieverConfig, pairs: TrainingPairs, start: str, work: Path) -> SentenceTransformer:
    """The encoder in ``start`` (folder or hub name), trained on memory pairs and general similarity."""
    rng = random.Random(config.seed + 1)
    folder = Path(config.corpus)
    spoken = corpus.utterances(folder) + [text for pair in corpus.dialogues(folder) for text in pair]
    words = nouns(spoken + corpus.reviews(folder, config.reviews, rng))
    memory_steps = max(1, round(config.steps * config.memory_share))
    similarity_steps = max(1, (config.steps - memory_steps) // 3)
    paraphrase_steps = max(1, config.steps - memory_steps - similarity_steps)
    rows, keys = memory_rows(pairs, words, memory_steps * config.batch, config.unseen_share, rng)
    datasets = {
        "memory": Dataset.from_dict(rows),
        "similarity": _repeated(public_similarities(folder), similarity_steps * config.batch, rng),
        "paraphrase": _repeated(public_paraphrases(folder, rng), paraphrase_steps * config.batch, rng),
    }
    print(f"keys {len(pairs.keys)}, prompts {len(pairs.asking):,}, prompts that need none {len(pairs.needless):,}")

    model = _encoder(start, config.head)
    overlap, known = similarity_targets(pairs, keys)
    losses = {
        "memory": MemoryLoss(model, overlap, known),
        "similarity": CosineSimilarityLoss(model),
        "paraphrase": MultipleNegativesRankingLoss(model),
    }
    trainer = SentenceTransformerTrainer(
        model=model,
        args=SentenceTransformerTrainingArguments(
            output_dir=str(work / "pairs"),
            max_steps=config.steps,
            per_device_train_batch_size=config.batch,
            learning_rate=config.learning_rate,
            multi_dataset_batch_sampler="proportional",
            **_settings(config),
        ),
        train_dataset=datasets,
        loss=losses,
    )
    _set_merge_dropout(model.tokenizer, config.merge_dropout)
    trainer.train(resume_from_checkpoint=last_checkpoint(work / "pairs"))
    _set_merge_dropout(model.tokenizer, None)
    return model


def _encoder(start: str, head: int) -> SentenceTransformer:
    """The encoder in ``start``: a retriever with all its layers, or a language model with mean pooling.

    A layer of ``head`` dimensions comes last, where ``start`` has none: more of them than the pooled vector has leave
    more room for keys that have nothing to do with each other.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    eager = {"attn_implementation": "eager"}
    if (Path(start) / "modules.json").is_file():
        modules = list(SentenceTransformer(start, device=device, local_files_only=True, model_kwargs=eager))
    else:
        words_in = Transformer(start, max_seq_length=MAX_TOKENS, model_kwargs=eager)
        modules = [words_in, Pooling(words_in.get_embedding_dimension(), pooling_mode="mean")]
    if head and not isinstance(modules[-1], Dense):
        modules.append(Dense(modules[0].get_embedding_dimension(), head))
    return SentenceTransformer(modules=modules, device=device)


def _settings(config: RetrieverConfig) -> dict[str, Any]:
    return trainer_settings(
        config.seed, warmup_steps=config.warmup, weight_decay=0.01, logging_steps=50, save_steps=config.save_every
    )


def save(model: SentenceTransformer, out: Path) -> None:
    """Writes the model with fp16 weights; its config makes a loader compute in fp32, which a CPU does faster."""
    model.half().save_pretrained(str(out), create_model_card=False)
    model.float()
    path = out / "config.json"
    fields = json.loads(path.read_text(encoding="utf-8"))
    fields["dtype"] = "float32"
    path.write_text(json.dumps(fields, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def store_threshold(out: Path, keys_kept: float) -> str:
    """Chooses the threshold of the model in ``out``, and writes it beside the weights with the validation's figures.

    Returns:
        what was written.
    """
    model = SentenceTransformer(str(out), local_files_only=True)
    cases, needless = validation_set(keys_kept)
    threshold = choose_threshold(model, cases, needless)
    figures = measure(model, threshold, cases, needless)
    stored = {"threshold": round(threshold, 4), "validation": {name: round(v, 4) for name, v in figures.items()}}
    text = json.dumps(stored, ensure_ascii=False, indent=1)
    (out / THRESHOLD_FILE).write_text(text + "\n", encoding="utf-8")
    return text


def _small_bert(config: RetrieverConfig, pairs: TrainingPairs, work: Path) -> Path:
    rng = random.Random(config.seed)
    return pretrain(config, plain_sentences(Path(config.corpus), config.reviews, pairs, rng), work, _settings(config))


def main(argv: list[str] | None = None) -> None:
    config = _parse(argv)
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    out = Path(config.out)
    work = out / "checkpoints"
    work.mkdir(parents=True, exist_ok=True)
    print(json.dumps(asdict(config), ensure_ascii=False, indent=1))
    decides = {name: value for name, value in asdict(config).items() if name not in ("corpus", "out")}
    if Path(config.base).is_dir():
        decides["base"] = Path(config.base).name  # where it lay on this computer tells nobody anything
    (out / CONFIG_FILE).write_text(json.dumps(decides, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    pairs = load_pairs(keys_kept=config.keys_kept)
    start = config.base or str(_small_bert(config, pairs, work))
    model = train_pairs(config, pairs, start, work)
    save(model, out)

    print(store_threshold(out, config.keys_kept))
    print(f"saved {out}")


def _parse(argv: list[str] | None) -> RetrieverConfig:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", required=True, help="folder of the public corpora")
    parser.add_argument("--out", required=True, help="folder of the model that is made")
    parser.add_argument("--base", default="", help="hub name or folder of a pre-trained encoder (klue/roberta-base)")
    add_options(parser, RetrieverConfig, but=("corpus", "out", "base"))
    return RetrieverConfig(**vars(parser.parse_args(argv)))


if __name__ == "__main__":
    main()
