"""Averages the weights of two retrievers of one training, which finds unseen keys better than either of them does.

    python -m llm.memory_mechanism.average_retrievers --first FOLDER --second FOLDER --share 0.33 --out FOLDER

The second one has to be trained on from the first or from its kin: only then does the mean of their weights mean
anything (Wortsman et al. 2022, "Model soups"). The threshold is chosen anew. Knows no training data but the validation
part.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer

from llm.memory_mechanism.train_retriever import CONFIG_FILE, save, store_threshold


def average(first: SentenceTransformer, second: SentenceTransformer, share: float) -> SentenceTransformer:
    """``second`` with ``share`` (0 to 1) of the weights of ``first``.

    Raises:
        ValueError: the two have other weights, or other shapes of them.
    """
    weights, others = second.state_dict(), first.state_dict()
    differing = [name for name in weights.keys() | others.keys() if _shape(weights, name) != _shape(others, name)]
    if differing:
        raise ValueError(f"두 모델의 구조가 달라요: {min(differing)} 등 {len(differing)}개")
    second.load_state_dict({name: torch.lerp(w, others[name], share) for name, w in weights.items()})
    return second


def _shape(weights: dict[str, torch.Tensor], name: str) -> torch.Size | None:
    return weights[name].shape if name in weights else None


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=Path, required=True, help="sentence-transformers folder")
    parser.add_argument("--second", type=Path, required=True, help="another, trained on from it or from its kin")
    parser.add_argument("--share", type=float, default=0.33, help="how much the first one counts, 0 to 1")
    parser.add_argument("--out", type=Path, required=True, help="folder of the model that is made")
    options = parser.parse_args(argv)
    if not 0 <= options.share <= 1:
        parser.error("--share 는 0에서 1 사이여야 해요")
    if not (options.second / CONFIG_FILE).is_file():
        parser.error(f"{options.second / CONFIG_FILE} 파일이 없어요")
    first, second = (
        SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        for folder in (options.first, options.second)
    )
    config = json.loads((options.second / CONFIG_FILE).read_text(encoding="utf-8"))
    save(average(first, second, options.share), options.out)
    config |= {"averaged_share": options.share}
    (options.out / CONFIG_FILE).write_text(json.dumps(config, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(store_threshold(options.out, config["keys_kept"]))
    print(f"saved {options.out}")


if __name__ == "__main__":
    main()
