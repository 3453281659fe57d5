"""Trains the memory retriever: a sentence-transformers model that puts a prompt near the memory line it needs.

    python -m llm.memory_mechanism.train_retriever --corpus FOLDER --out llm/models/embedded/memory_sbert
    python -m llm.memory_mechanism.train_retriever --corpus FOLDER --out FOLDER --base klue/roberta-base

Without ``--base`` it starts from nothing: an own tokenizer, a small BERT and a short masked-language-model training on
spoken Korean. Then, in both cases, it learns from the memory pairs (``training_pairs.py``) and from public pairs for
general similarity. The threshold is chosen on the validation part and stored as ``retriever.json`` beside the weights.

A run that was interrupted goes on from its last checkpoint when it is started again with the same arguments.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss, MultipleNegativesRankingLoss
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    DataCollatorForLanguageModeling,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
)
from transformers.trainer_utils import get_last_checkpoint

from llm.fine_tuning import corpus
from llm.fine_tuning.particles import attach
from llm.memory_mechanism.evaluate import choose_threshold, measure, validation_set
from llm.memory_mechanism.retriever import THRESHOLD_FILE
from llm.memory_mechanism.training_pairs import SAME_KEY, TrainingPairs, confusable, key_overlap, load_pairs

MAX_TOKENS = 64  # published
EMBEDDING_STD = 0.05  # of the token vectors a small model starts with
CONFIG_FILE = "retriever_config.json"
_PAD, _UNKNOWN, _START, _END, _MASK = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"


@dataclass(frozen=True)
class RetrieverConfig:
    """Everything that decides a run; saved beside the weights, without the folders, as ``retriever_config.json``."""

    corpus: str
    out: str
    base: str = ""  # hub name or folder of a pre-trained encoder; empty: a small one from nothing
    vocab_size: int = 8192
    hidden_size: int = 256
    layers: int = 4
    heads: int = 4
    mlm_steps: int = 400
    mlm_batch: int = 64
    mlm_tokens: int = 24  # longer sentences are left out
    mlm_learning_rate: float = 1e-3
    reviews: int = 150000  # film reviews among the sentences that the small model starts from
    merge_dropout: float = 0.05  # part of the tokenizer's merges left out while training: words in varying pieces
    steps: int = 1200
    batch: int = 64  # prompts; each brings two memories
    learning_rate: float = 5e-4
    warmup: float = 0.06  # part of the steps
    memory_share: float = 0.85  # of the steps; the others are general similarity
    unseen_share: float = 0.15  # of the memory rows: keys made of corpus words, so that unseen keys are found by name
    keys_kept: float = 0.0  # part of the keys that are left out and only validated
    save_every: int = 200
    seed: int = 20261
    threads: int = 2


class MemoryLoss(torch.nn.Module):
    """Compares every prompt of a batch with every memory of it; the target is the overlap of their keys.

    Three terms on the cosine similarities: squared error against the overlap (the published target), each degree of
    overlap with its own weight; cross entropy that puts a right memory first; and a margin around one fixed
    similarity, so that a single threshold tells "found" from "none".

    Rows are (prompt, memory, other memory) with labels (kind, prompt's key, memory's key, other memory's key): keys are
    numbers into ``overlap`` (keys, keys); kinds are below.
    """

    ASKS, LOOKS_ALIKE, NEEDS_NONE = range(3)
    BORDER = 0.65  # between the similarity of a right memory and of any other
    SCALE = 16.0
    FAR_WEIGHT = 3  # of keys without a common word: they are nearly all pairs of a file, so their noise counts most

    def __init__(self, model: SentenceTransformer, overlap: torch.Tensor, known: torch.Tensor) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("overlap", overlap, persistent=False)
        self.register_buffer("known", known, persistent=False)  # False: two keys that share a prompt, no target

    def forward(self, sentence_features: Sequence[dict[str, torch.Tensor]], labels: torch.Tensor) -> torch.Tensor:
        embedded = [self.model(features)["sentence_embedding"].float() for features in sentence_features]
        prompts, *memories = (torch.nn.functional.normalize(e, dim=-1) for e in embedded)
        similarity = prompts @ torch.cat(memories).T  # (prompts, memories)
        kind, key = labels[:, :1], labels[:, 1]
        memory_keys = torch.cat([labels[:, 2], labels[:, 3]])
        asks = kind == self.ASKS
        target = torch.where(asks, self.overlap[key][:, memory_keys], 0.0)
        same = key[:, None] == memory_keys
        counts = torch.where(kind == self.LOOKS_ALIKE, same, self.known[key][:, memory_keys] | (kind != self.ASKS))
        right = counts & (target > 0.99)
        wrong = counts & ~right
        error = (similarity - target) ** 2
        near = wrong & (target > 0)
        groups = ((1, right), (1, near), (self.FAR_WEIGHT, wrong & ~near))
        parts = [weight * error[mask].mean() for weight, mask in groups if mask.any()]
        scaled = self.SCALE * (similarity - self.BORDER)
        others = scaled.masked_fill(~wrong, -30.0).logsumexp(1, keepdim=True)
        first = (torch.logaddexp(scaled, others) - scaled)[right]
        above = torch.nn.functional.softplus(-scaled)[right]
        below = torch.nn.functional.softplus(others)
        terms = [4 * sum(parts), 0.5 * below.mean()]
        if right.any():
            terms += [0.3 * first.mean(), 0.3 * above.mean()]
        return sum(terms)


# --- data ---------------------------------------------------------------------------------------------------------

_ENDINGS = ("", "", "", "", "?", "??", "ㅋㅋ", "ㅎㅎ", "ㅠㅠ", "~", "!", "..", ".", " 로라야")
_STARTS = ("", "", "", "", "", "", "로라야 ", "야 ", "아 ", "근데 ", "있잖아 ", "저기 ", "음 ")
_ASKED = (
    "내 {key} 뭐야?", "내 {key:이/가} 뭐게", "{key} 뭐였지", "내 {key} 기억나?", "{key} 뭐라고 했더라", "{key} 알려 줘",
    "나 {key} 알아?", "내 {key} 말해 봐", "{key:을/를} 까먹었어", "{key:이/가} 뭐였더라", "제 {key:을/를} 기억하세요?",
    "우리 {key} 뭐지", "내가 {key:이/가} 뭐라고 했지", "내가 말한 {key}", "내 {key:을/를} 맞혀 볼래?",
)  # fmt: skip
_ASKED_OF_HER = (
    "네 {key:은/는} 뭐야?", "너는 {key:이/가} 뭐야?", "너 {key} 있어?", "로라 {key} 알려 줘", "네 {key:이/가} 궁금해",
    "넌 {key} 뭐야", "너도 {key} 있어?", "네가 {key:이/가} 뭐라고 했지", "{key} 뜻이 뭐야?",
    "{key} 같은 건 왜 있는 거야?", "사람들은 {key:을/를} 보통 어떻게 정해?",
)  # fmt: skip
_HEADS = ("좋아하는", "싫어하는", "오늘", "내일", "어제", "친구", "엄마", "아빠", "동생", "새", "다음", "첫", "")


def spoken_variant(prompt: str, rng: random.Random) -> str:
    """``prompt`` as another hand would type it: other blanks, other ends, her name before it."""
    if rng.random() < 0.5:
        prompt = prompt.rstrip("?!.~ㅋㅎㅠㅜ ") or prompt
    if rng.random() < 0.25:
        prompt = "".join(c for c in prompt if c != " " or rng.random() < 0.5)
    if not prompt.startswith("로라") and rng.random() < 0.4:
        prompt = rng.choice(_STARTS) + prompt
    return prompt + rng.choice(_ENDINGS) if rng.random() < 0.5 else prompt


def memory_rows(
    pairs: TrainingPairs, words: Sequence[str], count: int, unseen_share: float, rng: random.Random
) -> tuple[dict[str, list], list[str]]:
    """Columns prompt, memory, other, label of ``count`` rows for ``MemoryLoss``, and the keys that the labels number.

    ``words`` make the keys and values that no hand wrote; ``unseen_share`` (0 to 1) of the rows ask for such a key.
    """
    keys = list(pairs.keys)
    real = len(keys)
    keys += [" ".join(filter(None, (rng.choice(_HEADS), rng.choice(words)))) for _ in range(600 if words else 0)]
    number = {key: index for index, key in enumerate(keys[:real])}
    sharing: dict[int, list[int]] = {}
    by_word: dict[str, list[int]] = {}
    for index, key in enumerate(keys):
        for word in key.split():
            by_word.setdefault(word, []).append(index)
    for index, key in enumerate(keys):
        group = range(real) if index < real else range(real, len(keys))
        near = {i for word in key.split() for i in by_word[word] if i in group and 0 < key_overlap(key, keys[i]) < 1}
        sharing[index] = sorted(near)
    asked: dict[str, list[str]] = {key: [] for key in pairs.keys}
    for prompt, key in pairs.asking:
        if key in asked:
            asked[key].append(prompt)
    lookalikes = [(prompt, key) for prompt, key in pairs.lookalikes if key in number]

    def memory(index: int) -> str:
        if index >= real or rng.random() < 0.08:  # a value that tells nothing: the key has to decide
            value = " ".join(rng.choices(words, k=rng.choice((1, 1, 2)))) if words else "그것"
        else:
            value = rng.choice(pairs.values[keys[index]])
            if rng.random() < 0.06:
                value += rng.choice((", ", "랑 ", " ")) + rng.choice(pairs.values[keys[index]])
        return f"{keys[index]}: {value}"

    def neighbour(index: int) -> int:
        near = sharing[index]
        return rng.choice(near) if near and rng.random() < 0.7 else rng.randrange(real)

    rows: dict[str, list] = {"prompt": [], "memory": [], "other": [], "label": []}
    while len(rows["label"]) < count:
        draw = rng.random()
        kind, of = MemoryLoss.ASKS, rng.randrange(real)
        if draw < unseen_share and words:
            of = rng.randrange(real, len(keys)) if rng.random() < 0.8 else of
            kind = MemoryLoss.ASKS if rng.random() < 0.65 else MemoryLoss.LOOKS_ALIKE
            template = rng.choice(_ASKED if kind == MemoryLoss.ASKS else _ASKED_OF_HER)
            prompt = attach(template, {"key": keys[of]})
        elif draw < 0.68 or not pairs.needless:
            prompt = rng.choice(asked[keys[of]] or [f"내 {keys[of]} 뭐야?"])
        elif draw < 0.78 and lookalikes:
            kind = MemoryLoss.LOOKS_ALIKE
            prompt, key = rng.choice(lookalikes)
            of = number[key]
        else:
            kind, prompt = MemoryLoss.NEEDS_NONE, rng.choice(pairs.needless)
        other = neighbour(of)
        rows["prompt"].append(spoken_variant(prompt, rng))
        rows["memory"].append(memory(of))
        rows["other"].append(memory(other))
        rows["label"].append([kind, of, of, other])
    return rows, keys


def similarity_targets(pairs: TrainingPairs, keys: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Overlap (keys, keys) of ``keys``, and where it is a target: not between two keys that share a prompt."""
    numbers: dict[str, list[int]] = {}
    owners: dict[str, list[int]] = {}
    for index, key in enumerate(keys):
        numbers.setdefault(key, []).append(index)
        for word in set(SAME_KEY.get(key, key).split()):
            owners.setdefault(word, []).append(index)
    overlap = torch.zeros(len(keys), len(keys))
    for i, j in {(i, j) for group in owners.values() for i in group for j in group if i <= j}:
        overlap[i, j] = overlap[j, i] = key_overlap(keys[i], keys[j])
    known = torch.ones(len(keys), len(keys), dtype=torch.bool)
    for a, b in confusable(pairs):
        for i in numbers.get(a, ()):
            for j in numbers.get(b, ()):
                known[i, j] = overlap[i, j] == 1
    return overlap, known


def public_similarities(folder: Path) -> dict[str, list]:
    """Sentence pairs with a similarity of 0 to 1: KorSTS (training part) and KLUE-STS."""
    rows: dict[str, list] = {"first": [], "second": [], "score": []}
    with (folder / "korsts_train.tsv").open(encoding="utf-8", newline="") as file:
        found = [
            (row["sentence1"], row["sentence2"], float(row["score"]) / 5)
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            if row["sentence2"]
        ]
    for row in json.loads((folder / "klue_sts_v1.1_dev.json").read_text(encoding="utf-8")):
        found.append((row["sentence1"], row["sentence2"], row["labels"]["label"] / 5))
    for first, second, score in found:
        rows["first"].append(first)
        rows["second"].append(second)
        rows["score"].append(score)
    return rows


def public_paraphrases(folder: Path, rng: random.Random) -> dict[str, list[str]]:
    """Pairs that belong together: paraphrases of paraKQC, and questions with their answers."""
    lines = (folder / corpus.PARAPHRASE_FILE).read_text(encoding="utf-8").splitlines()
    sentences = [line.split("\t")[-1] for line in lines]
    pairs = []
    for start in range(0, len(sentences) - 9, 10):  # ten lines in a row say the same
        group = rng.sample(sentences[start : start + 10], 10)
        pairs += list(zip(group[::2], group[1::2], strict=True))
    pairs += corpus.dialogues(folder)
    return {"first": [a for a, _ in pairs], "second": [b for _, b in pairs]}


def _repeated(columns: dict[str, list], rows: int, rng: random.Random) -> Dataset:
    """``rows`` rows of ``columns``, every row as often as the others, in a random order."""
    order: list[int] = []
    size = len(next(iter(columns.values())))
    while len(order) < rows:
        order += rng.sample(range(size), size)
    return Dataset.from_dict({name: [values[i] for i in order[:rows]] for name, values in columns.items()})


def plain_sentences(config: RetrieverConfig, pairs: TrainingPairs, rng: random.Random) -> list[str]:
    """What the tokenizer and the masked-language-model training read."""
    folder = Path(config.corpus)
    lines = corpus.utterances(folder) + [text for pair in corpus.dialogues(folder) for text in pair]
    lines += public_similarities(folder)["first"] + corpus.reviews(folder, config.reviews, rng)
    own = [prompt for prompt, _ in (*pairs.asking, *pairs.lookalikes)] + list(pairs.needless)
    own += [f"{key}: {value}" for key, values in pairs.values.items() for value in values]
    lines += own * 3
    rng.shuffle(lines)
    return lines


# --- models -------------------------------------------------------------------------------------------------------


def train_tokenizer(texts: Sequence[str], vocab_size: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE over decomposed Hangul: verbs keep their stem whatever the ending, and nothing is unknown."""
    tokenizer = Tokenizer(models.BPE(unk_token=_UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKD(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    special = [_PAD, _UNKNOWN, _START, _END, _MASK]
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=2,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{_START} $A {_END}",
        pair=f"{_START} $A {_END} $B {_END}",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in (_START, _END)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=_PAD,
        unk_token=_UNKNOWN,
        cls_token=_START,
        sep_token=_END,
        mask_token=_MASK,
        model_max_length=MAX_TOKENS,
    )


class _Sentences(torch.utils.data.Dataset):
    def __init__(self, ids: list[list[int]], rows: int) -> None:
        self.ids, self.rows = ids, rows

    def __len__(self) -> int:
        return self.rows

    def __getitem__(self, index: int) -> dict[str, list[int]]:
        return {"input_ids": self.ids[index % len(self.ids)]}


class _MaskedTokensTrainer(Trainer):
    """Scores the masked positions alone: a fifth of the work over the vocabulary."""

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        labels = inputs["labels"]
        masked = labels != -100
        with torch.autocast(labels.device.type, torch.bfloat16):
            hidden = model.bert(inputs["input_ids"], attention_mask=inputs["attention_mask"]).last_hidden_state
            logits = model.cls(hidden[masked])
        return torch.nn.functional.cross_entropy(logits.float(), labels[masked])


def token_vectors(encoded: Sequence[list[int]], vocab_size: int, dimensions: int, window: int = 5) -> torch.Tensor:
    """Vectors (vocab_size, dimensions) of tokens that stand in like company: co-occurrence counts, factorised.

    Positive pointwise mutual information with counts to the power 0.75, then a truncated singular value decomposition
    with square-rooted singular values (Levy, Goldberg and Dagan 2015, "Improving distributional similarity"). Minutes
    of masked-language-model training do not reach what this gives a small model in seconds.
    """
    stream = np.concatenate([np.asarray([*ids[1:-1], *[-1] * window], dtype=np.int64) for ids in encoded])
    counts = np.zeros(vocab_size * vocab_size, dtype=np.float32)
    for distance in range(1, window + 1):
        left, right = stream[:-distance], stream[distance:]
        both = (left >= 0) & (right >= 0)
        places, times = np.unique(left[both] * vocab_size + right[both], return_counts=True)
        counts[places] += times / distance
    counts = counts.reshape(vocab_size, vocab_size)
    counts += counts.T
    totals = counts.sum(axis=1)
    context = totals**0.75 / max((totals**0.75).sum(), 1e-9)
    expected = np.outer(totals, context) + 1e-9
    information = torch.from_numpy(np.log((counts + 1e-9) / expected)).clamp_(min=0)
    size = min(dimensions, vocab_size)
    left, scale, _ = torch.svd_lowrank(information, q=size, niter=2)
    vectors = torch.zeros(vocab_size, dimensions)
    vectors[:, :size] = left * scale.sqrt()
    return vectors / vectors.std().clamp(min=1e-9)


def pretrain(config: RetrieverConfig, pairs: TrainingPairs, work: Path) -> Path:
    """The folder of a small BERT that has read the corpus; made when it is not there yet."""
    folder = work / "pretrained"
    if (folder / "model.safetensors").exists():
        return folder
    texts = plain_sentences(config, pairs, random.Random(config.seed))
    if (folder / "tokenizer.json").exists():
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    else:
        tokenizer = train_tokenizer(texts, config.vocab_size)
        tokenizer.save_pretrained(folder)
    encoded = tokenizer(texts, return_attention_mask=False)["input_ids"]
    print(f"sentences {len(encoded):,}, tokens {sum(map(len, encoded)):,}, vocabulary {len(tokenizer):,}")
    model = BertForMaskedLM._from_config(
        BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=config.hidden_size,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            intermediate_size=4 * config.hidden_size,
            max_position_embeddings=MAX_TOKENS,
            type_vocab_size=1,
            pad_token_id=tokenizer.pad_token_id,
            hidden_dropout_prob=0.0,  # too short a training to overfit
            attention_probs_dropout_prob=0.0,
        ),
        attn_implementation="eager",  # faster than sdpa for short rows on a CPU
    )
    print(f"parameters {sum(p.numel() for p in model.parameters()):,}")
    with torch.no_grad():
        model.bert.embeddings.word_embeddings.weight.copy_(
            token_vectors(encoded, len(tokenizer), config.hidden_size) * EMBEDDING_STD
        )
    random.Random(config.seed).shuffle(encoded)
    encoded = [ids for ids in encoded if len(ids) <= config.mlm_tokens][: config.mlm_steps * config.mlm_batch]
    trainer = _MaskedTokensTrainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(work / "mlm"),
            max_steps=config.mlm_steps,
            per_device_train_batch_size=config.mlm_batch,
            learning_rate=config.mlm_learning_rate,
            **_shared_arguments(config),
        ),
        data_collator=DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.2),
        train_dataset=_Sentences(encoded, config.mlm_steps * config.mlm_batch),
    )
    trainer.train(resume_from_checkpoint=_last_checkpoint(work / "mlm"))
    model.config.hidden_dropout_prob = model.config.attention_probs_dropout_prob = 0.1
    model.save_pretrained(folder)
    return folder


def _set_merge_dropout(tokenizer: PreTrainedTokenizerFast, part: float | None) -> None:
    if isinstance(tokenizer.backend_tokenizer.model, models.BPE):  # a base from elsewhere may have another kind
        model = tokenizer.backend_tokenizer.model
        model.dropout = part or None


def train_pairs(config: RetrieverConfig, pairs: TrainingPairs, start: str, work: Path) -> SentenceTransformer:
    """The encoder in ``start`` (folder or hub name), trained on memory pairs and general similarity."""
    rng = random.Random(config.seed + 1)
    folder = Path(config.corpus)
    counts = Counter(w for line in corpus.utterances(folder) for w in line.split() if 1 < len(w) < 6 and w.isalpha())
    words = sorted(word for word, count in counts.items() if count > 3)
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

    words_in = Transformer(start, max_seq_length=MAX_TOKENS, model_kwargs={"attn_implementation": "eager"})
    device = "cuda" if torch.cuda.is_available() else "cpu"
    pooling = Pooling(words_in.get_embedding_dimension(), pooling_mode="mean")
    model = SentenceTransformer(modules=[words_in, pooling], device=device)
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
            **_shared_arguments(config),
        ),
        train_dataset=datasets,
        loss=losses,
    )
    _set_merge_dropout(words_in.tokenizer, config.merge_dropout)
    trainer.train(resume_from_checkpoint=_last_checkpoint(work / "pairs"))
    _set_merge_dropout(words_in.tokenizer, None)
    return model


def _shared_arguments(config: RetrieverConfig) -> dict[str, object]:
    return {
        "warmup_steps": config.warmup,
        "lr_scheduler_type": "cosine",
        "weight_decay": 0.01,
        "max_grad_norm": 1.0,
        "bf16": True,
        "use_cpu": not torch.cuda.is_available(),
        "logging_steps": 50,
        "save_steps": config.save_every,
        "save_total_limit": 1,
        "report_to": [],
        "seed": config.seed,
    }


def _last_checkpoint(folder: Path) -> str | None:
    return get_last_checkpoint(str(folder)) if folder.exists() else None


def save(model: SentenceTransformer, out: Path) -> None:
    """Writes the model with fp16 weights; its config makes a loader compute in fp32, which a CPU does faster."""
    model.half().save_pretrained(str(out), create_model_card=False)
    model.float()
    path = out / "config.json"
    fields = json.loads(path.read_text(encoding="utf-8"))
    fields["dtype"] = "float32"
    path.write_text(json.dumps(fields, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def main(argv: list[str] | None = None) -> None:
    config = _parse(argv)
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    out = Path(config.out)
    work = out / "checkpoints"
    work.mkdir(parents=True, exist_ok=True)
    print(json.dumps(asdict(config), ensure_ascii=False, indent=1))
    decides = {name: value for name, value in asdict(config).items() if name not in ("corpus", "out")}
    (out / CONFIG_FILE).write_text(json.dumps(decides, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    pairs = load_pairs(keys_kept=config.keys_kept)
    start = config.base or str(pretrain(config, pairs, work))
    model = train_pairs(config, pairs, start, work)
    save(model, out)

    model = SentenceTransformer(str(out), local_files_only=True)
    cases, needless = validation_set(config.keys_kept)
    threshold = choose_threshold(model, cases, needless)
    figures = measure(model, threshold, cases, needless)
    stored = {"threshold": round(threshold, 4), "validation": {name: round(v, 4) for name, v in figures.items()}}
    text = json.dumps(stored, ensure_ascii=False, indent=1)
    (out / THRESHOLD_FILE).write_text(text + "\n", encoding="utf-8")
    print(text)
    print(f"saved {out}")


def _parse(argv: list[str] | None) -> RetrieverConfig:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", required=True, help="folder of the public corpora")
    parser.add_argument("--out", required=True, help="folder of the model that is made")
    parser.add_argument("--base", default="", help="hub name or folder of a pre-trained encoder (klue/roberta-base)")
    for name, kind in RetrieverConfig.__annotations__.items():
        if name not in ("corpus", "out", "base"):
            number = float if kind == "float" else int
            parser.add_argument(f"--{name.replace('_', '-')}", type=number, default=getattr(RetrieverConfig, name))
    return RetrieverConfig(**vars(parser.parse_args(argv)))


if __name__ == "__main__":
    main()
