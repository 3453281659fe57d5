"""Turns a base that was pre-trained on the corpora towards Oh-LoRA's talk: every weight, the embeddings among them.

    python -m llm.fine_tuning.train_talk --corpus FOLDER --init runs/corpus --out llm/models/embedded/base

A small model cannot learn a new way of talking from an adapter alone. Its rows are our conversations, the corpora's
dialogues and copying tasks, one to a row; the loss is on the answer. A run that was interrupted goes on from its last
checkpoint when it is started again with the same arguments.
"""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from transformers import GPTNeoXForCausalLM, PreTrainedTokenizerFast, Trainer, TrainingArguments

from llm.fine_tuning import corpus
from llm.fine_tuning.answers import AnswerRows, Padding, answer_weights
from llm.fine_tuning.chunked_loss import chunked_cross_entropy
from llm.fine_tuning.conversations import Pair, load_families, load_values, training_pairs
from llm.training import add_options, last_checkpoint, trainer_settings


@dataclass(frozen=True)
class TalkConfig:
    """Everything that decides a run; saved beside the weights as ``talk_training.json``."""

    corpus: str
    init: str  # folder of the base to go on from
    out: str
    rounds: int = 11  # how often every prompt of our own conversations comes
    slot_fills: int = 2  # values that a prompt with a slot gets each round
    dialogue_rounds: int = 2
    notes: int = 80000
    batch: int = 64
    learning_rate: float = 1e-3
    warmup: int = 100
    opening_weight: float = 3.0  # weight of an answer's first tokens in the loss
    opening_share: float = 0.3  # share of the pairs of which only the answer's opening is learned
    invented: float = 0.5  # share of made-up values, so that she learns to copy rather than to recite
    noise: float = 0.05  # chance of a prompt's token to be another one
    cuts: float = 0.15  # chance of a cut at each letter of a prompt with a memory to read or to write
    max_steps: int = -1  # above 0: stop there, for a smoke run
    seed: int = 20261
    threads: int = 0  # CPU threads; 0 leaves the choice to torch


class TalkTrainer(Trainer):
    """Weighted cross entropy over the answers' tokens; one process."""

    opening_weight = 1.0

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):  # type: ignore[no-untyped-def]
        ids, targets = inputs["input_ids"], inputs["labels"][:, 1:]
        weights = answer_weights(targets, self.opening_weight)
        learned = weights > 0
        with torch.autocast(ids.device.type, torch.bfloat16):
            # padding stands on the right, where causal attention never looks
            hidden = model.gpt_neox(input_ids=ids, use_cache=False).last_hidden_state[:, :-1][learned]
        hidden = hidden.to(torch.bfloat16)
        embedding = model.get_output_embeddings().weight.to(hidden.dtype)
        return chunked_cross_entropy(hidden, embedding, targets[learned], weights[learned])


def talk_pairs(config: TalkConfig) -> list[Pair]:
    """Our conversations, the corpora's dialogues and copying tasks, in a random order."""
    rng = random.Random(config.seed)
    pairs = training_pairs(
        load_families(),
        load_values(),
        config.rounds,
        config.seed,
        slot_fills=config.slot_fills,
        invented=config.invented,
    )
    folder = Path(config.corpus)
    pairs += [Pair(*pair) for pair in corpus.dialogues(folder)] * config.dialogue_rounds
    pairs += corpus.notes(corpus.frequent_words(folder), config.notes, rng)
    rng.shuffle(pairs)
    return pairs


def main(argv: list[str] | None = None) -> None:
    config = _parse(argv)
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    print(json.dumps(asdict(config), ensure_ascii=False, indent=1))
    made = {name: value for name, value in asdict(config).items() if name not in ("corpus", "init", "out")}
    (out / "talk_training.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")

    tokenizer = PreTrainedTokenizerFast.from_pretrained(config.init)
    tokenizer.save_pretrained(out)
    pairs = talk_pairs(config)
    rows = AnswerRows(pairs, tokenizer, config.opening_share, config.noise, config.cuts, config.seed)
    print(f"pairs {len(pairs):,}")
    model = GPTNeoXForCausalLM.from_pretrained(
        config.init,
        dtype=torch.float32,
        attn_implementation="eager",  # faster than sdpa for short rows on a CPU
    )
    work = out / "checkpoints"
    trainer = TalkTrainer(
        model=model,
        args=TrainingArguments(
            **trainer_settings(
                config.seed,
                output_dir=str(work),
                num_train_epochs=1,  # the rounds are in the data
                max_steps=config.max_steps,
                per_device_train_batch_size=config.batch,
                learning_rate=config.learning_rate,
                warmup_steps=config.warmup,
                weight_decay=0.1,
                adam_beta2=0.98,
                logging_steps=50,
                save_steps=500,
                remove_unused_columns=False,
                train_sampling_strategy="group_by_length",  # rows of like length waste little on padding
            )
        ),
        train_dataset=rows,
        data_collator=Padding(tokenizer.pad_token_id),
    )
    trainer.opening_weight = config.opening_weight
    trainer.train(resume_from_checkpoint=last_checkpoint(work))
    model.to(torch.float16).save_pretrained(out)
    print(f"saved {out}")


def _parse(argv: list[str] | None) -> TalkConfig:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", required=True, help="folder of the public corpora")
    parser.add_argument("--init", required=True, help="folder of the base to go on from")
    parser.add_argument("--out", required=True, help="folder of the model that is made")
    add_options(parser, TalkConfig, but=("corpus", "init", "out"))
    return TalkConfig(**vars(parser.parse_args(argv)))


if __name__ == "__main__":
    main()
