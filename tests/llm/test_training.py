"""What the training scripts share: the mean of two models' weights, and its options."""

import argparse

import pytest
import torch

from llm.training import add_average_options, average


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
