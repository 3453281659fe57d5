"""Trains the embedded base: a byte-level BPE tokenizer and a small GPT-NeoX on public Korean text.

    python -m llm.fine_tuning.train_base --corpus FOLDER --out runs/corpus

What it learns here is the language; ``train_talk`` turns it towards Oh-LoRA's and ``train_adapter`` comes last.
A run that was interrupted goes on from its last checkpoint when it is started again with the same arguments.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch.utils.data import Dataset
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, PreTrainedTokenizerFast, Trainer, TrainingArguments

from llm.fine_tuning import corpus
from llm.fine_tuning.chunked_loss import chunked_cross_entropy
from llm.fine_tuning.conversations import load_families, plain_texts
from llm.prompt import END_OF_TEXT, MARKERS
from llm.training import add_options, last_checkpoint, save_tokenizer, trainer_settings


@dataclass(frozen=True)
class BaseConfig:
    """Everything that decides a run; saved beside the weights as ``base_training.json``."""

    corpus: str
    out: str
    init: str = ""  # folder of a base to go on from; by default a new one with its own tokenizer
    vocab_size: int = 10240
    hidden_size: int = 384
    layers: int = 6
    heads: int = 6
    context: int = 512  # positions the model is built for
    block: int = 96  # tokens of one training row
    batch: int = 48
    steps: int = 1000
    learning_rate: float = 2e-3
    warmup: int = 100
    utterance_rounds: int = 1  # how often each spoken sentence stands in the data
    dialogue_rounds: int = 5  # the same of each dialogue
    reviews: int = 110000
    notes: int = 70000
    seed: int = 20260
    threads: int = 0  # CPU threads; 0 leaves the choice to torch


class PackedTokens(Dataset):
    """Rows of ``block`` token ids cut out of one long stream; the stream is repeated when it is too short."""

    def __init__(self, stream: torch.Tensor, block: int, rows: int) -> None:
        whole = len(stream) // block
        self.rows = stream[: whole * block].view(whole, block)
        self.count = rows

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        row = self.rows[index % len(self.rows)].long()
        return {"input_ids": row, "labels": row}


class CorpusTrainer(Trainer):
    """Next-token loss over every token of the packed rows, of which all have the same length."""

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):  # type: ignore[no-untyped-def]
        ids = inputs["input_ids"]
        with torch.autocast(ids.device.type, torch.bfloat16):
            hidden = model.gpt_neox(input_ids=ids, use_cache=False).last_hidden_state[:, :-1].flatten(0, 1)
        hidden = hidden.to(torch.bfloat16)
        embedding = model.get_output_embeddings().weight.to(hidden.dtype)
        targets = ids[:, 1:].flatten()
        return chunked_cross_entropy(hidden, embedding, targets, torch.ones_like(targets, dtype=torch.float32))


def train_tokenizer(texts: list[str], vocab_size: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer that holds the markers, every common syllable and her emoji as single tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=2,
        special_tokens=["<|pad|>", END_OF_TEXT, *MARKERS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END_OF_TEXT, pad_token="<|pad|>")


def main(argv: list[str] | None = None) -> None:
    config = _parse(argv)
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    print(json.dumps(asdict(config), ensure_ascii=False, indent=1))
    made = {name: value for name, value in asdict(config).items() if name not in ("corpus", "out", "init")}
    (out / "base_training.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")

    texts = corpus.documents(
        Path(config.corpus),
        config.utterance_rounds,
        config.dialogue_rounds,
        config.reviews,
        config.notes,
        config.seed,
    )
    if config.init or (out / "tokenizer.json").exists():
        tokenizer = PreTrainedTokenizerFast.from_pretrained(config.init or out)
    else:
        spoken = list(plain_texts(load_families())) * 3
        tokenizer = train_tokenizer(texts + spoken + corpus.single_token_lines() * 60, config.vocab_size)
    save_tokenizer(tokenizer, out)
    encoded = tokenizer(texts, return_attention_mask=False)["input_ids"]
    stream = torch.tensor([token for ids in encoded for token in ids], dtype=torch.int32)
    rows = config.steps * config.batch
    print(f"documents {len(texts):,}, tokens {len(stream):,}, tokens to train on {rows * config.block:,}")

    model = _model(config, tokenizer)
    print(f"parameters {sum(p.numel() for p in model.parameters()):,}")
    work = out / "checkpoints"
    trainer = CorpusTrainer(
        model=model,
        args=TrainingArguments(
            **trainer_settings(
                config.seed,
                output_dir=str(work),
                max_steps=config.steps,
                per_device_train_batch_size=config.batch,
                learning_rate=config.learning_rate,
                warmup_steps=config.warmup,
                weight_decay=0.1,
                adam_beta2=0.98,
                logging_steps=20,
                save_steps=100,
            )
        ),
        train_dataset=PackedTokens(stream, config.block, rows),
    )
    trainer.train(resume_from_checkpoint=last_checkpoint(work))
    model.to(torch.float16).save_pretrained(out)
    print(f"saved {out}")


def _model(config: BaseConfig, tokenizer: PreTrainedTokenizerFast) -> GPTNeoXForCausalLM:
    attention = "eager"  # faster than sdpa for short rows on a CPU
    if config.init:
        return GPTNeoXForCausalLM.from_pretrained(config.init, dtype=torch.float32, attn_implementation=attention)
    return GPTNeoXForCausalLM._from_config(
        GPTNeoXConfig(
            vocab_size=len(tokenizer),
            hidden_size=config.hidden_size,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            intermediate_size=4 * config.hidden_size,
            max_position_embeddings=config.context,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5},
            tie_word_embeddings=True,
            bos_token_id=tokenizer.eos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        ),
        attn_implementation=attention,
    )


def _parse(argv: list[str] | None) -> BaseConfig:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", required=True, help="folder of the public corpora")
    parser.add_argument("--out", required=True, help="folder of the model that is made")
    add_options(parser, BaseConfig, but=("corpus", "out"))
    return BaseConfig(**vars(parser.parse_args(argv)))


if __name__ == "__main__":
    main()
