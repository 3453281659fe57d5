"""The chunked loss and its gradients against the plain definition."""

import torch
from torch.nn import functional

from llm.fine_tuning.chunked_loss import _CHUNK, chunked_cross_entropy


def test_equals_the_plain_weighted_cross_entropy_and_its_gradients():
    torch.manual_seed(0)
    tokens, width, vocabulary = 2 * _CHUNK + 3, 8, 21
    hidden = torch.randn(tokens, width, requires_grad=True)
    embedding = torch.randn(vocabulary, width, requires_grad=True)
    targets = torch.randint(vocabulary, (tokens,))
    weights = torch.rand(tokens)

    plain = functional.cross_entropy(hidden @ embedding.t(), targets, reduction="none") @ weights / weights.sum()
    wanted = torch.autograd.grad(3 * plain, (hidden, embedding))
    loss = chunked_cross_entropy(hidden, embedding, targets, weights)
    found = torch.autograd.grad(3 * loss, (hidden, embedding))

    torch.testing.assert_close(loss, plain)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other)


def test_a_token_of_weight_zero_changes_nothing():
    hidden, embedding = torch.randn(3, 4), torch.randn(5, 4)
    weights = torch.tensor([1.0, 0.0, 1.0])
    first = chunked_cross_entropy(hidden, embedding, torch.tensor([1, 2, 3]), weights)
    second = chunked_cross_entropy(hidden, embedding, torch.tensor([1, 4, 3]), weights)
    torch.testing.assert_close(first, second)
