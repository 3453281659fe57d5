"""Averages the weights of two retrievers of one training, which finds unseen keys better than either of them does.

    python -m llm.memory_mechanism.average_retrievers --first FOLDER --second FOLDER --share 0.33 --out FOLDER

The second one has to be trained on from the first or from its kin. The threshold is chosen anew. Knows no training data
but the validation part.
"""

from __future__ import annotations

import argparse
import json

from sentence_transformers import SentenceTransformer

from llm.memory_mechanism.train_retriever import CONFIG_FILE, save, store_threshold
from llm.training import average_or_end, read_average_options


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options, config = read_average_options(parser, "sentence-transformers", CONFIG_FILE, argv)
    first, second = (
        SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        for folder in (options.first, options.second)
    )
    average_or_end(parser, first, second, options.share)
    save(second, options.out)
    (options.out / CONFIG_FILE).write_text(json.dumps(config, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(store_threshold(options.out, config["keys_kept"]))
    print(f"saved {options.out}")


if __name__ == "__main__":
    main()
