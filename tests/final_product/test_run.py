"""The program: options in Korean without heavy imports, exit codes, and a chat wired to tiny models."""

import functools
import io
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from final_product import program, run, window_link
from final_product.display import PROMPT, REPLY_PREFIX
from final_product.model_store import find_models
from final_product.options import read_options
from final_product.terminal import GOODBYE
from stylegan_and_segmentation.identity_file import write_identity
from stylegan_and_segmentation.stylegan_modified.generator import Generator, GeneratorConfig
from stylegan_and_segmentation.stylegan_modified.generator_file import save_generator
from tests.tiny_models import save_adapter, save_base

ROOT = Path(__file__).resolve().parents[2]
ENGLISH = re.compile(r"usage|options|show this|exit|default|invalid|choose|expected|argument|unrecogni", re.IGNORECASE)


def start(root, *arguments, python=(), stdin=""):
    """Another Python that runs the program as a user does, from another folder and with another code page."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    return subprocess.run(
        [sys.executable, *python, str(root / "final_product" / "run.py"), *arguments],
        input=stdin.encode(),
        capture_output=True,
        env=environment,
        cwd=root.anchor,
        check=False,
    )


# --- options --------------------------------------------------------------------------------------------------------


def test_help_is_korean_and_imports_nothing_heavy():
    done = start(ROOT, "--help", python=["-X", "importtime"])
    text = done.stdout.decode("utf-8")
    assert done.returncode == 0
    assert text.startswith("사용법: python final_product/run.py")
    options = re.findall("--[a-z-]+", text)
    documented = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(options) >= 14 and all(f"`{option}" in documented for option in options)
    assert not ENGLISH.search(text.replace("--version", ""))
    imported = {line.rsplit("|")[-1].strip() for line in done.stderr.decode("utf-8").splitlines() if "|" in line}
    assert "final_product.terminal" in imported
    heavy = ("torch", "transformers", "numpy", "PIL", "sentence_transformers", "peft", "tokenizers", "prompt_toolkit",
             "rich", "platformdirs", "filelock")  # fmt: skip
    assert not imported.intersection(heavy)


def test_version():
    done = start(ROOT, "--version")
    assert (done.returncode, done.stdout.decode().strip()) == (0, f"Oh-LoRA {run.VERSION}")


def test_a_wrong_option_is_one_korean_line():
    done = start(ROOT, "--colour", "red")
    assert done.returncode == 2 and done.stdout == b""
    assert done.stderr.decode("utf-8").splitlines() == [
        "잘못된 옵션이에요: --colour red - 그런 옵션은 없어요. 쓸 수 있는 옵션은 --help 로 볼 수 있어요."
    ]


WRONG = {
    ("--device", "gpu"): "--device - auto, cpu, cuda 가운데 하나를 써 주세요",
    ("--device",): "--device - auto, cpu, cuda 가운데 하나를 써 주세요",
    ("--seed", "하나"): "--seed - 0 이상의 정수를 써 주세요",
    ("--seed", "-1"): "--seed - 0 이상의 정수를 써 주세요",
    ("--seed", "1.5"): "--seed - 0 이상의 정수를 써 주세요",
    ("--seed", str(2**63)): "--seed - 0 이상의 정수를 써 주세요",
    ("--seed",): "--seed - 0 이상의 정수를 써 주세요",
    ("--memory",): "--memory - 파일 이름을 써 주세요",
    ("--image", "--no-face"): "--image - 파일 이름을 써 주세요",
    ("--no-face=yes",): "--no-face - 값 없이 써 주세요",
    ("--once",): "--once - 할 말을 써 주세요",
    ("--once", " "): "--once - 할 말을 써 주세요",
    ("--continue=1",): "--continue - 값 없이 써 주세요",
    ("--dev", "cpu"): "--dev cpu - 그런 옵션은 없어요",
    ("안녕",): "안녕 - 그런 옵션은 없어요",
    ("-x",): "-x - 그런 옵션은 없어요",
}


@pytest.mark.parametrize("arguments", WRONG)
def test_each_wrong_option_is_named_with_its_cure(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        run.main(list(arguments))
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"잘못된 옵션이에요: {WRONG[arguments]}. 쓸 수 있는 옵션은 --help 로 볼 수 있어요."
    assert not ENGLISH.search(line)


def test_without_a_language_model_there_is_a_cure_and_exit_code_1(tmp_path):
    left_out = shutil.ignore_patterns(
        "models", "embedded", "__pycache__", "*.jsonl", "*.npz", "*.png", "rendered", "runs"
    )
    for room in ("final_product", "llm", "stylegan_and_segmentation"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=left_out)
    done = start(tmp_path, stdin="안녕\n")
    text = done.stdout.decode("utf-8")
    assert done.returncode == 1 and done.stderr == b""
    assert "언어 모델: 내장 모델 (llm/models/embedded/adapter)" in text
    assert "adapter_config.json, adapter_model.safetensors" in text and "git restore" in text
    assert text.splitlines()[-1] == "언어 모델이 없으면 대화할 수 없어요. 위 파일을 채운 뒤 다시 시작해 주세요."
    assert PROMPT not in text


# --- wiring ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A root with tiny embedded models, the retriever's aside."""
    home = tmp_path_factory.mktemp("home")
    embedded = home / "llm" / "models" / "embedded"
    save_base(embedded / "base")
    save_adapter(embedded / "adapter", embedded / "base")
    face = home / "stylegan_and_segmentation" / "stylegan_modified" / "embedded"
    torch.manual_seed(0)
    size = GeneratorConfig(w_dim=16, mapping_layers=1, resolution=16, fmap_base=64, fmap_max=8)
    save_generator(Generator(size), face)
    write_identity(face / "identity_z.csv", np.linspace(-1, 1, size.z_dim))
    return home


pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


class Chat:
    """Runs the program in this process, on the models of a root, with its input from a pipe."""

    def __init__(self, home, tmp_path, monkeypatch, capsys):
        self.home, self.monkeypatch, self.capsys = home, monkeypatch, capsys
        self.memory, self.image = tmp_path / "memory.txt", tmp_path / "ohlora.png"

    def __call__(self, stdin, *options):
        self.monkeypatch.setattr(run, "ROOT", self.home)
        self.monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        files = ["--memory", str(self.memory), "--image", str(self.image), "--device", "cpu"]
        self.code = run.main([*files, *options])
        for thread in threading.enumerate():  # a program that ends takes it along; here the next one would meet it
            if thread.name == program.LOADING:
                thread.join()
        self.out, self.notes = self.capsys.readouterr()
        assert self.notes == "" or {"--json", "--once"} & set(options)
        return self.out.splitlines()


@pytest.fixture
def chat(home, tmp_path, monkeypatch, capsys):
    return Chat(home, tmp_path, monkeypatch, capsys)


def test_models_load_one_after_the_other():
    running, most = [], []

    def load(name):
        running.append(name)
        most.append(len(running))
        time.sleep(0.01)
        running.remove(name)
        if name == "retriever":
            raise OSError(name)
        return name

    language, retriever, painter = program.in_background(*(functools.partial(load, name) for name in PARTS))
    assert (language.result(10), painter.result(10), most) == ("language", "painter", [1, 1, 1])
    with pytest.raises(OSError, match="retriever"):
        retriever.result()


PARTS = ("language", "retriever", "painter")


def test_a_chat_through_a_pipe(chat):
    lines = chat("안녕\n[이름: 민수] 나 민수야\n", "--seed", "1")
    assert chat.code == 0
    shown = [line for line in lines if not line.startswith("(")]
    assert shown[0] == "언어 모델: 내장 모델 (llm/models/embedded/adapter)"
    assert shown[1] == "기억 검색: 내장 모델 (llm/models/embedded/memory_sbert)"
    assert shown[2].startswith("  ! ") and "memory_sbert" in shown[2] and "modules.json" in shown[2]
    assert shown[3] == "얼굴: 내장 모델 (stylegan_and_segmentation/stylegan_modified/embedded)"
    assert shown[4] == f"{PROMPT}안녕" and shown[5].startswith(REPLY_PREFIX) and len(shown[5]) > len(REPLY_PREFIX)
    assert shown[6] == f"{PROMPT}[이름: 민수] 나 민수야" and shown[7].startswith(REPLY_PREFIX)
    assert shown[8:] == [GOODBYE]
    assert lines.count("(기억: 이름: 민수)") == 1
    assert chat.memory.read_text(encoding="utf-8").startswith("[이름: 민수]\n")
    with Image.open(chat.image) as image:
        assert (image.size, image.mode, image.format) == ((16, 16), "RGB", "PNG")


def test_a_seed_repeats_the_chat(chat):
    def replies(*options):
        chat.memory.unlink(missing_ok=True)
        return [line for line in chat("안녕\n뭐해\n", "--no-face", *options) if line.startswith(REPLY_PREFIX)]

    first, again, other = replies("--seed", "5"), replies("--seed", "5"), replies()
    assert first == again != other and len(first) == len(other) == 2


def test_a_seed_that_changes_during_the_chat(chat):
    def replies(lines, *options):
        chat.memory.unlink(missing_ok=True)
        shown = [line for line in chat(lines, *options) if line.startswith(REPLY_PREFIX)]
        return shown, chat.image.read_bytes()

    first, face = replies("안녕\n", "--seed", "5")
    later, later_face = replies("안녕\n/시드 5\n안녕\n/seed\n", "--seed", "6")
    assert later[1:] == first and later[0] != first[0] and later_face == face
    assert "(시드: 5)" in chat.out


def test_commands_through_a_pipe(chat, tmp_path):
    commands = [
        "/기억 추가 [이름: 민수]",
        "/잊어 1",
        "/되돌리기",
        "/기억",
        "/표정 웃음",
        "/얼굴",
        "/모델",
        "/왜",
        "/기옥",
        "/끝",
    ]
    lines = chat("\n".join([*commands, "안녕"]))
    shown = [line for line in lines[4:] if not line.startswith(PROMPT)]
    assert [line for line in lines if line.startswith(PROMPT)] == [PROMPT + command for command in commands]
    assert shown[:3] == ["(기억: 이름: 민수)", "(잊음: 이름: 민수)", "(되돌림: 이름: 민수 다시 적음)"]
    assert re.fullmatch(r"1  이름  민수  \d{4}-\d\d-\d\d \d\d:\d\d", shown[3])
    assert shown[4:6] == [
        "(표정: 눈 -2, 입 2, 고개 -1.2)",
        f"(여기에는 그림을 보여 줄 수 없어요. 그림 파일: {chat.image})",
    ]
    assert shown[6:10] == lines[:4], "the models, as at the start"
    assert shown[10:] == [
        "(아직 답한 말이 없어요. 먼저 말을 걸어 주세요.)",
        "(/기옥 - 그런 명령은 없어요. 혹시 /기억 인가요? /도움말 을 쓰면 모두 볼 수 있어요.)",
        GOODBYE,
    ]
    assert "\x1b" not in chat.out and chat.image.is_file()
    assert not any(line.startswith(REPLY_PREFIX) for line in lines)


def test_another_reply_of_the_real_program(chat):
    lines = chat("안녕\n/다시\n", "--no-face", "--seed", "1")
    first, second = (line for line in lines if line.startswith(REPLY_PREFIX))
    assert first != second


def test_a_chat_is_kept_and_goes_on(chat, data_folder):
    chat("안녕\n", "--no-face", "--seed", "1")
    (path,) = data_folder.glob("**/*.jsonl")
    kept = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    reply = next(line for line in chat.out.splitlines() if line.startswith(REPLY_PREFIX)).removeprefix(REPLY_PREFIX)
    assert [(record["prompt"], record["reply"]) for record in kept] == [("안녕", reply)]

    lines = chat("뭐해\n", "--no-face", "--continue")
    assert lines[3:5] == [f"{PROMPT}안녕", REPLY_PREFIX + reply] and lines[5].endswith("에 나눈 대화를 이어서 해요.)")
    chat("그래\n", "--no-face", "--no-log")
    assert list(data_folder.glob("**/*.jsonl")) == [path]
    assert [json.loads(line)["prompt"] for line in path.read_text(encoding="utf-8").splitlines()] == ["안녕", "뭐해"]


def test_one_answer_and_no_more(chat):
    (reply,) = chat("", "--once", "안녕", "--seed", "1")
    assert chat.code == 0 and reply and not reply.startswith(REPLY_PREFIX)
    assert "언어 모델: 내장 모델" in chat.notes and GOODBYE not in chat.notes and chat.image.is_file()
    assert chat("", "--once", "/기억", "--no-face")[-1] == "(적어 둔 기억이 없어요.)"


def test_one_json_object_a_turn(chat):
    first, second = map(json.loads, chat("안녕\n/기억\n[이름: 민수] 나 민수야\n", "--json", "--seed", "1"))
    assert first["prompt"] == "안녕" and first["reply"] and set(first["expression"]) == {"eyes", "mouth", "pose"}
    assert second["saved"] == ["[이름: 민수]"] and second["recalled"] == {"memory": "이름: 민수", "score": 1.0}
    assert GOODBYE in chat.notes and "(적어 둔 기억이 없어요.)" in chat.notes
    (only,) = chat("", "--json", "--once", "안녕", "--no-face", "--seed", "1")
    assert json.loads(only)["reply"] == first["reply"]


def test_a_face_that_is_to_be_shown_where_there_is_no_room(chat):
    lines = chat("안녕\n뭐해\n", "--show-face", "--seed", "1")
    assert sum("그림" in line for line in lines) == 1 and "\x1b" not in chat.out


def test_fetching_models_during_the_chat(chat, monkeypatch):
    started = []

    class Started(subprocess.Popen):
        def __init__(self, command, **options):
            started.append((command, options))
            super().__init__([sys.executable, "-c", ""], **options)

    monkeypatch.setattr(program.subprocess, "Popen", Started)
    monkeypatch.delenv("HF_HUB_OFFLINE")
    chat("/모델 받기\n", "--no-face")
    ((command, options),) = started
    assert command == [sys.executable, str(chat.home / "final_product" / "download.py")]
    assert "HF_HUB_OFFLINE" not in options["env"] and os.environ["HF_HUB_OFFLINE"] == "1"


# --- the window -----------------------------------------------------------------------------------------------------

WINDOW = """
import sys
from pathlib import Path
from final_product.frames import read_frames
folder = Path(sys.argv[1])
while frames := read_frames(sys.stdin.buffer):
    number = len(list(folder.iterdir()))
    (folder / f"{number:02}-{frames.kind}-{len(frames.pictures)}").write_bytes((frames.pictures or [b""])[-1])
"""


@pytest.fixture
def window(tmp_path, monkeypatch):
    """The folder in which a program in the window's place writes what it was shown."""
    folder = tmp_path / "window"
    folder.mkdir()
    monkeypatch.setattr(window_link, "why_no_window", lambda environment: None)
    monkeypatch.setattr(window_link, "window_command", lambda picture: [sys.executable, "-c", WINDOW, str(folder)])
    monkeypatch.setattr(window_link, "END_SECONDS", 60.0)
    return folder


def test_the_window_sees_what_is_on_disk(chat, window):
    lines = chat("안녕\n/표정 신남\n/얼굴\n", "--window", "--seed", "1")
    assert chat.code == 0 and not any("창" in line for line in lines)
    glides = [path for path in sorted(window.iterdir()) if "glide" in path.name]
    with Image.open(chat.image) as picture:
        assert glides[-1].read_bytes() == picture.tobytes()
    with_window = picture.tobytes()
    chat("안녕\n/표정 신남\n/얼굴\n", "--seed", "1")
    with Image.open(chat.image) as picture:
        assert picture.tobytes() == with_window, "a seed repeats its pictures with and without a window"


def test_no_window_is_one_line_and_the_chat_goes_on(chat, monkeypatch):
    monkeypatch.setattr(window_link, "why_no_window", lambda environment: window_link.NO_TK)
    lines = chat("안녕\n", "--window")
    assert chat.code == 0 and lines.count(f"({window_link.NO_TK})") == 1
    assert any(line.startswith(REPLY_PREFIX) for line in lines)
    monkeypatch.setattr(window_link, "why_no_window", lambda environment: None)
    monkeypatch.setattr(window_link, "window_command", lambda picture: [str(chat.image.parent / "no such program")])
    assert sum("얼굴 창을 열지 못했어요" in line for line in chat("안녕\n", "--window")) == 1


def test_a_window_without_a_face_is_none(chat):
    assert "(--no-face 와 함께 쓰면 얼굴 창을 열지 않아요.)" in chat("", "--window", "--no-face")
    chat("", "--window", "--once", "안녕")
    assert "(--once 와 함께 쓰면 얼굴 창을 열지 않아요.)" in chat.notes.splitlines()


# --- where things break ---------------------------------------------------------------------------------------------


def test_without_a_face_nothing_is_drawn_and_nothing_is_said_about_it(chat):
    lines = chat("안녕\n", "--no-face", "--seed", "1")
    assert chat.code == 0 and not chat.image.exists()
    assert not any("얼굴" in line for line in lines)


def test_a_face_that_cannot_be_saved_is_told_once_and_the_chat_goes_on(chat):
    chat.image.mkdir()
    lines = chat("안녕\n뭐해\n그래\n", "--seed", "1")
    assert chat.code == 0
    assert sum(line.startswith("(얼굴을 그리지 못했어요.") for line in lines) == 1
    assert sum(line.startswith(REPLY_PREFIX) for line in lines) == 3


def test_no_input_is_no_chat(chat):
    assert chat("")[-1] == GOODBYE and chat.code == 0
    assert not chat.image.exists() and not chat.memory.exists()


def test_a_broken_language_model_ends_the_chat_with_one_line(chat, tmp_path):
    shutil.copytree(chat.home, tmp_path / "broken")
    chat.home = tmp_path / "broken"
    weights = chat.home / "llm" / "models" / "embedded" / "adapter" / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:400])
    lines = chat("안녕\n뭐해\n", "--no-face")
    assert chat.code == 1
    assert lines[-1].startswith("언어 모델에 문제가 생겨서 대화를 끝낼게요: ") and weights.name in lines[-1]
    assert not any(line.startswith(REPLY_PREFIX) for line in lines)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_a_device_that_is_not_there(chat):
    lines = chat("안녕\n", "--no-face", "--device", "cuda")
    assert chat.code == 1 and "--device cpu" in lines[-1]


def test_a_memory_file_that_cannot_be_read_stops_nothing(chat):
    chat.memory.write_bytes(b"[\xff\xff: \xff]\n")
    lines = chat("안녕\n", "--no-face", "--seed", "1")
    assert chat.code == 0 and any(
        line.startswith(f"(기억 파일의 글자를 읽지 못했어요: {chat.memory}") for line in lines
    )
    assert chat.memory.read_bytes() == b"[\xff\xff: \xff]\n"


# --- the face, read from the reply ----------------------------------------------------------------------------------


@pytest.fixture
def reading_home(home, tmp_path):
    """The root with the real memory S-BERT and the classifier that belongs to it."""
    root = tmp_path / "reading home"
    shutil.copytree(home, root)
    for name in ("memory_sbert", "expression"):
        part = Path("llm") / "models" / "embedded" / name
        shutil.copytree(ROOT / part, root / part)
    return root


def companion_of(root, tmp_path):
    """The companion that the program puts together on the models of ``root``, and what it has to tell."""
    files = ["--memory", str(tmp_path / "memory.txt"), "--device", "cpu", "--no-face"]
    options = read_options(files, run.VERSION, run.MEMORY_FILE, run.IMAGE_FILE)
    its = program.Program(options, find_models(root), root, {})
    its.load()
    return its.companion(lambda: None), its.notices()


def test_one_loaded_model_serves_memories_and_faces(reading_home, tmp_path):
    her, notices = companion_of(reading_home, tmp_path)
    assert her.expressions.encoder is her.retriever.encoder and notices == []
    assert her.expressions.read("ㅋㅋㅋ 너무 웃겨 😆").expression == "laughter"


def test_with_the_published_one_for_memories_the_embedded_one_reads_faces(reading_home, tmp_path):
    models = reading_home / "llm" / "models"
    shutil.copytree(models / "embedded" / "memory_sbert", models / "memory_sbert" / "trained_sbert_model")
    her, notices = companion_of(reading_home, tmp_path)
    assert her.expressions.encoder is not her.retriever.encoder and notices == []


def test_where_the_embedded_one_has_changed_the_rules_make_the_face(reading_home, tmp_path):
    with (reading_home / "llm" / "models" / "embedded" / "memory_sbert" / "config.json").open(
        "a", encoding="utf-8"
    ) as config:
        config.write("\n")
    her, notices = companion_of(reading_home, tmp_path)
    assert her.expressions is None
    assert notices == [
        "(표정은 규칙으로 지을게요. 표정을 읽는 모델이 memory_sbert 과 맞지 않아요: "
        "python -m llm.expressions.fit 로 다시 맞춰 주세요.)"
    ]
