"""Speed of her replies: ``LanguageModel.stream`` against transformers' own ``generate``, in turns within one run.

python -m tests.benchmarks.decoding [--model FOLDER] [--rounds 8] [--threads 2]
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import torch

from llm.language_model import NO_REPEAT_NGRAM, LanguageModel
from llm.prompt import render_prompt

PROMPTS = ("안녕 로라야", "오늘 뭐 했어?", "나 요즘 좀 힘들어", "너 몇 살이야?", "저녁 뭐 먹을까")
TOKENS = 40  # at most, a reply


def streamed(model: LanguageModel, seed: int) -> float:
    """Tokens a second through ``stream``."""
    generator = torch.Generator().manual_seed(seed)
    tokens, start = 0, time.perf_counter()
    for prompt in PROMPTS:
        text = "".join(model.stream(render_prompt(prompt), generator=generator, max_new_tokens=TOKENS))
        tokens += model.count_tokens(text)
    return tokens / (time.perf_counter() - start)


@torch.inference_mode()
def generated(model: LanguageModel, seed: int) -> float:
    """Tokens a second through ``generate`` with the same sampling."""
    torch.manual_seed(seed)
    tokens, start = 0, time.perf_counter()
    for prompt in PROMPTS:
        ids = model.tokenizer(render_prompt(prompt), add_special_tokens=False, return_tensors="pt")
        out = model.model.generate(
            input_ids=ids["input_ids"],
            attention_mask=ids["attention_mask"],
            do_sample=True,
            temperature=model.temperature,
            top_p=model.top_p,
            top_k=0,
            no_repeat_ngram_size=NO_REPEAT_NGRAM,
            max_new_tokens=TOKENS,
            pad_token_id=model.tokenizer.pad_token_id,
        )
        tokens += out.shape[1] - ids["input_ids"].shape[1]
    return tokens / (time.perf_counter() - start)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("llm/models/embedded/adapter"))
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    model = LanguageModel.load(options.model)
    streamed(model, 0), generated(model, 0)  # the first calls set things up
    pairs = [(streamed(model, seed), generated(model, seed)) for seed in range(1, options.rounds + 1)]
    ours, plain = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(f"stream {ours:.0f} tokens/s, generate {plain:.0f} tokens/s")
    print(f"ratio {statistics.median(a / b for a, b in pairs):.2f} (median of {options.rounds})")


if __name__ == "__main__":
    main()
