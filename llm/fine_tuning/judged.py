"""Replies of the embedded model that a person judged, one by one: does the reply fit what was said?

    python -m llm.fine_tuning.judged [--judged FILE]

``judged_replies.jsonl`` holds for each the prompt (of the everyday evaluation prompts), the memory before it if any,
her reply, whether it ``fits``, and where it does not, ``why``. Knows no model.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

JUDGED = Path(__file__).parent / "judged_replies.jsonl"


@dataclass(frozen=True)
class Verdict:
    """One judged reply."""

    prompt: str
    reply: str
    fits: bool
    why: str = ""


def load_verdicts(path: Path = JUDGED) -> list[Verdict]:
    """Every verdict of the file.

    Raises:
        ValueError: a line that is no verdict, or one that does not fit and does not say why; with its number.
    """
    verdicts = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fields = json.loads(line)
        try:
            verdict = Verdict(fields["prompt"], fields["reply"], fields["fits"], fields.get("why", ""))
        except KeyError as error:
            raise ValueError(f"{path.name}:{number}: no {error}") from error
        if not isinstance(verdict.fits, bool) or not (verdict.fits or verdict.why):
            raise ValueError(f"{path.name}:{number}: fits is true or false, and where it is false, why")
        verdicts.append(verdict)
    return verdicts


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judged", type=Path, default=JUDGED, help="file of the verdicts")
    verdicts = load_verdicts(parser.parse_args(argv).judged)
    for verdict in verdicts:
        if not verdict.fits:
            print(f"{verdict.prompt} -> {verdict.reply}  ({verdict.why})")
    share = 100 * sum(verdict.fits for verdict in verdicts) / max(1, len(verdicts))
    print(f"| judged to fit the prompt ({len(verdicts)}) | {share:.0f} % |")


if __name__ == "__main__":
    main()
