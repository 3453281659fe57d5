"""Gives a base more layers without changing what it says, so that a larger one goes on from what it has learned.

    python -m llm.fine_tuning.deepen_base --base FOLDER --layers 8 --out FOLDER

The new layers stand at even distances. Each is a copy of the one before it whose two outputs are set to zero: it adds
nothing until it is trained (Wu et al. 2024, "LLaMA Pro: Progressive LLaMA with Block Expansion"). Knows no data.
"""

from __future__ import annotations

import argparse
import copy
import shutil
from pathlib import Path

import torch
from transformers import GPTNeoXForCausalLM, PreTrainedTokenizerFast

from llm.fine_tuning.train_talk import CONFIG_FILE
from llm.training import save_tokenizer


def deepen(model: GPTNeoXForCausalLM, layers: int) -> None:
    """Adds layers to ``model``, in place, until it has ``layers``; it computes what it computed.

    Raises:
        ValueError: it has as many already, or would need more than one new layer behind each of its own.
    """
    own = list(model.gpt_neox.layers)
    new = layers - len(own)
    if not 0 < new <= len(own):
        some = f"{len(own) + 1}개에서 {2 * len(own)}개까지"
        raise ValueError(f"층이 {len(own)}개인 모델은 {some}로 늘릴 수 있어요: {layers}")
    ends = {len(own) * (number + 1) // new for number in range(new)}  # of the stretches that a new layer follows
    grown = []
    for number, layer in enumerate(own, start=1):
        grown.append(layer)
        if number in ends:
            grown.append(_silent(layer))
    for number, layer in enumerate(grown):
        layer.attention.layer_idx = number
    model.gpt_neox.layers = torch.nn.ModuleList(grown)
    model.config.num_hidden_layers = layers


def _silent(layer: torch.nn.Module) -> torch.nn.Module:
    """A copy of ``layer`` that adds zero to what passes through it."""
    new = copy.deepcopy(layer)
    for output in (new.attention.dense, new.mlp.dense_4h_to_h):
        torch.nn.init.zeros_(output.weight)
        torch.nn.init.zeros_(output.bias)
    return new


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, required=True, help="folder of the base")
    parser.add_argument("--layers", type=int, required=True, help="how many the new one has")
    parser.add_argument("--out", type=Path, required=True, help="folder of the model that is made")
    options = parser.parse_args(argv)
    model = GPTNeoXForCausalLM.from_pretrained(options.base, dtype=torch.float32, local_files_only=True)
    try:
        deepen(model, options.layers)
    except ValueError as error:
        parser.error(str(error))
    save_tokenizer(PreTrainedTokenizerFast.from_pretrained(options.base), options.out)
    model.to(torch.float16).save_pretrained(options.out)
    if (options.base / CONFIG_FILE).is_file():
        shutil.copy(options.base / CONFIG_FILE, options.out)
    print(f"saved {options.out}")


if __name__ == "__main__":
    main()
