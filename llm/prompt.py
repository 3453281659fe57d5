"""The one prompt format of Oh-LoRA, rendered for training and for chat.

Knows the markers and where a memory stands; knows no tokenizer and no model.

Source of the format: the published fine-tuning data of Oh-LoRA. One training text is
``{input} (답변 시작) ### 답변: {output} (답변 종료) <|endoftext|>`` and the loss starts right after ``### 답변:``,
so a chat prompt ends exactly there.

A model may know *topics*: tokens of which it writes one, unseen, before its reply, to settle what the reply is about
before how it begins (after "Guiding Language Model Reasoning with Planning Tokens", Wang et al. 2023). The embedded
model has one for each family of prompts that it was trained on; the published one has none.
"""

from __future__ import annotations

import re

ANSWER_START = "(답변 시작)"
ANSWER_PREFIX = "### 답변:"
ANSWER_END = "(답변 종료)"
END_OF_TEXT = "<|endoftext|>"
MARKERS = (ANSWER_START, ANSWER_PREFIX, ANSWER_END)

OTHER_TOPIC = "<|about_anything|>"  # of an answer that belongs to no topic of ours; she never chooses it

_SPECIAL_TEXT = re.compile(r"\(답변\s*(?:시작|종료)\)|###\s*답변:|<\|[a-z0-9_]+\|>")
_TOPIC = re.compile(r"<\|(?P<kind>about|notes)_(?P<family>[a-z0-9_]+)\|>")
_GIVEN = re.compile(r"\[([^\]]*)\] ")
_BLANKS = re.compile(r"\s+")
_EMOJI = ("\U0001f000", "\U0001faff")  # blocks of emoji: some are newer than the running Python's tables


def clean_user_text(text: str) -> str:
    """``text`` in one line, without control characters, lone surrogates and the format's own markers.

    Whoever types ``(답변 종료)`` does not end her reply with it: markers are structure, not speech.
    """
    text = _BLANKS.sub(" ", text)
    text = "".join(c for c in text if c.isprintable() or c == "\u200d" or _EMOJI[0] <= c <= _EMOJI[1])
    while _SPECIAL_TEXT.search(text):  # removing one marker may join the halves of another
        text = _SPECIAL_TEXT.sub("", text)
    return _BLANKS.sub(" ", text).strip()


def render_prompt(text: str, memory: str | None = None) -> str:
    """The text after which the model writes its reply.

    Args:
        text: what the user said.
        memory: one remembered item as ``key: value``, without brackets, or None.
    """
    item = f"[{clean_user_text(memory)}] " if memory else ""
    return f"{item}{clean_user_text(text)} {ANSWER_START} {ANSWER_PREFIX}"


def split_prompt(prompt: str) -> tuple[str | None, str]:
    """The memory, or None, and what the user said, out of what ``render_prompt`` made of them."""
    text = prompt.removesuffix(f" {ANSWER_START} {ANSWER_PREFIX}")
    given = _GIVEN.match(text)
    return (given[1], text[given.end() :]) if given else (None, text)


def render_reply(reply: str, save: str | None = None) -> str:
    """What the model is to write after ``render_prompt``: the memory to save (``key: value``), the reply, the end."""
    item = f"[{save}] " if save else ""
    return f" {item}{reply} {ANSWER_END} {END_OF_TEXT}"


def topic_token(family: str, writes: bool = False) -> str:
    """The token that stands for what the prompts of ``family`` (lower case letters, digits, ``_``) are about.

    ``writes`` says that the replies to them write a memory down.
    """
    return f"<|{'notes' if writes else 'about'}_{family}|>"


def is_topic(token: str) -> bool:
    """Whether ``token`` is one that a reply may be about."""
    return bool(_TOPIC.fullmatch(token)) and token != OTHER_TOPIC


def writes_memory(token: str) -> bool:
    """Whether ``token`` is the topic of replies that write a memory down."""
    topic = _TOPIC.fullmatch(token)
    return topic is not None and topic["kind"] == "notes"


def topic_family(token: str) -> str:
    """The family whose topic ``token`` is.

    Raises:
        ValueError: it is no topic.
    """
    topic = _TOPIC.fullmatch(token)
    if topic is None:
        raise ValueError(f"no topic: {token!r}")
    return topic["family"]
