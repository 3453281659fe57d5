"""A chat with the embedded weights, end to end: language model, retriever, memory file and face as users get them."""

import io
import re
from pathlib import Path

import pytest
import torch
from PIL import Image

from final_product.companion import Companion
from final_product.display import PROMPT, REPLY_PREFIX, Display
from final_product.face_worker import FaceWorker
from final_product.input_line import PipeLines
from final_product.session import Session
from final_product.terminal import GOODBYE, chat
from llm.language_model import LanguageModel
from llm.memory_mechanism.memory import Memory
from llm.memory_mechanism.memory_file import MemoryFile
from llm.memory_mechanism.retriever import MemoryRetriever
from llm.prompt import MARKERS
from llm.reply import IGNORED
from stylegan_and_segmentation.image_file import write_image
from stylegan_and_segmentation.painter import FacePainter

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "llm" / "models" / "embedded"
FACE = ROOT / "stylegan_and_segmentation" / "stylegan_modified" / "embedded"
SCHEDULE = Memory("내일 일정", "친구 만나기")

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


@pytest.fixture(scope="module")
def language_model():
    return LanguageModel.load(MODELS / "adapter", base=MODELS / "base")


@pytest.fixture(scope="module")
def retriever():
    return MemoryRetriever.load(MODELS / "memory_sbert")


@pytest.fixture
def companion(language_model, retriever, tmp_path):
    def with_seed(seed, request_face=lambda scores: None):
        generator = torch.Generator().manual_seed(seed)
        return Companion(language_model, retriever, MemoryFile(tmp_path / "memory.txt"), request_face, generator)

    return with_seed


class Program:
    """What a session needs of ``run.py`` for a chat without commands."""

    def __init__(self, companion):
        self.companion = lambda on_wait: companion
        self.notices = tuple
        self.tell = print


def say(companion, said):
    shown = "".join(companion.respond(said))
    assert shown == companion.turn.reply.text
    return companion.turn


def assert_a_sentence(text):
    """Whole Korean, ended, without structure and stray symbols."""
    assert text != IGNORED
    assert re.search("[가-힣]", text) and text == text.strip() and "  " not in text, text
    assert not re.search('[\\[\\]"“”\ufffd\u200b]|\\(답변|###|<\\||[一-龥①-⑳⊂╋]', text), text
    assert re.search("(?:[.!?~…)ㅋㅎㅠ]|[\u2600-\u27bf\U0001f000-\U0001faff]\ufe0f?)$", text), text


PROMPTS = (
    "안녕",
    "너 이름이 뭐야?",
    "로라야 오늘 뭐 먹고 싶어?",
    "나 오늘 너무 힘들어ㅠㅠ",
    "⊂漢字 asdf",
    "미안해",
    "와 신난다!",
)


def test_a_transcript(companion, tmp_path):
    painter = FacePainter.load(FACE, FACE / "identity_z.csv", seed=1)
    image, pictures, failures = tmp_path / "ohlora.png", [], []

    def write(picture):
        pictures.append(picture)
        write_image(image, picture)

    face = FaceWorker(painter.paint, write, failures.append)
    out = io.StringIO()
    talk = Session(Program(companion(1, face.request)), Display(out), tmp_path / "chats")
    lines = PipeLines(io.BytesIO("".join(f"{prompt}\n" for prompt in PROMPTS).encode()))
    chat(lines, Display(out), talk)
    assert face.finish() and failures == []

    said = [line for line in out.getvalue().splitlines() if not line.startswith("(기억: ")]
    assert said.pop() == GOODBYE
    assert said[::2] == [PROMPT + prompt for prompt in PROMPTS]
    for line in said[1::2]:
        assert line.startswith(REPLY_PREFIX)
        assert_a_sentence(line.removeprefix(REPLY_PREFIX))

    assert len(pictures) == len(PROMPTS)
    with Image.open(image) as newest:
        assert (newest.size, newest.mode, newest.format) == ((256, 256), "RGB", "PNG")
        assert newest.tobytes() == pictures[-1].tobytes()
    assert len({picture.tobytes() for picture in pictures}) == len(PROMPTS), "no two faces are the same"


def test_she_remembers_and_follows_the_file(companion, tmp_path):
    her = companion(2)
    told = say(her, "[내일 일정: 친구 만나기] 나 내일 바빠")
    assert told.saved[0].same_as(SCHEDULE)
    (tmp_path / "memory.txt").write_text("[이름: 민수]\n[내일 일정: 친구 만나기]\n[취미: 등산]\n", encoding="utf-8")

    asked = say(her, "나 내일 뭐하지")
    assert asked.recalled is not None and asked.recalled.memory == SCHEDULE

    (tmp_path / "memory.txt").write_text("[이름: 민수]\n[취미: 등산]\n", encoding="utf-8")
    assert say(her, "나 내일 뭐하지").recalled is None


def test_she_says_what_she_remembers(companion, tmp_path):
    replies = []
    for seed in range(6):
        (tmp_path / "memory.txt").write_text("[내일 일정: 친구 만나기]\n", encoding="utf-8")
        replies.append(say(companion(seed), "나 내일 뭐하지").reply.text)
    assert sum("친구" in reply for reply in replies) > len(replies) / 2, replies


def test_a_seed_repeats_the_chat(companion, tmp_path):
    def replies(seed):
        (tmp_path / "memory.txt").unlink(missing_ok=True)
        her = companion(seed)
        return [say(her, prompt).reply for prompt in PROMPTS[:3]]

    assert replies(3) == replies(3) != replies(4)


def test_the_markers_are_single_tokens(language_model):
    assert [language_model.count_tokens(marker) for marker in MARKERS] == [1, 1, 1]
