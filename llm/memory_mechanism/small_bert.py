"""A small BERT made from nothing: its tokenizer, its first token vectors, its masked-language-model training."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    DataCollatorForLanguageModeling,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
)

from llm.training import last_checkpoint

MAX_TOKENS = 64  # published
EMBEDDING_STD = 0.05  # of the token vectors a small model starts with
_PAD, _UNKNOWN, _START, _END, _MASK = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"


@dataclass(frozen=True, kw_only=True)
class SmallBertConfig:
    """What decides the small model and its masked-language-model training."""

    vocab_size: int = 8192
    hidden_size: int = 256
    layers: int = 4
    heads: int = 4
    mlm_steps: int = 400
    mlm_batch: int = 64
    mlm_tokens: int = 24  # longer sentences are left out
    mlm_learning_rate: float = 1e-3
    save_every: int = 200
    seed: int = 20261


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


def pretrain(config: SmallBertConfig, texts: Sequence[str], work: Path, settings: Mapping[str, Any]) -> Path:
    """The folder of a small BERT that has read ``texts``; what is there already is kept.

    Args:
        config: the model and its training.
        texts: sentences; the order decides which are read first.
        work: where the folder and the checkpoints are made.
        settings: further arguments of the Trainer.
    """
    folder = work / "pretrained"
    if (folder / "model.safetensors").exists():
        return folder
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
            **settings,
        ),
        data_collator=DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.2),
        train_dataset=_Sentences(encoded, config.mlm_steps * config.mlm_batch),
    )
    trainer.train(resume_from_checkpoint=last_checkpoint(work / "mlm"))
    model.config.hidden_dropout_prob = model.config.attention_probs_dropout_prob = 0.1
    model.save_pretrained(folder)
    return folder
