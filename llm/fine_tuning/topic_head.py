"""Which family is this prompt of? A second task that a model learns beside its answers, and then forgets.

A family's replies begin in many ways, so their tokens alone are a faint sign of what the prompts have in common. The
head tells a middle layer directly. It is part of the model while that trains, and of no model that is saved.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional
from transformers import GPTNeoXForCausalLM, PreTrainedTokenizerBase

from llm.fine_tuning.answers import IGNORED, AnswerRows, Padding, prompt_ends
from llm.fine_tuning.conversations import Pair

_ABOVE = 2  # layers that are left to turn what was understood into words
_BATCH = 128


def add_topic_head(model: GPTNeoXForCausalLM, topics: int) -> None:
    """Gives ``model`` a ``topic_head``: hidden width -> ``topics`` scores."""
    model.topic_head = torch.nn.Linear(model.config.hidden_size, topics)


def remove_topic_head(model: GPTNeoXForCausalLM) -> None:
    """Leaves ``model`` as ``transformers`` builds it."""
    del model.topic_head


def topic_scores(model: GPTNeoXForCausalLM, states: Sequence[torch.Tensor], ends: torch.Tensor) -> torch.Tensor:
    """Scores (rows, topics) from what stands at the ``ends`` (rows,) of the prompts.

    ``states`` are the model's ``hidden_states``, each (rows, tokens, width): the embeddings, then every layer's.
    """
    middle = states[max(0, len(states) - 1 - _ABOVE)]
    return model.topic_head(middle[torch.arange(len(ends)), ends]).float()


def topic_loss(scores: torch.Tensor, topic: torch.Tensor) -> torch.Tensor:
    """Mean cross entropy over the rows that have a topic; 0 where none has."""
    known = topic != IGNORED
    if not known.any():
        return scores.sum() * 0.0
    return functional.cross_entropy(scores[known], topic[known])


@torch.inference_mode()
def topic_accuracy(
    model: GPTNeoXForCausalLM, tokenizer: PreTrainedTokenizerBase, pairs: Sequence[Pair], topics: dict[str, int]
) -> float:
    """Share (0 to 1) of the ``pairs`` whose family the head names from the prompt."""
    rows = AnswerRows(pairs, tokenizer, topics=topics)
    pad = Padding(tokenizer.pad_token_id)
    training, right = model.training, 0
    model.eval()
    order = sorted(range(len(rows)), key=lambda index: len(rows.prompts[index]))
    for start in range(0, len(order), _BATCH):
        batch = pad([rows[index] for index in order[start : start + _BATCH]])
        batch = {name: tensor.to(model.device) for name, tensor in batch.items()}
        states = model.gpt_neox(input_ids=batch["input_ids"], use_cache=False, output_hidden_states=True).hidden_states
        scores = topic_scores(model, states, prompt_ends(batch["labels"]))
        right += int((scores.argmax(dim=1) == batch["topic"]).sum())
    model.train(training)
    return right / max(1, len(rows))
