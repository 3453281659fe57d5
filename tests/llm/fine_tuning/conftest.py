"""A folder with the public corpora's files, holding a few sentences of our own."""

import csv
import lzma

import pytest

SENTENCES = [
    f"{who} {what} {how}" for who in ("나는", "우리는") for what in ("밥을", "책을") for how in ("봐", "사자", "줘")
]


@pytest.fixture(scope="session")
def corpus_folder(tmp_path_factory):
    """The corpus' files with a few sentences of our own."""
    folder = tmp_path_factory.mktemp("corpus")
    with (folder / "chatbot_data.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("Q", "A", "label"), *((s, "그래요.", 0) for s in SENTENCES)])
    (folder / "3i4k_fci.tsv").write_text("".join(f"1\t{s}\n" for s in SENTENCES * 3), encoding="utf-8")
    (folder / "parakqc_v1.tsv").write_text("".join(f"0\t0\t{s}\n" for s in SENTENCES), encoding="utf-8")
    with lzma.open(folder / "nsmc_positive_reviews.txt.xz", "wt", encoding="utf-8") as file:
        file.write("\n".join(SENTENCES))
    return folder
