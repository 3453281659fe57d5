"""--doctor: every trouble is a line with its cure, and the report stands also where packages or models are broken."""

import json
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from final_product import doctor
from final_product.model_store import GENERATOR, IDENTITY, SOURCES
from final_product.run import VERSION
from final_product.window_link import NO_TK

ROOT = Path(__file__).resolve().parents[2]
PINNED = re.findall(r"^([\w.-]+)==", (ROOT / "requirements.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)
TORCH = """
__version__ = "2.13.0"
class version: cuda = {cuda!r}
class cuda:
    is_available = staticmethod(lambda: {cards} > 0)
    device_count = staticmethod(lambda: {cards})
    get_device_name = staticmethod(lambda n: "Some Card")
    mem_get_info = staticmethod(lambda n: (6 * 1024**3, 8 * 1024**3))
def get_num_threads(): return 4
"""


@pytest.fixture
def torch_is(tmp_path, monkeypatch):
    """Puts another PyTorch in the place of the installed one, for the process that is asked."""

    def torch_is(source):
        folder = tmp_path / "packages"
        folder.mkdir(exist_ok=True)
        (folder / "torch.py").write_text(source, encoding="utf-8")
        monkeypatch.setenv("PYTHONPATH", str(folder))

    torch_is(TORCH.format(cuda=None, cards=0))
    return torch_is


@pytest.fixture
def root(tmp_path):
    """A checkout with whole embedded models, each of them tiny."""
    root = tmp_path / "home" / "checkout"
    for name in ("adapter", "base", "memory_sbert"):
        folder = root / "llm" / "models" / "embedded" / name
        put_model(folder, ["config.json", "adapter_config.json", "modules.json", "1_Pooling/config.json"])
        save_tensors(folder / "model.safetensors")
        save_tensors(folder / "adapter_model.safetensors")
    face = root / "stylegan_and_segmentation" / "stylegan_modified" / "embedded"
    put_model(face, ["config.json"])
    save_tensors(face / "generator.safetensors")
    (face / "identity_z.csv").write_text("0,1\n0.5,-0.5\n", encoding="utf-8")
    expression = root / "llm" / "models" / "embedded" / "expression"
    put_model(expression, ["classifier.json"])
    save_tensors(expression / "classifier.safetensors")
    (root / "final_product").mkdir()
    shutil.copy(ROOT / "requirements.txt", root)
    return root


def put_model(folder, names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}", encoding="utf-8")


def save_tensors(path):
    header = json.dumps({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}, "__metadata__": {}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(16))


def lines_of(check):
    return [str(finding) for finding in check]


@pytest.fixture
def report(root, torch_is, monkeypatch):
    monkeypatch.setenv("HOME", str(root.parent))
    monkeypatch.setenv("USERPROFILE", str(root.parent))

    def report(memory="memory.txt", image="ohlora.png"):
        lines = []
        report.fine = doctor.report("9.9", root, root / memory, root / image, lines.append)
        return lines

    return report


# --- the whole report -----------------------------------------------------------------------------------------------


def test_the_report_is_for_a_bug_report(report, monkeypatch, root):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    (root / "memory.txt").write_text("[이름: 민수]\n", encoding="utf-8")
    before = sorted(root.rglob("*"))
    lines = report()
    text = "\n".join(lines)
    assert lines[0] == "Oh-LoRA 9.9 진단 - 문제를 알릴 때 이 글을 그대로 붙여 주세요."
    assert all(re.match(r"[✓✗] [^:]+: .", line) and "\n" not in line for line in lines[1:-1])
    whats = [line[2:].split(":")[0] for line in lines[1:-1]]
    parts = ["언어 모델", "기억 검색", "얼굴", "표정", "기억 파일", "얼굴 그림", "대화 기록"]
    screen = ["터미널", "글자 인코딩", "색", "터미널의 그림", "창 크기", "얼굴 창"]
    assert whats == ["파이썬", "컴퓨터", *PINNED, "PyTorch", "그래픽카드", *parts, *screen]
    home = os.path.join("~", "checkout")
    assert f"✓ 기억 파일: {os.path.join(home, 'memory.txt')}, 기억 1개" in lines
    assert f"✓ 얼굴 그림: {os.path.join(home, 'ohlora.png')}" in lines
    for private in ("hf_secret", "민수", str(root.parent)):
        assert private not in text
    assert sorted(root.rglob("*")) == before, "nothing is left behind"
    assert (lines[-1] == "모두 괜찮아요.") == report.fine


def test_what_is_broken_is_counted(report, root):
    (root / "llm" / "models" / "embedded" / "base" / "config.json").unlink()
    (root / "ohlora.png").mkdir()
    lines = report()
    bad = [line for line in lines if line.startswith("✗")]
    assert not report.fine and lines[-1] == f"고칠 곳이 {len(bad)}군데 있어요." and len(bad) >= 2


def test_without_any_package_the_program_still_reports(torch_is, tmp_path):
    """Another Python without site-packages, as after a failed installation."""
    torch_is("raise ModuleNotFoundError(\"No module named 'torch'\")")
    done = subprocess.run(
        [sys.executable, "-S", str(ROOT / "final_product" / "run.py"), "--doctor"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        cwd=tmp_path,
        check=False,
    )
    lines = done.stdout.decode("utf-8").splitlines()
    assert done.returncode == 1 and done.stderr == b"" and lines[0].startswith(f"Oh-LoRA {VERSION} 진단")
    for name in PINNED:
        (line,) = [line for line in lines if line.startswith(f"✗ {name}: ")]
        assert "없음" in line and "pip install -r requirements.txt" in line
    assert any(line.startswith("✗ PyTorch: 쓰지 못해요 (ModuleNotFoundError") for line in lines)
    assert any(line.startswith("✓ 언어 모델: ") for line in lines)
    assert any(line.startswith("✗ 기억 파일: filelock 패키지가 없어서") for line in lines)
    assert any(line.startswith("✗ 대화 기록: platformdirs 패키지가 없어서") for line in lines)


def test_without_any_package_a_chat_is_one_line(tmp_path):
    done = subprocess.run(
        [sys.executable, "-S", str(ROOT / "final_product" / "run.py")],
        input=b"",
        capture_output=True,
        cwd=tmp_path,
        check=False,
    )
    last = done.stdout.decode("utf-8").splitlines()[-1]
    assert done.returncode == 1 and done.stderr == b"" and "pip install -r requirements.txt" in last


# --- Python, packages, devices --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "fine"), [((3, 9), False), ((3, 10), True), ((3, 13), True), ((3, 14), False)])
def test_which_python(monkeypatch, version, fine):
    monkeypatch.setattr(sys, "version_info", (*version, 1, "final", 0))
    (line,) = lines_of(doctor.python())
    assert line.startswith("✓" if fine else "✗") and ("3.10에서 3.13" in line) != fine


def test_packages_are_compared_with_the_pinned_versions(tmp_path):
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("# a comment\npytest==0.0.1\nno-such-package==1.2\n", encoding="utf-8")
    assert lines_of(doctor.packages(requirements)) == [
        f"✗ pytest: {pytest.__version__} (필요한 버전 0.0.1) - pip install -r requirements.txt 를 실행해 주세요",
        "✗ no-such-package: 없음 (필요한 버전 1.2) - pip install -r requirements.txt 를 실행해 주세요",
    ]
    requirements.write_text(f"pytest=={pytest.__version__}\n", encoding="utf-8")
    assert lines_of(doctor.packages(requirements)) == [f"✓ pytest: {pytest.__version__}"]


def test_a_missing_list_of_packages(tmp_path):
    (line,) = lines_of(doctor.packages(tmp_path / "requirements.txt"))
    assert line.startswith("✗ 패키지: ")


def test_a_computer_with_a_card(torch_is):
    torch_is(TORCH.format(cuda="13.0", cards=2))
    card = "✓ 그래픽카드: Some Card, 메모리 8.0GiB 가운데 6.0GiB 비어 있음"
    assert lines_of(doctor.devices()) == ["✓ PyTorch: 2.13.0, CPU 스레드 4개, CUDA 13.0", card, card]


@pytest.mark.parametrize(("cuda", "cure"), [(None, "README의 CUDA 설치"), ("13.0", "드라이버")])
def test_a_card_that_pytorch_cannot_use(torch_is, tmp_path, monkeypatch, cuda, cure):
    torch_is(TORCH.format(cuda=cuda, cards=0))
    assert lines_of(doctor.devices())[1].startswith("✓ 그래픽카드: 없음") or shutil.which("nvidia-smi")
    program = tmp_path / ("nvidia-smi.exe" if os.name == "nt" else "nvidia-smi")
    program.write_bytes(b"")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    line = lines_of(doctor.devices())[1]
    assert line.startswith("✗ 그래픽카드: ") and cure in line


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise OSError('[WinError 126] c10.dll')", "OSError: [WinError 126] c10.dll"),
        ("import os; os._exit(3)", "종료 코드 3"),
        ("", "AttributeError"),
    ],
)
def test_a_broken_pytorch(torch_is, source, reason):
    torch_is(source)
    (line,) = lines_of(doctor.devices())
    assert line.startswith("✗ PyTorch: 쓰지 못해요 (") and reason in line and "pip install" in line


def test_a_pytorch_that_never_loads(torch_is, monkeypatch):
    torch_is("import time; time.sleep(30)")
    monkeypatch.setattr(doctor, "PROBE_SECONDS", 0.3)
    (line,) = lines_of(doctor.devices())
    assert line == "✗ PyTorch: 0.3초 안에 불러오지 못했어요 - 컴퓨터를 다시 시작해 보세요"


# --- models ---------------------------------------------------------------------------------------------------------


def test_the_embedded_models_of_this_checkout_are_whole():
    assert all(line.startswith("✓") for line in lines_of(doctor.models(ROOT)) if "내장 모델" in line)


TEARS = {
    "adapter/adapter_model.safetensors": [b"", b"\x10", bytes(8), b"\xff" * 40, "short", "long"],
    "base/config.json": [b"", b"{", b"\xff\xfe"],
    "memory_sbert/1_Pooling/config.json": [b"{"],
}


@pytest.mark.parametrize(("name", "tear"), [(name, tear) for name, tears in TEARS.items() for tear in tears])
def test_a_torn_embedded_file_is_named(root, name, tear):
    path = root / "llm" / "models" / "embedded" / name
    data = path.read_bytes()
    path.write_bytes({"short": data[:-1], "long": data + b"x"}.get(tear, tear))
    (line,) = [line for line in lines_of(doctor.models(root)) if line.startswith("✗")]
    assert f"{path} 파일이 깨졌어요" in line and "git restore" in line


def test_what_reads_expressions(root):
    folder = root / "llm" / "models" / "embedded" / "expression"
    assert lines_of(doctor.expressions(root)) == ["✓ 표정: 내장 모델 (llm/models/embedded/expression)"]
    (folder / "classifier.safetensors").write_bytes(b"torn")
    (line,) = lines_of(doctor.expressions(root))
    assert line.startswith("✗ 표정: ") and "파일이 깨졌어요" in line and "git restore" in line
    (folder / "classifier.json").unlink()
    (line,) = lines_of(doctor.expressions(root))
    assert line.startswith("✗ 표정: ") and "classifier.json 파일이 없어요" in line and "git restore" in line
    assert all(line.startswith("✓") for line in lines_of(doctor.expressions(ROOT)))


def published_face(root, generator, identity="0,1\n1,2\n"):
    (root / GENERATOR.folder / GENERATOR.needed[0]).write_bytes(generator)
    (root / IDENTITY.folder / IDENTITY.needed[0]).write_text(identity, encoding="utf-8")
    return lines_of(doctor.models(root))[2]


def test_a_published_face(root, tmp_path):
    archive = Path(shutil.make_archive(str(tmp_path / "weights"), "zip", root / "final_product")).read_bytes()
    assert published_face(root, archive).startswith("✓ 얼굴: 공개 모델")
    assert published_face(root, b"\x80\x02 an old pickle").startswith("✓ 얼굴: 공개 모델")
    torn = published_face(root, archive[:-4])
    assert torn.startswith("✗ 얼굴: 공개 모델") and GENERATOR.needed[0] in torn and "final_product/download.py" in torn
    for identity in ("", "0,1\n", "0,1\n1\n"):
        assert IDENTITY.needed[0] in published_face(root, archive, identity)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.folder)
def test_an_unfinished_download_is_told(root, source):
    source.staging(root).mkdir(parents=True)
    (line,) = [line for line in lines_of(doctor.models(root)) if line.startswith("✗")]
    assert source.title in line and "python final_product/download.py" in line


# --- files and terminal ---------------------------------------------------------------------------------------------


def test_a_memory_file_that_is_not_there_yet(tmp_path):
    path = tmp_path / "none" / "memory.txt"
    assert lines_of(doctor.memory_file(path)) == [f"✓ 기억 파일: {path}, 아직 없음"]
    assert not path.parent.exists()


def test_a_memory_file_that_cannot_be_read(tmp_path):
    path = tmp_path / "memory.txt"
    path.write_bytes(b"[\xff\xff: \xff]\n")
    (line,) = lines_of(doctor.memory_file(path))
    assert line.startswith("✗ 기억 파일: ") and "UTF-8" in line


def test_a_file_that_is_read_only(tmp_path, monkeypatch):
    path = tmp_path / "memory.txt"
    path.write_text("", encoding="utf-8")
    path.chmod(0o444)
    monkeypatch.setattr(os, "access", lambda *_: False)  # the account that tests run under may write everywhere
    assert "읽기 전용" in lines_of(doctor.memory_file(path))[0]
    assert "읽기 전용" in lines_of(doctor.picture(path))[0]


def test_a_picture_without_a_folder(tmp_path):
    (line,) = lines_of(doctor.picture(tmp_path / "none" / "ohlora.png"))
    assert line.startswith("✗ 얼굴 그림: ") and "--image" in line
    (tmp_path / "ohlora.png").mkdir()
    (line,) = lines_of(doctor.picture(tmp_path / "ohlora.png"))
    assert line.startswith("✗ 얼굴 그림: ") and "폴더가 있어요" in line


def test_a_folder_that_cannot_be_written(tmp_path):
    blocked = tmp_path / "a file"
    blocked.write_text("", encoding="utf-8")
    (line,) = lines_of(doctor.picture(blocked / "ohlora.png"))
    assert line.startswith("✗ 얼굴 그림: ")


def test_the_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setenv("LINES", "10")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    lines = lines_of(doctor.terminal())
    assert "TERM=xterm-256color" in lines[0] and "(NO_COLOR)" in lines[2]
    assert lines[3].startswith("✓ 터미널의 그림: ")
    assert lines[4] == "✗ 창 크기: 30x10 - 창을 40칸보다 넓혀 주세요"


def test_the_window(monkeypatch):
    monkeypatch.setattr(doctor, "why_no_window", lambda environment: None)
    assert lines_of(doctor.window()) == ["✓ 얼굴 창: 열 수 있음 (--window)"]
    monkeypatch.setattr(doctor, "why_no_window", lambda environment: NO_TK)
    assert lines_of(doctor.window()) == [f"✓ 얼굴 창: 없음 ({NO_TK})"], "nothing is broken: the chat does without"


def test_where_chats_are_kept(data_folder):
    folder = data_folder / "Oh-LoRA" / "chats"
    assert lines_of(doctor.chats()) == [f"✓ 대화 기록: {folder}, 대화 0개"]
    folder.mkdir(parents=True)
    (folder / "20261122T101010.000000Z.jsonl").write_bytes(b"")
    assert lines_of(doctor.chats()) == [f"✓ 대화 기록: {folder}, 대화 1개"]


def test_chats_that_cannot_be_kept(data_folder):
    (data_folder / "Oh-LoRA").write_bytes(b"")
    (line,) = lines_of(doctor.chats())
    assert line.startswith("✗ 대화 기록: ")


@pytest.mark.skipif(os.name == "nt", reason="the program sets the Windows console's encoding itself")
def test_an_encoding_that_has_no_hangul(monkeypatch):
    monkeypatch.setattr("locale.getpreferredencoding", lambda _: "ANSI_X3.4-1968")
    assert lines_of(doctor.terminal())[1].startswith("✗ 글자 인코딩: ANSI_X3.4-1968 - export LANG=C.UTF-8")


@pytest.mark.parametrize("home", ["/home/min", "/"])
def test_the_home_folder_is_not_shown(monkeypatch, home):
    monkeypatch.setattr(Path, "home", lambda: Path(home))
    said = "/home/min/a.txt /home/minsu/b.txt (/home/min)"
    assert doctor._without_home(said) == {"/": said, "/home/min": "~/a.txt /home/minsu/b.txt (~)"}[home]
