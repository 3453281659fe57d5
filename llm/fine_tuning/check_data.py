"""Proves that no evaluation prompt or value is in the training data.

    python -m llm.fine_tuning.check_data

Prints every overlap and exits 1 if there is one. Prompts are compared without blanks and punctuation.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from llm.fine_tuning.conversations import CONVERSATIONS, VALUES, Family, load_families, load_values
from llm.memory_mechanism.memory import Memory, split_leading_memories

EVALUATION = Path(__file__).parent / "evaluation"
_PUNCTUATION = re.compile(r"[\s.,!?~…·'\"]+")
_CALLED = re.compile(r"^(?:오?로라야)")
_SLOT = re.compile(r"\{(\w+)\}(?:\([가-힣]*/[가-힣]*\))?")


def normal(prompt: str) -> str:
    """``prompt`` without blanks, punctuation and her name in front."""
    return _CALLED.sub("", _PUNCTUATION.sub("", prompt.lower()))


def evaluation_lines(folder: Path = EVALUATION) -> Iterator[tuple[str, dict]]:
    """(file name, fields) of every evaluation line."""
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                yield path.name, json.loads(line)


def overlaps(families: list[Family], values: dict[str, list[str]], folder: Path = EVALUATION) -> list[str]:
    """One line for each evaluation prompt or value that training holds."""
    fixed, templates = set(), []
    for family in families:
        for prompt in family.prompts:
            text = split_leading_memories(prompt)[1]
            if "{" in text:
                templates.append((_template(text), _SLOT.findall(text)))
            else:
                fixed.add(normal(text))
    known = {value for slot in values.values() for value in slot}
    fills = {slot: {normal(value) for value in slot_values} for slot, slot_values in values.items()}
    found = []
    for name, fields in evaluation_lines(folder):
        prompt = normal(fields["prompt"])
        if prompt in fixed:
            found.append(f"{name}: prompt {fields['prompt']!r} is a training prompt")
        for template, slots in templates:
            match = template.fullmatch(prompt)
            if match and all(value in fills[slot] for slot, value in zip(slots, match.groups(), strict=True)):
                found.append(f"{name}: prompt {fields['prompt']!r} is a training prompt with a training value")
                break
        memory = Memory.parse(fields.get("memory", ""))
        if memory and memory.value in known:
            found.append(f"{name}: value {memory.value!r} is a training value")
    return found


def _template(prompt: str) -> re.Pattern[str]:
    parts = _SLOT.split(prompt)  # text, slot, text, slot, …: a particle pair is swallowed with its slot
    return re.compile("".join("(.+)[가-힣]{0,3}?" if i % 2 else re.escape(normal(p)) for i, p in enumerate(parts)))


def main() -> int:
    families = load_families(CONVERSATIONS)
    found = overlaps(families, load_values(VALUES))
    for line in found:
        print(line)
    prompts = sum(len(family.prompts) for family in families)
    print(
        f"training prompts {prompts:,}, evaluation lines {sum(1 for _ in evaluation_lines()):,}, overlaps {len(found)}"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
