"""What can go wrong with her language and her memory, each with the line that the user sees."""


class LlmError(Exception):
    """Base of this room's errors. ``str(error)`` is one Korean line that says what to do."""


class ModelFolderError(LlmError):
    """A model folder lacks something or holds something broken."""


class PromptTooLongError(LlmError):
    """A prompt leaves no room for a reply."""

    def __init__(self, tokens: int, limit: int) -> None:
        super().__init__(
            f"말이 너무 길어서 다 읽지 못했어요 ({tokens}토큰, 최대 {limit}토큰). 조금 나눠서 말해 주세요."
        )
        self.tokens = tokens
        self.limit = limit


class MemoryFileError(LlmError):
    """The memory file cannot be read or written; what stands in it is untouched."""
