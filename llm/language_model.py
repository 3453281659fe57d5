"""The language model: a folder of weights in, streamed text out.

Knows tokens, sampling and where weights lie; knows nothing of memory files, terminals or faces. The published model
(a LoRA adapter over Polyglot-Ko 1.3B) and the embedded one go through the same loader.
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from llm.copied_value import value_spans
from llm.decoding import Decoder, Draft
from llm.errors import ModelFolderError, PromptTooLongError
from llm.memory_mechanism.memory import Memory
from llm.prompt import (
    ANSWER_END,
    END_OF_TEXT,
    MARKERS,
    OTHER_TOPIC,
    is_topic,
    split_prompt,
    topic_family,
    writes_memory,
)
from llm.topic_classifier import FILE, RETRAIN, TopicClassifier

TEMPERATURE = 0.6  # published
TOP_P = 1.0  # published: no nucleus
MAX_NEW_TOKENS = 80
BASE_FOLDERS = ("base", "polyglot_original")  # where an adapter's base lies, beside the adapter
WRITES_FROM = 0.5  # she writes a memory only where that is likelier than not: what is written down is never a whim
TOPIC_WRITES_FROM = 0.25  # so likely the topics that write one have to be: the classifier's targets were smoothed
OWN_WORDS = 2.0  # logarithm of how much likelier a value in her own words must be than one in the user's
LONGER = 1.0  # logarithm of what each token of a value in the user's words counts for it: the longer is likelier whole
SAYS_VALUE_FROM = (0.05, 0.005, 0.0003)  # so likely its next token is where none, one or more of a value were said
IN_DOUBT = 2.0  # entropy (nats) of what comes next from which nothing is plain
AT_A_LOSS = 5.0  # and from which she does not know what to say: where a value stood in all that she learned
NO_REPEAT_NGRAM = 4  # so many tokens of a reply never come a second time
_VALUE_TOKENS = 16  # of a memory's value in her own words
_SPANS = 64  # pieces of what the user said that are weighed as a memory's value
_LARGE = 1024  # hidden size from which bf16 pays on a CPU: decoding then waits for memory

# Symbols that friends type. Whatever else a model thinks of (⊂ ╋ ⑥ 漢) is never sampled.
_SYMBOLS = set(" \n!#$%&'()*+,-./:;<=>?@[]^_`|~…·~♥♡★☆♪♬→×÷°℃‘’\u200d\ufe0f")
_LETTER = re.compile(r"[가-힣ㄱ-ㅎㅏ-ㅣA-Za-z0-9]")
_URL_MARKS = ("http", "www.", "://")  # no reply holds one of these, in however many tokens it comes
_OPENS_STOP = re.compile(r"[(#<]")  # how the end marks of llm.reply begin where they are several tokens


class LanguageModel:
    """A causal language model that writes Oh-LoRA's replies."""

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        temperature: float = TEMPERATURE,
        top_p: float = TOP_P,
        opening_temperature: float | None = None,
        classifier: TopicClassifier | None = None,
        classifier_weight: float = 0.0,
    ) -> None:
        """
        Args:
            model: a causal language model in eval mode, on its device.
            tokenizer: its fast tokenizer.
            temperature: above 0; sampling as published at 0.6.
            top_p: nucleus in (0, 1]; 1 samples from the whole distribution.
            opening_temperature: of the first token of what she says where no memory is given, by default as all others:
                a reply may begin in many right ways, and once it has begun, goes on in few.
            classifier: seconds the model in the choice of a topic; it knows the families of the tokenizer's topics.
            classifier_weight: how much it counts there, 0 to 1; the model counts the rest.

        Raises:
            ModelFolderError: the classifier knows other families.
        """
        self.model = model
        self.tokenizer = tokenizer
        self.temperature = temperature
        self.top_p = top_p
        self.opening_temperature = opening_temperature or temperature
        self.classifier = classifier
        self.classifier_weight = classifier_weight
        self.context = model.config.max_position_embeddings
        named = {tokenizer.convert_tokens_to_ids(END_OF_TEXT), tokenizer.convert_tokens_to_ids(ANSWER_END)}
        self._ends = (named - {tokenizer.unk_token_id} | {tokenizer.eos_token_id}) - {None}
        self._texts = texts = tokenizer.batch_decode([[token] for token in range(len(tokenizer))])
        self._never = _never_sampled(tokenizer, texts, model.config.vocab_size, self._ends).to(model.device)
        self._topics = torch.tensor(
            [token for token, text in enumerate(texts) if is_topic(text)], device=model.device, dtype=torch.long
        )
        self._classified = _places(classifier, [topic_family(texts[int(token)]) for token in self._topics])
        self._writing = torch.tensor([writes_memory(texts[int(token)]) for token in self._topics], device=model.device)
        self._brackets = torch.tensor(
            [i for i, t in enumerate(texts) if "[" in t], device=model.device, dtype=torch.long
        )
        self._end_ids = torch.tensor(sorted(self._ends), device=model.device)
        openers = [token for token, text in enumerate(texts) if _OPENS_STOP.search(text)]
        self._not_first = torch.tensor(sorted(self._ends.union(openers)), device=model.device)
        self._completes_url = {
            mark[:cut]: [token for token, text in enumerate(texts) if text.lower().startswith(mark[cut:])]
            for mark in _URL_MARKS
            for cut in range(1, len(mark))
        }

    @classmethod
    def load(cls, folder: Path, base: Path | None = None, device: str = "cpu") -> LanguageModel:
        """The model of ``folder``: a PEFT adapter with its base, or a whole transformers model.

        Args:
            folder: holds ``adapter_config.json`` (then ``base`` is its base model) or ``config.json``.
            base: the base's folder; by default ``base`` or ``polyglot_original`` beside ``folder``, whatever path
                the adapter's JSON records.
            device: ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.

        Raises:
            ModelFolderError: a file is missing or broken, or weights and config do not fit.
        """
        folder = Path(folder)
        transformers_logging.set_verbosity_error()
        transformers_logging.disable_progress_bar()
        if (folder / "adapter_config.json").is_file():
            base = Path(base) if base is not None else find_base(folder)
            model = _load_adapter(folder, _load_model(base, device))
        else:
            base = folder
            model = _load_model(folder, device)
        tokenizer = _load_tokenizer(folder if (folder / "tokenizer.json").is_file() else base)
        if len(tokenizer) > model.config.vocab_size:
            sizes = f"토크나이저({len(tokenizer)}개)와 모델({model.config.vocab_size}개)"
            raise ModelFolderError(f"{sizes}의 어휘 크기가 맞지 않아요: {folder}")
        sampling, classifier = _read_sampling(folder), TopicClassifier.load(base)
        if sampling["classifier_weight"] and classifier is None and any(map(is_topic, tokenizer.get_added_vocab())):
            raise ModelFolderError(f"화제 분류기가 없어요: {base / FILE} - {RETRAIN} 로 만들거나 다시 받아 주세요.")
        return cls(model.eval(), tokenizer, **sampling, classifier=classifier)

    def count_tokens(self, text: str) -> int:
        """How many tokens ``text`` has."""
        return len(self._encode(text))

    @torch.inference_mode()
    def stream(
        self, prompt: str, generator: torch.Generator | None = None, max_new_tokens: int = MAX_NEW_TOKENS
    ) -> Iterator[str]:
        """Yields the raw text after ``prompt`` piece by piece, markers and memory brackets included.

        A model that has topics settles on the likeliest one first; that is no part of the text. A piece never holds
        half a character, and is empty while nothing can be shown yet. The text ends with the end mark, with the end of
        text, or when the budget is spent; it cannot end before it says something outside of brackets.

        Args:
            prompt: as ``llm.prompt.render_prompt`` gives it.
            generator: a CPU generator; the same state repeats the same text.
            max_new_tokens: counts the reply alone.

        Raises:
            PromptTooLongError: the prompt leaves less than ``max_new_tokens`` positions of the context.
        """
        ids = self._encode(prompt)
        limit = self.context - max_new_tokens - min(1, len(self._topics))
        if len(ids) > limit:
            raise PromptTooLongError(len(ids), limit)
        return self._decode(ids, prompt, generator, max_new_tokens)

    def _encode(self, text: str) -> list[int]:
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]

    @torch.inference_mode()
    def _decode(self, ids: list[int], prompt: str, generator: torch.Generator | None, budget: int) -> Iterator[str]:
        given, said = split_prompt(prompt)
        draft, decoder = Draft(given), Decoder(self.model, ids)
        self._speak_of(draft, Memory.parse(given or ""))
        if len(self._topics):
            decoder.append(self._topic(decoder.scores(), said, given))
            yield ""
        settled: list[int] = []  # tokens that are certain to come next
        for _ in range(budget):
            token = settled.pop(0) if settled else self._next_token(draft, decoder.scores(), generator)
            piece = self._take(draft, token)
            if piece is not None:
                yield piece
            if draft.done:
                break
            decoder.append(token)
            if not settled and draft.parser.awaits_value and len(self._topics):
                settled = self._value(decoder, said)

    def _topic(self, scores: torch.Tensor, said: str, given: str | None) -> int:
        """The likeliest topic, of those that write a memory or of the others.

        ``scores`` (vocabulary,) say how likely they are to the model; what the classifier says of the words and the
        memory before them is weighed in.
        """
        scores = scores[self._topics].log_softmax(-1)
        if self.classifier is not None and self.classifier_weight:
            seconded = self.classifier.scores(said, given)[self._classified]
            scores = torch.lerp(scores, seconded.to(scores.device), self.classifier_weight)
        likely = scores.softmax(-1)
        writes = likely[self._writing].sum() >= TOPIC_WRITES_FROM
        return int(self._topics[likely.masked_fill(self._writing != writes, -1.0).argmax()])

    def _next_token(self, draft: Draft, scores: torch.Tensor, generator: torch.Generator | None) -> int:
        """A token that may come after ``draft``; ``scores`` (vocabulary,) as the model gives them."""
        scores = scores.masked_fill(self._never, -torch.inf)
        if draft.parser.in_bracket:
            scores[self._end_ids] = -torch.inf
        elif not draft.said:
            scores[self._not_first] = -torch.inf
        scores[_would_repeat(draft.spoken)] = -torch.inf
        if not draft.parser.in_bracket and scores.softmax(-1)[self._brackets].sum() < WRITES_FROM:
            scores[self._brackets] = -torch.inf
        for begun, tokens in self._completes_url.items():
            if draft.tail.endswith(begun):
                scores[tokens] = -torch.inf
        value = None if draft.parser.in_bracket else self._of_value(draft, scores)
        if value is not None:
            return value
        opens = not draft.spoken and not draft.parser.in_bracket and draft.given is None
        return self._sample(scores, self.opening_temperature if opens else self.temperature, generator)

    def _speak_of(self, draft: Draft, memory: Memory | None) -> None:
        """Makes the value of ``memory`` the one that ``draft`` speaks of."""
        if memory is not None:
            draft.value = memory.value
            draft.value_tokens = [self._encode(text) for text in (f" {memory.value}", memory.value)]

    def _of_value(self, draft: Draft, scores: torch.Tensor) -> int | None:
        """The token of the value that ``draft`` speaks of which has to come now, or None where none has to.

        A value that was begun goes on. One that was not comes where a reply that has begun may well go on with it and
        nothing else is plain; and wherever she is at a loss: a model that has topics knows all that it says but the
        values, which it never saw. ``scores`` (vocabulary,) say how likely what comes next is.
        """
        if not draft.value or draft.value in draft.parser.reply.text:
            return None
        told, due = _next_of(draft.value_tokens, draft.spoken)
        topics = bool(len(self._topics))
        if not told and not topics:
            return None
        likely = scores.softmax(-1)
        token = max(due, key=lambda token: float(likely[token]))
        doubt = float(torch.special.entr(likely).sum()) if topics else 0.0
        wanted = SAYS_VALUE_FROM[min(told, 2) if topics else 0]  # other models may inflect its last word
        goes_on = draft.spoken and float(likely[token]) >= wanted and (told or doubt >= IN_DOUBT)
        return token if goes_on or doubt >= AT_A_LOSS and likely[token] > 0 else None

    def _value(self, decoder: Decoder, said: str) -> list[int]:
        """The tokens of a memory's value and of the bracket that closes it; ``decoder`` stands behind its key.

        What goes into the user's file is what he said: the likeliest piece of ``said``, unless a value that the model
        would put into words of its own is likelier (``OWN_WORDS``) and begins with a word that he used.
        """
        fork = decoder.fork()
        first = scores = fork.scores()
        own: list[int] = []
        while len(own) < _VALUE_TOKENS:
            own.append(int(scores.masked_fill(self._never, -torch.inf).argmax()))
            if "]" in self._texts[own[-1]]:
                break
            fork.append(own[-1])
            scores = fork.scores()
        spans = [self._encode(f" {span}]") for span in value_spans(said)]
        spans = [tokens for tokens in spans if not self._never[tokens].any()]
        spans.sort(key=lambda tokens: -float(first[tokens[0]]))
        values = [own, *spans[:_SPANS]]
        likely = decoder.weigh(values).cpu()
        begins = self.tokenizer.decode(own).replace("]", "").split()[:1]
        heard = bool(begins) and begins[0] in said  # else it is the last resort
        likely[0] -= OWN_WORDS if heard else torch.inf
        likely[1:] += LONGER * torch.tensor([len(tokens) - 1.0 for tokens in values[1:]])
        return values[int(likely.argmax())]

    def _take(self, draft: Draft, token: int) -> str | None:
        """Adds ``token`` to ``draft``; gives the text that it brings, or None within a character."""
        piece = draft.text.step(self.tokenizer.backend_tokenizer, token)
        if token in self._ends:
            draft.done = True
        elif piece:
            piece = "".join(c for c in piece if _speakable(c))
            draft.tail = (draft.tail + piece.lower())[-3:]  # as long as a URL's mark may be before its last letter
            draft.said = bool(_LETTER.search(draft.parser.feed(piece))) or draft.said
            draft.done = draft.parser.ended
            if "]" in piece:
                self._speak_of(draft, next(reversed(draft.parser.reply.memories), None))
        draft.spoken = [] if draft.parser.in_bracket else [*draft.spoken, token]
        return piece

    def _sample(self, scores: torch.Tensor, temperature: float, generator: torch.Generator | None) -> int:
        probabilities = torch.softmax(scores.cpu() / temperature, dim=-1)
        if self.top_p < 1:
            ordered, order = probabilities.sort(descending=True)
            ordered[ordered.cumsum(0) - ordered > self.top_p] = 0
            return int(order[torch.multinomial(ordered, 1, generator=generator)])
        return int(torch.multinomial(probabilities, 1, generator=generator))


def _next_of(values: Sequence[list[int]], spoken: list[int]) -> tuple[int, list[int]]:
    """How many tokens of one of ``values`` stand at the end of ``spoken``, and the tokens that may come next of it."""
    for tokens in values:
        for told in range(min(len(tokens) - 1, len(spoken)), 0, -1):
            if spoken[-told:] == tokens[:told]:
                return told, [tokens[told]]
    return 0, [tokens[0] for tokens in values]


def find_base(adapter: Path) -> Path:
    """The folder of an adapter's base model: ``base`` or ``polyglot_original`` beside the adapter.

    Raises:
        ModelFolderError: neither is there.
    """
    for name in BASE_FOLDERS:
        if (adapter.parent / name / "config.json").is_file():
            return adapter.parent / name
    raise ModelFolderError(
        f"LoRA 어댑터({adapter})의 바탕 모델이 없어요. EleutherAI/polyglot-ko-1.3b 를 "
        f"{adapter.parent / 'polyglot_original'} 폴더에 받아 주세요."
    )


def choose_dtype(config: object, device: str) -> torch.dtype:
    """bf16 where that is faster: on a GPU that has it, and for large models on a CPU with bf16 instructions."""
    if device.startswith("cuda"):
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    large = getattr(config, "hidden_size", 0) >= _LARGE
    return torch.bfloat16 if large and torch.cpu._is_avx512_bf16_supported() else torch.float32


def _load_model(folder: Path, device: str) -> PreTrainedModel:
    from transformers import AutoConfig

    if not (folder / "config.json").is_file():
        raise ModelFolderError(f"언어 모델 폴더에 config.json 이 없어요: {folder}")
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        model, info = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=choose_dtype(config, device),
            local_files_only=True,
            use_safetensors=True,
            ignore_mismatched_sizes=True,  # they are refused below, by name
            output_loading_info=True,
        )
    except Exception as error:  # every way in which a file can be broken: the library raises many types
        raise ModelFolderError(
            f"언어 모델을 읽지 못했어요: {folder} - 파일이 빠졌거나 깨졌어요. 다시 받아 주세요. "
            f"({_cause(folder, error)})"
        ) from error
    _refuse_mismatch(folder, info)
    return model.to(device)


# Buffers that old checkpoints stored and new code computes are no mismatch.
_OLD_BUFFER = re.compile(r"\.attention\.(bias|masked_bias|rotary_emb\.inv_freq)$")


def _refuse_mismatch(folder: Path, info: dict) -> None:
    problems = [f"없음 {name}" for name in sorted(info["missing_keys"])]
    unexpected = [k for k in info["unexpected_keys"] if not _OLD_BUFFER.search(k)]
    problems += [f"모르는 이름 {name}" for name in sorted(unexpected)]
    problems += [f"크기 다름 {entry[0]}" for entry in sorted(info["mismatched_keys"])]
    if problems:
        raise ModelFolderError(f"가중치가 모델과 맞지 않아요: {folder} - {_summary(problems)}")


def _load_adapter(folder: Path, model: PreTrainedModel) -> PreTrainedModel:
    from peft import PeftConfig, PeftModel, get_peft_model_state_dict

    weights = folder / "adapter_model.safetensors"
    if not weights.is_file():
        raise ModelFolderError(f"LoRA 어댑터 파일이 없어요: {weights} - 다시 받아 주세요.")
    try:
        config = PeftConfig.from_pretrained(str(folder))
        config.inference_mode = True
        with safe_open(weights, framework="pt") as file:
            found = set(file.keys())
        adapted = PeftModel.from_pretrained(model, str(folder), config=config)
    except Exception as error:  # as above: a broken JSON, a broken file, shapes of another base
        raise ModelFolderError(
            f"LoRA 어댑터를 읽지 못했어요: {folder} - 바탕 모델과 맞지 않거나 파일이 깨졌어요. "
            f"({_cause(folder, error)})"
        ) from error
    # "auto" would look for the base at the path that the JSON records, which is on its author's machine
    wanted = set(get_peft_model_state_dict(adapted, save_embedding_layers=False))
    problems = [f"없음 {name}" for name in sorted(wanted - found)]
    problems += [f"모르는 이름 {name}" for name in sorted(found - wanted)]
    if problems:
        raise ModelFolderError(f"LoRA 어댑터가 바탕 모델과 맞지 않아요: {folder} - {_summary(problems)}")
    return adapted.merge_and_unload()


def _load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    if not (folder / "tokenizer.json").is_file():
        raise ModelFolderError(f"토크나이저 파일이 없어요: {folder / 'tokenizer.json'} - 다시 받아 주세요.")
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        tokenizer.backend_tokenizer  # noqa: B018  # a slow tokenizer has none, and cannot stream
    except Exception as error:  # as above
        raise ModelFolderError(
            f"토크나이저를 읽지 못했어요: {folder} - 다시 받아 주세요. ({_cause(folder, error)})"
        ) from error
    return tokenizer


def _read_sampling(folder: Path) -> dict[str, float | None]:
    """How to sample, by the names of ``LanguageModel``'s arguments, as training left it; else as published."""
    file = folder / "generation_config.json"
    try:
        fields = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        opening = fields.get("opening_temperature")
        return {
            "temperature": float(fields.get("temperature") or TEMPERATURE),
            "top_p": float(fields.get("top_p") or TOP_P),
            "opening_temperature": float(opening) if opening else None,
            "classifier_weight": float(fields.get("classifier_weight") or 0.0),
        }
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelFolderError(f"생성 설정을 읽지 못했어요: {file} - 다시 받아 주세요. ({_short(error)})") from error


def _places(classifier: TopicClassifier | None, families: list[str]) -> torch.Tensor | None:
    """Where the scores of ``families`` stand among the classifier's."""
    if classifier is None:
        return None
    place = {family: number for number, family in enumerate(classifier.families)}
    if place.keys() != set(families):
        raise ModelFolderError(f"화제 분류기와 토크나이저의 화제가 서로 달라요. {RETRAIN} 로 다시 만들어 주세요.")
    return torch.tensor([place[family] for family in families])


def _never_sampled(tokenizer: PreTrainedTokenizerBase, texts: list[str], size: int, ends: set[int]) -> torch.Tensor:
    """Mask (size,) of the tokens that no reply may hold: special ones but the ends, symbols, quotes, URLs, padding."""
    never = torch.zeros(size, dtype=torch.bool)
    never[len(texts) :] = True
    special = set(tokenizer.all_special_ids) | {tokenizer.convert_tokens_to_ids(m) for m in MARKERS}
    for token, text in enumerate(texts):
        whole = "\ufffd" not in text  # else a part of a character: what it becomes is judged when it is complete
        url = any(mark in text.lower() for mark in _URL_MARKS)
        topic = is_topic(text) or text == OTHER_TOPIC
        if token in special or topic or url or (whole and not all(map(_speakable, text))):
            never[token] = True
    for token in ends:
        never[token] = False
    unknown = tokenizer.unk_token_id
    if unknown is not None and unknown not in ends:
        never[unknown] = True
    return never


def _speakable(character: str) -> bool:
    if "가" <= character <= "힣" or "ㄱ" <= character <= "ㅣ" or character in _SYMBOLS:
        return True
    if character.isascii():
        return character.isalnum()
    return unicodedata.category(character) == "So" and (ord(character) >= 0x1F000 or 0x2600 <= ord(character) <= 0x27BF)


def _would_repeat(tokens: list[int], size: int = NO_REPEAT_NGRAM) -> list[int]:
    """The tokens that would bring a run of ``size`` tokens a second time."""
    last = tuple(tokens[-(size - 1) :])
    if len(last) < size - 1:
        return []
    runs = (tuple(tokens[i : i + size]) for i in range(len(tokens) - size + 1))
    return [run[-1] for run in runs if run[:-1] == last]


def _summary(problems: list[str], shown: int = 3) -> str:
    more = f" 외 {len(problems) - shown}개" if len(problems) > shown else ""
    return ", ".join(problems[:shown]) + more


def _cause(folder: Path, error: Exception) -> str:
    """The files of ``folder`` that cannot be read, which the libraries' errors do not name; else ``error`` itself."""
    broken = []
    for path in sorted([*folder.glob("*.json"), *folder.glob("*.safetensors")]):
        try:
            if path.suffix == ".json":
                json.loads(path.read_text(encoding="utf-8"))
            else:
                with safe_open(path, framework="pt"):
                    pass
        except (OSError, ValueError, SafetensorError):
            broken.append(path.name)
    return ", ".join(broken) or _short(error).replace(f"{folder}{os.sep}", "")


def _short(error: Exception) -> str:
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}"
