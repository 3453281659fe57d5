"""Topics: tokens of a model that say what a reply is about, one for each family of the conversations.

A family's replies begin in many ways, so their first tokens alone are a faint sign of what its prompts have in common,
and a small model that starts a sentence before it has settled on its subject seldom ends it well. With topics it
answers two easy questions in place of a hard one: what is this about, and what does one say to that? ``llm.prompt``
names them; ``llm.language_model`` chooses the likeliest one first and shows none.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from llm.fine_tuning.conversations import Family, Pair
from llm.prompt import OTHER_TOPIC, is_topic, render_prompt, topic_family, topic_token

_BATCH = 128
_SEED = 20261


def add_topics(tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel, families: Sequence[Family]) -> None:
    """Gives both the topics of ``families`` that they lack.

    A new one's embedding is drawn at random, and is the same whenever the same topics are added: models that learn them
    apart may be averaged.
    """
    topics = [topic_token(family.name, writes=family.save is not None) for family in families]
    tokenizer.add_tokens([OTHER_TOPIC, *topics], special_tokens=True)
    if len(tokenizer) > model.config.vocab_size:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_SEED)
            model.resize_token_embeddings(len(tokenizer), mean_resizing=False)


def topic_ids(tokenizer: PreTrainedTokenizerBase) -> dict[str, int]:
    """Family -> token id of its topic; empty for a tokenizer without topics."""
    return {topic_family(token): number for token, number in tokenizer.get_added_vocab().items() if is_topic(token)}


@torch.inference_mode()
def topic_accuracy(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, pairs: Sequence[Pair]) -> float:
    """Share (0 to 1) of the ``pairs`` whose family's topic is the likeliest after their prompts."""
    topics = topic_ids(tokenizer)
    numbers = torch.tensor(list(topics.values()), device=model.device)
    training, right = model.training, 0
    model.eval()
    rows = [
        (tokenizer(render_prompt(pair.prompt, pair.memory), add_special_tokens=False)["input_ids"], pair.family)
        for pair in pairs
    ]
    rows.sort(key=lambda row: len(row[0]))  # prompts of like length waste little on padding
    for start in range(0, len(rows), _BATCH):
        ids, families = zip(*rows[start : start + _BATCH], strict=True)
        longest = max(map(len, ids))
        padded = torch.tensor([row + [0] * (longest - len(row)) for row in ids], device=model.device)
        # padding stands on the right, where causal attention never looks
        hidden = model.base_model(input_ids=padded, use_cache=False).last_hidden_state
        ends = hidden[torch.arange(len(ids)), torch.tensor([len(row) - 1 for row in ids])]
        likeliest = numbers[model.get_output_embeddings()(ends)[:, numbers].argmax(dim=1)].tolist()
        right += sum(found == topics[family] for found, family in zip(likeliest, families, strict=True))
    model.train(training)
    return right / max(1, len(rows))
