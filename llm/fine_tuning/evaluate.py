"""Measures the language model's replies on hand-written prompts that training never saw.

    python -m llm.fine_tuning.evaluate [--model FOLDER] [--samples 4] [--out REPLIES.jsonl]

Goes the product's own way (prompt, decoding, reply parser), retrieval aside: the memory is given. Prints a table and,
with ``--out``, writes every reply so that a person can read them.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from tqdm import tqdm

from llm.fine_tuning.check_data import EVALUATION
from llm.language_model import LanguageModel
from llm.prompt import render_prompt
from llm.reply import Reply, stream_reply

MODEL = Path("llm/models/embedded/adapter")
MAX_TOKENS = 40
SHARED_CHARACTERS = 30

_ENDS = re.compile(r"[.!?~…)ㅋㅎㅠ]$|[\U0001F000-\U0001FAFF\u2600-\u27BF]\ufe0f?$")
_HANGUL = re.compile(r"[가-힣]")
_STRAY = re.compile(
    r"[^가-힣ㄱ-ㅎㅏ-ㅣA-Za-z0-9 .,!?~…'%+\-/=×:()ㆍ\u200d\u2640\ufe0f\u2600-\u27BF\U0001F000-\U0001FAFF]"
)


@dataclass(frozen=True)
class Sample:
    """One reply to one evaluation line."""

    group: str
    prompt: str
    memory: str | None
    reply: Reply
    tokens: int
    passed: bool | None


def well_formed(text: str, tokens: int) -> bool:
    """A Hangul sentence that is ended, with no marker, no stray symbol, no repeated phrase, at most 40 tokens."""
    return bool(
        _HANGUL.search(text) and _ENDS.search(text) and not _STRAY.search(text) and tokens <= MAX_TOKENS
    ) and not repeats_phrase(text)


def repeats_phrase(text: str, words: int = 3) -> bool:
    """Whether a run of ``words`` words comes twice, or one word three times in a row."""
    said = text.split()
    runs = [tuple(said[i : i + words]) for i in range(len(said) - words + 1)]
    return len(runs) != len(set(runs)) or any(said[i] == said[i + 1] == said[i + 2] for i in range(len(said) - 2))


def passes(group: str, fields: dict, reply: Reply) -> bool | None:
    """Whether ``reply`` does what the line of ``group`` asks for; None where only a person can tell."""
    if group == "persona":
        return any(r in reply.text for r in fields["right"]) and not any(w in reply.text for w in fields["wrong"])
    if group == "use_memory":
        return any(part in reply.text for part in fields["expect"])
    if group == "write_memory":
        return any(
            memory.key in fields["key"] and any(part in memory.value for part in fields["value"])
            for memory in reply.memories
        )
    if group == "no_memory":
        return not reply.memories
    return None


def answer(model: LanguageModel, prompt: str, memory: str | None, generator: torch.Generator) -> Reply:
    """One reply by the product's own path."""
    rendered = render_prompt(prompt, memory)
    stream = stream_reply(lambda: model.stream(rendered, generator=generator))
    while True:
        try:
            next(stream)
        except StopIteration as end:
            return end.value


def run(model: LanguageModel, folder: Path, samples: int, seed: int) -> list[Sample]:
    """``samples`` replies to every line of every evaluation file."""
    generator = torch.Generator().manual_seed(seed)
    lines = [
        (path.stem, json.loads(line))
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]
    found = []
    for group, fields in tqdm(lines, desc="evaluate"):
        for _ in range(samples):
            reply = answer(model, fields["prompt"], fields.get("memory"), generator)
            found.append(
                Sample(
                    group,
                    fields["prompt"],
                    fields.get("memory"),
                    reply,
                    model.count_tokens(reply.text),
                    passes(group, fields, reply),
                )
            )
    return found


def shares_with(texts: Iterable[str], corpus: Iterable[str], length: int = SHARED_CHARACTERS) -> int:
    """How many of ``texts`` have ``length`` characters in a row that a line of ``corpus`` has too."""
    runs = {text[i : i + length] for text in texts for i in range(len(text) - length + 1)}
    shared = {line[i : i + length] for line in corpus for i in range(len(line) - length + 1)} & runs
    return sum(any(run in text for run in shared) for text in texts)


def table(samples: Sequence[Sample], per_line: int) -> list[tuple[str, str]]:
    """(figure, value) rows."""
    titles = {
        "persona": "persona: the right fact, no wrong one",
        "use_memory": "given memory used when asked",
        "write_memory": "right key and value written",
        "no_memory": "no memory written",
    }
    rows = []
    for group, title in titles.items():
        judged = [s.passed for s in samples if s.group == group]
        if judged:
            rows.append((f"{title} ({len(judged)})", f"{100 * sum(map(bool, judged)) / len(judged):.1f} %"))
    formed = sum(well_formed(s.reply.text, s.tokens) for s in samples)
    rows.append((f"well formed ({len(samples)})", f"{100 * formed / len(samples):.1f} %"))
    groups = [samples[i : i + per_line] for i in range(0, len(samples), per_line)]
    distinct = sum(len({s.reply.text for s in group}) for group in groups) / len(groups)
    rows.append((f"distinct replies among {per_line}, mean", f"{distinct:.2f}"))
    return rows


def speed(model: LanguageModel, seconds: float = 10.0) -> float:
    """Tokens a second through ``LanguageModel.stream``."""
    generator = torch.Generator().manual_seed(0)
    prompt = render_prompt("오늘 뭐 했어?")
    "".join(model.stream(prompt, generator=generator))
    tokens, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        tokens += model.count_tokens("".join(model.stream(prompt, generator=generator)))
    return tokens / (time.perf_counter() - start)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=MODEL, help="folder of the adapter or model")
    parser.add_argument("--data", type=Path, default=EVALUATION, help="folder of the evaluation files")
    parser.add_argument("--samples", type=int, default=4, help="replies to each prompt")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--corpus", type=Path, help="folder of the public corpora: counts replies that repeat them")
    parser.add_argument("--out", type=Path, help="file that every reply is written to")
    options = parser.parse_args(argv)
    model = LanguageModel.load(options.model, device=options.device)
    samples = run(model, options.data, options.samples, options.seed)
    if options.out:
        with options.out.open("w", encoding="utf-8") as file:
            for sample in samples:
                fields = asdict(sample)
                fields["reply"] = sample.reply.text
                fields["memories"] = [str(memory) for memory in sample.reply.memories]
                file.write(json.dumps(fields, ensure_ascii=False) + "\n")
    rows = table(samples, options.samples)
    if options.corpus:
        from llm.fine_tuning import corpus

        lines = [text for pair in corpus.dialogues(options.corpus) for text in pair]
        lines += corpus.utterances(options.corpus) + corpus.all_reviews(options.corpus)
        shared = shares_with([sample.reply.text for sample in samples], lines)
        rows.append((f"replies that share {SHARED_CHARACTERS} characters with the corpora", str(shared)))
    rows.append(("tokens a second", f"{speed(model):.0f}"))
    for title, value in rows:
        print(f"| {title} | {value} |")


if __name__ == "__main__":
    main()
