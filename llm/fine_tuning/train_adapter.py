"""Fine-tunes a GPT-NeoX model by LoRA on the hand-written conversations; the loss is on the answer alone.

    python -m llm.fine_tuning.train_adapter --base llm/models/polyglot_original      # the full-size model
    python -m llm.fine_tuning.train_adapter --base llm/models/embedded/base          # the embedded one

Runs on a CPU, on one GPU, or on several through ``accelerate launch -m llm.fine_tuning.train_adapter …``. A run that
was interrupted goes on from its last checkpoint when it is started again with the same arguments. The folder that it
writes has the published form and is loaded by ``final_product/run.py`` from ``llm/models/polyglot_fine_tuned``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from torch.nn import functional
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase, Trainer, TrainingArguments

from llm.fine_tuning.answers import IGNORED, AnswerRows, Padding, answer_weights
from llm.fine_tuning.conversations import CONVERSATIONS, VALUES, Family, load_families, load_values, training_pairs
from llm.fine_tuning.topics import topic_ids
from llm.training import last_checkpoint, save_tokenizer, trainer_settings


@dataclass(frozen=True)
class AdapterConfig:
    """Everything that decides a run; saved beside the adapter as ``adapter_training.json``.

    The defaults are the published hyperparameters of the full-size model, but for the number of rounds: the
    published run saw 360 pairs 80 times, ours sees far more pairs.
    """

    base: str
    out: str = "llm/models/polyglot_fine_tuned"
    conversations: str = str(CONVERSATIONS)
    values: str = str(VALUES)
    rank: int = 128
    alpha: int = 16
    dropout: float = 0.05
    targets: tuple[str, ...] = ("query_key_value",)
    learning_rate: float = 2e-4
    batch: int = 4
    accumulate: int = 1
    rounds: int = 5
    slot_fills: int = 3  # values that a prompt with a slot gets each round
    least: int = 1  # prompts that a family at least is to have each round: thinner ones come several times
    opening_weight: float = 1.0  # weight of an answer's first tokens in the loss: they decide how it goes on
    topic_weight: float = 5.0  # the same of its topic, where the base has topics
    opening_share: float = 0.0  # share of the pairs of which only the answer's opening is learned: far cheaper
    invented: float = 0.2  # share of made-up values, so that she learns to copy rather than to recite
    noise: float = 0.0  # chance of a prompt's token to be another one
    cuts: float = 0.0  # chance of a cut at each letter of a prompt with a memory to read or to write
    max_steps: int = -1  # above 0: stop there, for a smoke run
    temperature: float = 0.6
    top_p: float = 1.0
    opening_temperature: float = 0.6  # of the first token of what she says where no memory is given
    classifier_weight: float = 0.0  # of the topic classifier, where the base has one
    seed: int = 2025
    threads: int = 0  # CPU threads; 0 leaves the choice to torch


# What was found to serve a base of some 15 million parameters (see the table in llm/README.md).
EMBEDDED = {
    "out": "llm/models/embedded/adapter",
    "rank": 64,
    "alpha": 64,
    "dropout": 0.0,
    "targets": ("query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"),
    "learning_rate": 5e-4,
    "batch": 64,
    "rounds": 1,
    "slot_fills": 1,
    "least": 200,
    "invented": 0.5,
    "noise": 0.05,
    "cuts": 0.15,
    "temperature": 0.5,
    "top_p": 0.9,
    "opening_temperature": 0.9,
    "classifier_weight": 0.5,
}
_SMALL = 1024  # hidden sizes below this count as embedded


class AnswerLoss:
    """Cross entropy over the answer's tokens (mean), its topic (ids in ``topics``) and its first ones weighted."""

    def __init__(self, opening_weight: float, topics: Sequence[int] = (), topic_weight: float = 1.0) -> None:
        self.opening_weight = opening_weight
        self.topics = torch.tensor(topics, dtype=torch.long)
        self.topic_weight = topic_weight

    def __call__(self, outputs, labels: torch.Tensor, num_items_in_batch=None) -> torch.Tensor:  # type: ignore[no-untyped-def]
        """``outputs.logits`` (rows, tokens, vocabulary) against ``labels`` (rows, tokens), -100 being passed over."""
        targets = labels[:, 1:]
        losses = functional.cross_entropy(
            outputs.logits[:, :-1].float().transpose(1, 2), targets, ignore_index=IGNORED, reduction="none"
        )
        weights = answer_weights(targets, self.opening_weight, self.topics, self.topic_weight)
        return (losses * weights).sum() / weights.sum()


def often_enough(families: Sequence[Family], least: int) -> list[Family]:
    """``families``, each as many times as it takes not to have much fewer than ``least`` prompts."""
    return [family for family in families for _ in range(max(1, least // len(family.prompts)))]


def main(argv: list[str] | None = None) -> None:
    config = _parse(argv)
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    print(json.dumps(asdict(config), ensure_ascii=False, indent=1))

    tokenizer = AutoTokenizer.from_pretrained(config.base)
    families = load_families(Path(config.conversations))
    values = load_values(Path(config.values))
    pairs = training_pairs(
        often_enough(families, config.least),
        values,
        config.rounds,
        config.seed,
        slot_fills=config.slot_fills,
        invented=config.invented,
    )
    print(f"families {len(families):,}, prompts {sum(len(f.prompts) for f in families):,}, pairs {len(pairs):,}")

    cuda = torch.cuda.is_available()
    model = AutoModelForCausalLM.from_pretrained(
        config.base,
        dtype=torch.bfloat16 if cuda else torch.float32,
        attn_implementation="sdpa" if cuda else "eager",  # eager is faster for short rows on a CPU
    )
    model = get_peft_model(
        model,
        LoraConfig(
            task_type="CAUSAL_LM",
            r=config.rank,
            lora_alpha=config.alpha,
            lora_dropout=config.dropout,
            target_modules=list(config.targets),
            init_lora_weights="gaussian",
        ),
    )
    model.print_trainable_parameters()
    work = out / "checkpoints"
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            **trainer_settings(
                config.seed,
                output_dir=str(work),
                num_train_epochs=1,  # the rounds are in the data
                max_steps=config.max_steps,
                per_device_train_batch_size=config.batch,
                gradient_accumulation_steps=config.accumulate,
                learning_rate=config.learning_rate,
                warmup_steps=0.03,  # a share of all steps
                logging_steps=25,
                save_steps=200,
                remove_unused_columns=False,
                train_sampling_strategy="group_by_length",  # rows of like length waste little on padding
            )
        ),
        train_dataset=AnswerRows(pairs, tokenizer, config.opening_share, config.noise, config.cuts, config.seed),
        compute_loss_func=AnswerLoss(config.opening_weight, list(topic_ids(tokenizer).values()), config.topic_weight),
        data_collator=Padding(tokenizer.pad_token_id or tokenizer.eos_token_id),
    )
    trainer.train(resume_from_checkpoint=last_checkpoint(work))
    if trainer.is_world_process_zero():
        save_adapter(model, tokenizer, config, out)
        print(f"saved {out}")


def save_adapter(model: torch.nn.Module, tokenizer: PreTrainedTokenizerBase, config: AdapterConfig, out: Path) -> None:
    """Writes the adapter (fp16), its tokenizer, how to sample from it and how it was made."""
    model.to(torch.float16).save_pretrained(str(out))
    save_tokenizer(tokenizer, out)
    (out / "README.md").unlink(missing_ok=True)  # peft's template says nothing about this model
    written = out / "adapter_config.json"
    fields = json.loads(written.read_text(encoding="utf-8"))
    fields["base_model_name_or_path"] = Path(config.base).name  # no path of the machine that trained it
    written.write_text(json.dumps(fields, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    sampling = {
        "do_sample": True,
        "temperature": config.temperature,
        "top_p": config.top_p,
        "opening_temperature": config.opening_temperature,
        "classifier_weight": config.classifier_weight,
    }
    (out / "generation_config.json").write_text(json.dumps(sampling, indent=2) + "\n", encoding="utf-8")
    made = replace(config, conversations="", values="", base=Path(config.base).name, out="")
    (out / "adapter_training.json").write_text(
        json.dumps({k: v for k, v in asdict(made).items() if v != ""}, ensure_ascii=False, indent=1) + "\n",
        encoding="utf-8",
    )


def _parse(argv: list[str] | None) -> AdapterConfig:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True, help="folder of the base model")
    for name, kind in AdapterConfig.__annotations__.items():
        flag = f"--{name.replace('_', '-')}"
        if name == "targets":
            parser.add_argument(flag, nargs="+")
        elif name != "base":
            parser.add_argument(flag, type={"int": int, "float": float}.get(kind, str))
    given = {name: value for name, value in vars(parser.parse_args(argv)).items() if value is not None}
    if "targets" in given:
        given["targets"] = tuple(given["targets"])
    config_file = Path(given["base"]) / "config.json"
    if not config_file.is_file():
        parser.error(f"no config.json in {given['base']}: put the base model there first")
    small = json.loads(config_file.read_text(encoding="utf-8")).get("hidden_size", _SMALL) < _SMALL
    return replace(AdapterConfig(base=given["base"]), **{**(EMBEDDED if small else {}), **given})


if __name__ == "__main__":
    main()
