"""Getting the models: from every repository, past every fault, and never half a file in a model's folder."""

import io
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from huggingface_hub import constants

from final_product import download
from final_product.model_store import ADAPTER, BASE, GENERATOR, IDENTITY, RETRIEVER, SOURCES, Part, find_models
from final_product.remote_files import Patience
from tests.hub_stand_in import HubStandIn

ROOT = Path(__file__).resolve().parents[2]
QUICK = Patience(timeout=10.0, tries=2, pause=0.01)
IMPATIENT = Patience(timeout=0.3, tries=2, pause=0.01)  # for connections that do stall
SHARDS = [f"model-0000{n}-of-00003.safetensors" for n in (1, 2, 3)]
DONE = "공개 모델이 모두 있어요. 다음에 시작할 때부터 써요: python final_product/run.py"


def noise(count, seed):
    return random.Random(seed).randbytes(count)


def published():
    index = json.dumps({"weight_map": {str(n): shard for n, shard in enumerate(SHARDS)}}).encode()
    return {
        BASE.repository: {
            "README.md": b"# base",
            "config.json": b'{"model_type": "gpt_neox"}',
            "model.safetensors.index.json": index,
            **{shard: noise(30_000, shard) for shard in SHARDS},
            "pytorch_model.bin": b"a pickle",
            "tokenizer.json": b"{}",
        },
        ADAPTER.repository: {
            ".gitattributes": b"*.safetensors lfs",
            "adapter_config.json": b'{"r": 128}',
            "adapter_model.safetensors": noise(20_000, "adapter"),
            "special_tokens_map.json": b"{}",
            "tokenizer.json": b"{}",
            "tokenizer_config.json": b"{}",
            "training_args.bin": b"a pickle",
            "checkpoint-80/adapter_config.json": b"{}",
        },
        RETRIEVER.repository: {  # as some repositories do, one folder down
            "README.md": b"# S-BERT",
            "trained_sbert_model/modules.json": b"[]",
            "trained_sbert_model/config.json": b"{}",
            "trained_sbert_model/model.safetensors": noise(20_000, "sbert"),
            "trained_sbert_model/vocab.txt": "로라\n".encode(),
            "trained_sbert_model/1_Pooling/config.json": b"{}",
            "trained_sbert_model/../escape.json": b"{}",
            "trained_sbert_model/..\\escape.json": b"{}",
        },
        IDENTITY.repository: {IDENTITY.needed[0]: b"0,1\n0.5,0.5\n"},
        GENERATOR.repository: {GENERATOR.needed[0]: noise(200_000, "face"), "other_ckpt.pth": b"another"},
    }


WANTED = {
    "llm/models/polyglot_original": {"config.json", "model.safetensors.index.json", *SHARDS, "tokenizer.json"},
    "llm/models/polyglot_fine_tuned": {
        "adapter_config.json",
        "adapter_model.safetensors",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
    },
    "llm/models/memory_sbert/trained_sbert_model": {
        "modules.json",
        "config.json",
        "model.safetensors",
        "vocab.txt",
        "1_Pooling/config.json",
    },
    "final_product": {"final_ohlora_z_vector.csv"},
    "stylegan_and_segmentation/stylegan_modified": {GENERATOR.needed[0]},
}
EVERYTHING = {f"{folder}/{name}" for folder, names in WANTED.items() for name in names}


@pytest.fixture
def hub(monkeypatch, tmp_path):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no_token"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    stand_in = HubStandIn(published())
    yield stand_in
    stand_in.close()


@pytest.fixture
def root(tmp_path):
    """A checkout without models: the two folders that hold code are there."""
    root = tmp_path / "checkout"
    (root / "final_product").mkdir(parents=True)
    (root / "stylegan_and_segmentation" / "stylegan_modified").mkdir(parents=True)
    return root


@pytest.fixture
def run(hub, root, capsys):
    def run(*options, **replaced):
        capsys.readouterr()
        settings = {"root": root, "patience": QUICK, "endpoint": hub.url, "github": hub.url, **replaced}
        run.code = download.main(list(options), **settings)
        out, err = capsys.readouterr()
        assert err == "" and "\x1b" not in out
        return out.splitlines()

    return run


def files_of(root):
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def models_of(root):
    """Every file but the lock."""
    return {name for name in files_of(root) if not name.endswith(".lock")}


def in_model_folders(root):
    return {name for name in models_of(root) if ".download/" not in name}


def whole(root):
    """Whether the files in the models' folders, if there, are the repositories'."""
    contents = {source.folder: published()[source.repository] for source in SOURCES}
    for name in in_model_folders(root):
        folder = max((folder for folder in contents if name.startswith(folder + "/")), key=len)
        names = [other for other in contents[folder] if other.endswith(name.removeprefix(folder + "/"))]
        if (root / name).read_bytes() not in [contents[folder][other] for other in names]:
            return False
    return True


def parts_of(root):
    return [path for path in root.rglob("*.part")]


# --- what is fetched ------------------------------------------------------------------------------------------------


def test_everything_comes_to_its_place_and_the_next_start_uses_it(run, root, hub):
    hub.licences[ADAPTER.repository] = "mit"
    lines = run()
    assert run.code == 0 and lines[-1] == DONE
    assert models_of(root) == EVERYTHING and whole(root)
    models = find_models(root)
    assert all(model.published and not model.problems for model in models.values())
    assert lines[1:6] == [
        f"바탕 언어 모델 | 받을 파일 6개 | 90KB | Hugging Face {BASE.repository} | apache-2.0",
        f"오로라 LLM | 받을 파일 5개 | 20KB | Hugging Face {ADAPTER.repository} | mit",
        f"기억 S-BERT | 받을 파일 5개 | 20KB | Hugging Face {RETRIEVER.repository} | 저장소 참고",
        f"얼굴 z 벡터 | 받을 파일 1개 | 12B | GitHub {IDENTITY.repository} | 저장소 참고",
        f"얼굴 생성기 | 받을 파일 1개 | 200KB | Hugging Face {GENERATOR.repository} | 저장소 참고",
    ]
    assert {line.removeprefix("✓ ").split(" (")[0] for line in lines if line.startswith("✓ ")} == EVERYTHING


def test_a_second_run_fetches_nothing(run, root, hub):
    run()
    before = {name: (root / name).stat().st_mtime_ns for name in EVERYTHING}
    hub.requests.clear()
    lines = run()
    assert run.code == 0 and lines[-1] == DONE and sum("| ✓ 있음 |" in line for line in lines) == 5
    assert len(hub.requests) == 5 and not hub.asked(".safetensors")
    assert {name: (root / name).stat().st_mtime_ns for name in EVERYTHING} == before


def test_check_says_what_is_missing_and_what_is_broken_and_fetches_nothing(run, root, hub):
    run("--check")
    assert run.code == 1 and models_of(root) == set()
    run()
    assert run("--check")[-1] == "공개 모델이 모두 있고, 크기와 해시가 저장소의 것과 같아요." and run.code == 0
    base, adapter = root / BASE.folder, root / ADAPTER.folder
    (base / SHARDS[1]).write_bytes(noise(30_000, "rot"))
    (adapter / "adapter_model.safetensors").write_bytes(b"torn")
    (root / RETRIEVER.folder / "1_Pooling" / "config.json").unlink()
    before = {name: (root / name).read_bytes() for name in models_of(root)}
    lines = run("--check")
    assert run.code == 1
    assert [line for line in lines if line.startswith("✗")] == [
        f"✗ {BASE.folder}/{SHARDS[1]}: 내용(해시)이 저장소의 것과 달라요",
        f"✗ {ADAPTER.folder}/adapter_model.safetensors: 크기가 달라요 (4바이트, 저장소에는 20,000바이트)",
        f"✗ {RETRIEVER.folder}/1_Pooling/config.json: 없어요",
    ]
    assert lines[-1] == "python final_product/download.py 를 실행하면 위 파일만 받아요."
    assert {name: (root / name).read_bytes() for name in models_of(root)} == before

    hub.requests.clear()
    run()
    assert run.code == 0 and models_of(root) == EVERYTHING and whole(root)
    fetched = [path for path, _ in hub.requests if "/resolve/" in path]
    assert len(fetched) == 3, "only what was bad"


def test_the_token_goes_to_the_hub_alone(run, root, hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub.elsewhere = True
    lines = run()
    assert run.code == 0 and whole(root) and "hf_secret" not in "\n".join(lines)
    for path, headers in hub.requests:
        to_hub = headers["host"].startswith("127.") and not path.startswith("/repos/")
        assert ("authorization" in headers) == to_hub, path
    assert any(headers["host"].startswith("localhost") for _, headers in hub.requests)


def test_a_script_is_asked_nothing(hub, root):
    """Another Python, as users run it: HF_ENDPOINT, a pipe that never says anything, another code page."""
    program = (
        "import sys; from pathlib import Path; from final_product.download import main; "
        "sys.exit(main([], root=Path(sys.argv[1]), github=sys.argv[2]))"
    )
    settings = {"HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0", "PYTHONIOENCODING": "ascii"}
    reading, writing = os.pipe()
    try:
        done = subprocess.run(
            [sys.executable, "-c", program, str(root), hub.url],
            stdin=reading,
            capture_output=True,
            env={**os.environ, **settings},
            cwd=ROOT,
            timeout=60,
            check=False,
        )
    finally:
        os.close(reading)
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode("utf-8").splitlines()[-1] == DONE and models_of(root) == EVERYTHING


class FakeTerminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("typed", "fetched"), [("\n", True), ("ㅛ\n", True), ("n\n", False), ("", False)])
def test_at_a_terminal_there_is_a_table_and_a_question(hub, root, monkeypatch, typed, fetched):
    out = FakeTerminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stdin", FakeTerminal(typed))
    monkeypatch.setenv("COLUMNS", "160")
    code = download.main([], root=root, patience=QUICK, endpoint=hub.url, github=hub.url)
    shown = out.getvalue()
    assert "라이선스" in shown and "│" in shown and BASE.repository in shown and "받을까요?" in shown
    assert (code, DONE in shown, models_of(root)) == ((0, True, EVERYTHING) if fetched else (1, False, set()))


def test_yes_asks_nothing(hub, root, monkeypatch):
    out = FakeTerminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stdin", FakeTerminal())
    assert download.main(["--yes"], root=root, patience=QUICK, endpoint=hub.url, github=hub.url) == 0
    assert "받을까요?" not in out.getvalue()


# --- cuts and stalls ------------------------------------------------------------------------------------------------

WEIGHTS = [
    (BASE, SHARDS[0]),
    (ADAPTER, "adapter_model.safetensors"),
    (RETRIEVER, "model.safetensors"),
    (IDENTITY, IDENTITY.needed[0]),
    (GENERATOR, GENERATOR.needed[0]),
]


@pytest.mark.parametrize(("source", "name"), WEIGHTS)
def test_a_cut_is_mended_within_the_run(run, root, hub, source, name):
    hub.faults[f"/{name}"] = [None, ("cut", 5)] if source is IDENTITY else [("cut", 5_000), ("cut", 7_000)]
    run()
    assert run.code == 0 and whole(root) and models_of(root) == EVERYTHING
    ranges = [headers.get("range") for headers in hub.asked(f"/{name}")]
    if source is IDENTITY:
        assert ranges == [None, None, "bytes=5-"]
    else:
        assert ranges == [None, "bytes=5000-", "bytes=12000-"]


@pytest.mark.parametrize(("source", "name"), WEIGHTS)
@pytest.mark.parametrize("fault", ["cut", "stall"])
def test_a_dead_connection_leaves_a_part_that_the_next_run_continues(run, root, hub, source, name, fault):
    asked_first = [None] if source is IDENTITY else []
    hub.faults[f"/{name}"] = [*asked_first, (fault, 6), ("cut", 0), ("cut", 0)]
    lines = run(patience=IMPATIENT if fault == "stall" else QUICK)
    assert run.code == 3 and "이어 받아요" in lines[-1] and lines[-1].startswith("✗ 127.0.0.1")
    (part,) = parts_of(root)
    assert part.stat().st_size == 6 and part.parent.name == source.staging(root).name
    assert in_model_folders(root) < EVERYTHING and whole(root)
    assert not find_models(root)[source.part].published, "until all is there the embedded model is used"

    finished = {path: headers for path, headers in hub.requests if "/resolve/" in path and not path.endswith(name)}
    hub.requests.clear()
    assert run()[-1] == DONE and models_of(root) == EVERYTHING and whole(root)
    assert hub.asked(f"/{name}")[-1]["range"] == "bytes=6-"
    assert not {path for path, _ in hub.requests}.intersection(finished), "finished files are left alone"


def test_a_connection_that_stays_silent_is_given_up(run, root, hub):
    hub.faults[f"/{SHARDS[0]}"] = ["stall", "stall"]
    lines = run(patience=IMPATIENT)
    assert run.code == 3 and lines[-1].startswith("✗ 127.0.0.1 의 응답이 0.3초 동안 없어요.")


def test_a_server_that_knows_no_ranges_starts_over(run, root, hub):
    hub.faults[f"/{GENERATOR.needed[0]}"] = [("cut", 90_000), "ignore range"]
    run()
    assert run.code == 0 and whole(root)


def test_a_part_longer_than_the_file_is_dropped(run, root, hub):
    hub.faults[f"/{SHARDS[0]}"] = [("cut", 9), ("cut", 0), ("cut", 0)]
    run()
    (part,) = parts_of(root)
    part.write_bytes(noise(40_000, "long"))
    run()
    assert run.code == 0 and whole(root) and models_of(root) == EVERYTHING


def test_ctrl_c_keeps_what_came(run, root, hub, monkeypatch):
    def interrupted(seconds):
        raise KeyboardInterrupt

    hub.faults[f"/{SHARDS[0]}"] = [("cut", 9)]
    with monkeypatch.context() as patch:
        patch.setattr("final_product.remote_files.time.sleep", interrupted)
        lines = run()
    assert run.code == 130 and "이어 받아요: python final_product/download.py" in lines[-1]
    assert [part.stat().st_size for part in parts_of(root)] == [9]
    run()
    assert run.code == 0 and whole(root) and hub.asked(f"/{SHARDS[0]}")[-1]["range"] == "bytes=9-"


# --- lies and refusals ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("source", "name"), WEIGHTS)
def test_wrong_content_is_thrown_away(run, root, hub, source, name):
    hub.faults[f"/{name}"] = [None, "lie"] if source is IDENTITY else ["lie"]
    lines = run()
    assert run.code == 5
    (line,) = [line for line in lines if line.startswith("✗")]
    assert line.startswith(f"✗ {name} ") and "해시" in line and "다시 실행해 주세요" in line
    assert whole(root) and not parts_of(root)
    models = find_models(root)
    assert {part for part in Part if models[part].published} == set(Part) - {source.part}
    assert run()[-1] == DONE and models_of(root) == EVERYTHING


def test_pieces_that_do_not_fit_are_fetched_once_more_from_the_start(run, root, hub):
    hub.faults[f"/{SHARDS[0]}"] = [("cut", 9), "lie"]
    run()
    assert run.code == 0 and whole(root)
    assert [headers.get("range") for headers in hub.asked(f"/{SHARDS[0]}")] == [None, "bytes=9-", None]


# Status -> what the cure names.
REFUSALS = {401: "HF_TOKEN", 403: "HF_TOKEN", 404: "새 버전", 429: "몇 분 뒤", 503: "서버에 문제"}


@pytest.mark.parametrize(
    ("source", "status"),
    [(source, status) for source in SOURCES for status in REFUSALS if status in (401, 404) or source is RETRIEVER],
)
def test_a_repository_that_refuses_leaves_the_other_parts_alone(run, root, hub, source, status):
    hub.faults[f"/{source.needed[0]}" if source is IDENTITY else f"/api/models/{source.repository}"] = [status]
    lines = run()
    assert run.code == 4
    (line,) = [line for line in lines if line.startswith("✗")]
    assert f"HTTP {status}" in line and REFUSALS[status] in line
    models = find_models(root)
    assert {part for part in Part if models[part].published} == set(Part) - {source.part}
    folders = [other.folder for other in SOURCES if other.part is source.part]
    assert not any(name.startswith(f"{folder}/") for folder in folders for name in models_of(root))


def test_a_wrong_token_is_named_and_not_shown(run, hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub.faults[f"/{SHARDS[0]}"] = [401]
    lines = run()
    (line,) = [line for line in lines if line.startswith("✗")]
    assert run.code == 4 and "HF_TOKEN(또는 저장된 로그인)이 맞지 않아요" in line and "hf_secret" not in line


def test_a_busy_server_is_tried_again(run, root, hub):
    hub.faults[f"/{SHARDS[0]}"] = [503]
    run()
    assert run.code == 0 and whole(root)


def test_a_login_page_is_no_repository(run, root, hub):
    hub.faults[f"/api/models/{RETRIEVER.repository}"] = ["html"]
    (line,) = [line for line in run() if line.startswith("✗")]
    assert run.code == 4 and "와이파이 로그인" in line
    assert not find_models(root)[Part.RETRIEVER].published


def test_a_repository_without_the_weights(run, root, hub):
    del hub.repositories[ADAPTER.repository]["adapter_model.safetensors"]
    (line,) = [line for line in run() if line.startswith("✗")]
    assert run.code == 4 and ADAPTER.repository in line and "adapter_model.safetensors" in line
    assert not find_models(root)[Part.LANGUAGE].published


def test_a_base_that_lacks_a_shard_is_never_used(run, root, hub):
    del hub.repositories[BASE.repository][SHARDS[2]]
    (line,) = [line for line in run() if line.startswith("✗")]
    assert run.code == 4 and SHARDS[2] in line
    assert not find_models(root)[Part.LANGUAGE].published


@pytest.mark.parametrize("options", [[], ["--check"]])
def test_no_network_is_one_line_for_each_host(run, root, hub, options):
    nowhere = "http://127.0.0.1:1"
    lines = run(*options, endpoint=nowhere, github=nowhere)
    errors = [line for line in lines if line.startswith("✗")]
    assert run.code == 3 and len(errors) == 2 and all("127.0.0.1 에 연결하지 못했어요" in line for line in errors)
    assert sum("| 파일이 없음 |" in line for line in lines) == 5
    assert models_of(root) == set()


def test_a_hub_that_stays_silent(run, root, hub):
    hub.faults[f"/api/models/{BASE.repository}"] = ["stall"]
    lines = run(patience=IMPATIENT)
    (line,) = [line for line in lines if line.startswith("✗")]
    assert run.code == 3 and "0.3초 동안" in line
    assert models_of(root) == set(), "what one repository could not tell the next cannot make whole"


def test_an_address_that_is_none(run):
    (line,) = [line for line in run(endpoint="huggingface.co") if line.startswith("✗")]
    assert run.code == 3 and "HF_ENDPOINT" in line


def test_offline_by_setting(run, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    lines = run()
    assert run.code == 3 and all("HF_HUB_OFFLINE" in line for line in lines if line.startswith("✗"))


# --- the disk -------------------------------------------------------------------------------------------------------


def test_too_little_room_is_said_before_anything_is_fetched(run, root, hub):
    lines = run(free_bytes=lambda folder: 1_000_000)
    assert run.code == 6
    assert lines[-1].startswith("✗ 디스크에 자리가 모자라요 (330KB가 필요한데 1.0MB 남았어요): ")
    assert models_of(root) == set() and not any("/resolve/" in path for path, _ in hub.requests)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full is Linux's")
def test_a_disk_that_fills_up(run, root, hub):
    hub.faults[f"/{SHARDS[0]}"] = [("cut", 9), ("cut", 0), ("cut", 0)]
    run()
    (part,) = parts_of(root)
    part.unlink()
    part.symlink_to("/dev/full")
    lines = run()
    assert run.code == 6 and lines[-1].startswith("✗ 디스크에 자리가 모자라요: ") and str(part) in lines[-1]
    assert in_model_folders(root) == set()


def test_a_place_that_cannot_be_written(run, root):
    BASE.staging(root).parent.mkdir(parents=True)
    BASE.staging(root).write_text("a file where the folder should be", encoding="utf-8")
    lines = run()
    assert run.code == 6 and lines[-1].startswith("✗ 파일을 쓰지 못했어요: ")


def test_one_download_at_a_time(run, root):
    (root / "llm" / "models").mkdir(parents=True)
    with FileLock(root / "llm" / "models" / ".download.lock"):
        lines = run()
    assert run.code == 1 and lines[-1].startswith("✗ 다른 창에서 이미 받고 있어요.")
    run()
    assert run.code == 0


def test_a_models_folder_on_another_disk_may_be_a_link(run, root, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (root / "llm" / "models").mkdir(parents=True)
    try:
        (root / BASE.folder).symlink_to(elsewhere, target_is_directory=True)
    except OSError:
        pytest.skip("links need a right that this account lacks")
    run()
    assert run.code == 0 and (elsewhere / SHARDS[0]).is_file() and (root / BASE.folder).is_symlink()


# --- options --------------------------------------------------------------------------------------------------------


def test_help_is_korean_and_light():
    done = subprocess.run(
        [sys.executable, "-X", "importtime", str(ROOT / "final_product" / "download.py"), "--help"],
        capture_output=True,
        cwd=ROOT.anchor,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=False,
    )
    text = done.stdout.decode("utf-8")
    assert done.returncode == 0 and text.startswith("사용법: python final_product/download.py")
    assert "--check" in text and "--yes" in text
    assert b"huggingface_hub" not in done.stderr and b"torch" not in done.stderr


@pytest.mark.parametrize(("argument", "named"), [("--all", "--all"), ("x", "x"), ("--check=1", "--check")])
def test_a_wrong_option_is_one_korean_line(argument, named, capsys):
    with pytest.raises(SystemExit) as caught:
        download.main([argument])
    assert caught.value.code == 2
    assert capsys.readouterr().err == f"잘못된 옵션이에요: {named}. 쓸 수 있는 옵션은 --help 로 볼 수 있어요.\n"
