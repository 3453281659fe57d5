"""Verdicts on replies: every one complete, and counted."""

import json

import pytest

from llm.fine_tuning.judged import load_verdicts, main


def written(path, *lines):
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


GOOD = {"prompt": "배고파", "reply": "떡볶이 어때?", "fits": True}
BAD = {"prompt": "잘 자", "reply": "떡볶이 어때?", "fits": False, "why": "인사에 음식"}


def test_the_share_that_fits_is_printed_with_what_does_not(tmp_path, capsys):
    main(["--judged", str(written(tmp_path / "judged.jsonl", GOOD, GOOD, GOOD, BAD))])
    out = capsys.readouterr().out
    assert "| judged to fit the prompt (4) | 75 % |" in out and "인사에 음식" in out


@pytest.mark.parametrize("line", [{"prompt": "잘 자"}, {**BAD, "why": ""}, {**GOOD, "fits": "yes"}])
def test_a_line_that_is_no_verdict_is_named(tmp_path, line):
    with pytest.raises(ValueError, match="judged.jsonl:2"):
        load_verdicts(written(tmp_path / "judged.jsonl", GOOD, line))
