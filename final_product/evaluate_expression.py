"""How often the face fits: the published rules and what is read from the reply, side by side.

python -m final_product.evaluate_expression

On the 300 replies of ``llm/expressions/labelled/evaluation.tsv``. The rules give scores, not names: theirs count as the
named expression whose scores are nearest, and once more as favourably as can be, each of their outcomes standing for
the expression that it most often means in the replies that the classifier was fitted on.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from final_product.expression import expression_of
from final_product.model_store import expression_folders
from final_product.named_expressions import NAME_OF_EXPRESSION, nearest_expression
from llm.expressions.labelled import Labelled, load_labelled

ROOT = Path(__file__).resolve().parent.parent


def rule_scores(reply: str) -> tuple[float, float, float]:
    """Eyes, mouth and pose by the published rules."""
    face = expression_of(reply)
    return face.eyes, round(face.mouth, 4), face.pose


def by_rules(reply: str) -> str:
    """The expression nearest to what the rules give."""
    return nearest_expression(*rule_scores(reply))


def by_rules_at_best(rows: Sequence[Labelled]) -> Callable[[str], str]:
    """The rules, each outcome read as the expression that it most often means in ``rows``."""
    meant: defaultdict[tuple[float, float, float], Counter[str]] = defaultdict(Counter)
    for row in rows:
        meant[rule_scores(row.reply)][row.expression] += 1

    def expression(reply: str) -> str:
        scores = rule_scores(reply)
        return meant[scores].most_common(1)[0][0] if scores in meant else nearest_expression(*scores)

    return expression


def table(rows: Sequence[Labelled], ways: dict[str, Sequence[str]]) -> str:
    """A Markdown table: for each expression the share of its replies that each way reads right, and overall.

    Args:
        rows: the labelled replies.
        ways: name -> what that way reads from each of them.
    """
    lines = [f"| 표정 | 답 | {' | '.join(ways)} |", f"|---|---|{'---|' * len(ways)}"]
    for expression, name in NAME_OF_EXPRESSION.items():
        places = [place for place, row in enumerate(rows) if row.expression == expression]
        if places:
            shares = (sum(found[place] == expression for place in places) / len(places) for found in ways.values())
            lines.append(f"| {name} ({expression}) | {len(places)} | {' | '.join(f'{s:.1%}' for s in shares)} |")
    truth = [row.expression for row in rows]
    accuracies = [sum(a == b for a, b in zip(found, truth, strict=True)) / len(rows) for found in ways.values()]
    lines.append(f"| **모두** | {len(rows)} | {' | '.join(f'**{a:.1%}**' for a in accuracies)} |")
    lines.append(f"| F1의 평균 | | {' | '.join(f'{mean_f1(truth, found):.3f}' for found in ways.values())} |")
    return "\n".join(lines)


def mean_f1(truth: Sequence[str], found: Sequence[str]) -> float:
    """The mean over the expressions that occur of the harmonic mean of precision and recall."""
    scores = []
    for expression in sorted(set(truth)):
        both = sum(a == b == expression for a, b in zip(truth, found, strict=True))
        scores.append(2 * both / (list(truth).count(expression) + list(found).count(expression)))
    return sum(scores) / len(scores)


def main() -> None:
    parser = argparse.ArgumentParser(description="답에 어울리는 표정을 얼마나 맞히는지 잽니다.")
    parser.add_argument("--wrong", action="store_true", help="틀린 답도 보여 줍니다")
    args = parser.parse_args()

    from llm.expressions.labelled import EXPRESSIONS
    from llm.expressions.reader import ExpressionReader

    reader = ExpressionReader.load(*expression_folders(ROOT))
    rows = load_labelled("evaluation")
    replies = [row.reply for row in rows]
    known = load_labelled("training") + load_labelled("validation")
    read = [EXPRESSIONS[place] for place in reader.probabilities(replies).argmax(axis=1)]
    ways = {
        "규칙 (가장 가까운 표정)": [by_rules(reply) for reply in replies],
        "규칙 (가장 유리하게)": [by_rules_at_best(known)(reply) for reply in replies],
        "답에서 읽기": read,
    }
    print(table(rows, ways))
    start = time.perf_counter()
    for reply in replies[:50]:
        reader.read(reply)
    print(f"\n답 하나 읽기: {(time.perf_counter() - start) / 50 * 1000:.1f} ms")
    if args.wrong:
        for row, found in zip(rows, read, strict=True):
            if row.expression != found:
                print(f"{NAME_OF_EXPRESSION[row.expression]} -> {NAME_OF_EXPRESSION[found]}: {row.reply}")


if __name__ == "__main__":
    main()
