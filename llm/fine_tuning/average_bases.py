"""Averages the weights of two bases of one training, which tells the topics of unseen prompts better than either does.

    python -m llm.fine_tuning.average_bases --first FOLDER --second FOLDER --share 0.5 --out FOLDER

The second one has to be trained on from the first, or both from a third, with the same tokenizer. Then how many of the
kept prompts' families are told is said. Knows no training data but the kept prompts.
"""

from __future__ import annotations

import argparse
import json

import torch
from transformers import GPTNeoXForCausalLM, PreTrainedTokenizerFast

from llm.fine_tuning.conversations import keep_prompts, kept_pairs, load_families
from llm.fine_tuning.topics import topic_accuracy, topic_ids
from llm.fine_tuning.train_talk import CONFIG_FILE
from llm.training import average_or_end, read_average_options, save_tokenizer


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options, config = read_average_options(parser, "transformers", CONFIG_FILE, argv)
    first, second = (
        GPTNeoXForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
        for folder in (options.first, options.second)
    )
    words, others = (PreTrainedTokenizerFast.from_pretrained(folder) for folder in (options.first, options.second))
    if words.get_vocab() != others.get_vocab():
        parser.error("두 모델의 토크나이저가 달라요")
    average_or_end(parser, first, second, options.share)
    topics = topic_ids(words)
    _, kept = keep_prompts(load_families(), config["kept_prompts"])
    asked = [pair for pair in kept_pairs(kept, config["seed"]) if pair.family in topics]
    print(f"families of {len(asked):,} kept prompts told {topic_accuracy(second.eval(), words, asked):.3f}")
    save_tokenizer(words, options.out)
    second.to(torch.float16).save_pretrained(options.out)
    (options.out / CONFIG_FILE).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    print(f"saved {options.out}")


if __name__ == "__main__":
    main()
