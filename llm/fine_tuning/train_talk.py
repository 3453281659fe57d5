"""Turns a base that was pre-trained on the corpora towards Oh-LoRA's talk: every weight, the embeddings among them.

    python -m llm.fine_tuning.train_talk --corpus FOLDER --init runs/corpus --out llm/models/embedded/base

A small model cannot learn a new way of talking from an adapter alone. Its rows are our conversations, the corpora's
dialogues and copying tasks, one to a row; the loss is on the answer, which begins with the token of the prompt's
family (``topics.py``). One prompt in fifty is kept out to see how well families of unknown prompts are told. A run that
was interrupted goes on from its last checkpoint when it is started again with the same arguments.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Container
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from transformers import GPTNeoXForCausalLM, PreTrainedTokenizerFast, Trainer, TrainerCallback, TrainingArguments

from llm.fine_tuning import corpus
from llm.fine_tuning.answers import AnswerRows, Padding, answer_weights
from llm.fine_tuning.chunked_loss import chunked_cross_entropy
from llm.fine_tuning.conversations import (
    Family,
    Pair,
    keep_prompts,
    kept_pairs,
    load_families,
    load_values,
    training_pairs,
)
from llm.fine_tuning.topics import add_topics, topic_accuracy, topic_ids
from llm.training import add_options, last_checkpoint, save_tokenizer, trainer_settings

CONFIG_FILE = "talk_training.json"


@dataclass(frozen=True)
class TalkConfig:
    """Everything that decides a run; saved beside the weights as ``CONFIG_FILE``."""

    corpus: str
    init: str  # folder of the base to go on from
    out: str
    rounds: int = 9  # how often every prompt of our own conversations comes
    fresh: int = 1  # how many times as often those come whose families the base to go on from has no topic for
    slot_fills: int = 2  # values that a prompt with a slot gets each round
    dialogue_rounds: int = 1
    notes: int = 30000
    batch: int = 64
    learning_rate: float = 1e-3
    warmup: int = 100
    opening_weight: float = 1.0  # weight of an answer's first tokens in the loss
    opening_share: float = 0.15  # share of the pairs of which only the answer's opening is learned
    invented: float = 0.5  # share of made-up values, so that she learns to copy rather than to recite
    noise: float = 0.08  # chance of a prompt's word to be left out, and of a token to be another one
    cuts: float = 0.15  # chance of a cut at each letter of a prompt
    dropout: float = 0.1  # of the hidden states: our prompts are few, and without it they are learned by heart
    topic_weight: float = 5.0  # weight of the token of the prompt's family in the loss
    kept_prompts: float = 0.02  # share of the prompts that are never trained on: how many of their families are told
    max_steps: int = -1  # above 0: stop there, for a smoke run
    seed: int = 20261
    threads: int = 0  # CPU threads; 0 leaves the choice to torch


class TalkTrainer(Trainer):
    """Weighted cross entropy over the answers' tokens; one process."""

    opening_weight = 1.0
    topic_weight = 1.0
    topics: torch.Tensor | None = None  # token ids

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):  # type: ignore[no-untyped-def]
        ids, targets = inputs["input_ids"], inputs["labels"][:, 1:]
        weights = answer_weights(targets, self.opening_weight, self.topics, self.topic_weight)
        learned = weights > 0
        with torch.autocast(ids.device.type, torch.bfloat16):
            # padding stands on the right, where causal attention never looks
            hidden = model.gpt_neox(input_ids=ids, use_cache=False).last_hidden_state
        hidden = hidden[:, :-1][learned].to(torch.bfloat16)
        embedding = model.get_output_embeddings().weight.to(hidden.dtype)
        return chunked_cross_entropy(hidden, embedding, targets[learned], weights[learned])


class TopicReport(TrainerCallback):
    """Says at each checkpoint how many of the kept prompts' families are told."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, kept: list[Pair]) -> None:
        self.tokenizer, self.kept = tokenizer, kept

    def on_save(self, args, state, control, model=None, **others):  # type: ignore[no-untyped-def]
        told = topic_accuracy(model, self.tokenizer, self.kept)
        print(f"step {state.global_step}: families of kept prompts told {told:.3f}")


def talk_pairs(config: TalkConfig, families: list[Family], known: Container[str]) -> list[Pair]:
    """Our conversations, the corpora's dialogues and copying tasks, in a random order.

    ``known`` are the names of the families that the base has a topic for already.
    """
    rng = random.Random(config.seed)
    fresh = [family for family in families if family.name not in known]
    pairs = training_pairs(
        [*families, *fresh * (config.fresh - 1)],
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
    (out / CONFIG_FILE).write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")

    tokenizer = PreTrainedTokenizerFast.from_pretrained(config.init)
    families, kept = keep_prompts(load_families(), config.kept_prompts)
    pairs = talk_pairs(config, families, topic_ids(tokenizer))
    asked = kept_pairs(kept, config.seed)
    print(f"pairs {len(pairs):,}, families {len(families):,}, prompts kept {len(asked):,}")
    model = GPTNeoXForCausalLM.from_pretrained(
        config.init,
        dtype=torch.float32,
        attn_implementation="eager",  # faster than sdpa for short rows on a CPU
        hidden_dropout=config.dropout,
    )
    add_topics(tokenizer, model, families)
    save_tokenizer(tokenizer, out)
    rows = AnswerRows(pairs, tokenizer, config.opening_share, config.noise, config.cuts, config.seed)
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
                save_steps=250,
                remove_unused_columns=False,
                train_sampling_strategy="group_by_length",  # rows of like length waste little on padding
            )
        ),
        train_dataset=rows,
        data_collator=Padding(tokenizer.pad_token_id),
        callbacks=[TopicReport(tokenizer, asked)] if asked else [],
    )
    trainer.opening_weight, trainer.topic_weight = config.opening_weight, config.topic_weight
    trainer.topics = torch.tensor(list(topic_ids(tokenizer).values()))
    trainer.train(resume_from_checkpoint=last_checkpoint(work))
    model.config.hidden_dropout = 0.0
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
