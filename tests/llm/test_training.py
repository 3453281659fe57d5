"""What the training scripts share: the mean of two models' weights, its options, and how a tokenizer is saved."""

import argparse

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from llm.training import add_average_options, average, save_tokenizer
from tests.tiny_models import tokenizer


def test_the_mean_of_two_models_lies_between_them():
    first, second = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    wanted = 0.25 * first.weight.detach() + 0.75 * second.weight.detach()
    average(first, second, 0.25)
    torch.testing.assert_close(second.weight.detach(), wanted)


def test_models_of_other_shapes_have_no_mean():
    with pytest.raises(ValueError, match="구조가 달라요: bias 등 2개"):
        average(torch.nn.Linear(2, 2), torch.nn.Linear(2, 3), 0.5)


def test_a_share_is_a_number_between_0_and_1(tmp_path):
    parser = argparse.ArgumentParser()
    add_average_options(parser, "transformers")
    folders = ["--first", "a", "--second", "b", "--out", "c"]
    assert parser.parse_args([*folders, "--share", "0.5"]).share == 0.5
    for share in ("-0.1", "1.5", "반"):
        with pytest.raises(SystemExit):
            parser.parse_args([*folders, "--share", share])


def test_a_tokenizer_is_saved_in_one_line_and_stays_what_it_is(tmp_path):
    words = tokenizer()
    words.save_pretrained(tmp_path / "indented")
    save_tokenizer(words, tmp_path / "ours")
    files = [tmp_path / folder / "tokenizer.json" for folder in ("indented", "ours")]
    assert files[1].read_bytes().count(b"\n") == 1 and files[1].stat().st_size < files[0].stat().st_size
    text = "오로라야, 내일 뭐 해? ㅋㅋ"
    loaded = PreTrainedTokenizerFast.from_pretrained(tmp_path / "ours")
    assert loaded(text)["input_ids"] == words(text)["input_ids"] and len(loaded) == len(words)
