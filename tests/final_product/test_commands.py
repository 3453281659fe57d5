"""The table of commands, what is read from a line, what completes it, and the README's table."""

import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from final_product.commands import (
    AGAIN,
    COMMANDS,
    END,
    EXPRESSION,
    FORGET,
    HELP,
    MEMORIES,
    UNDO,
    CommandError,
    completions,
    is_command,
    markdown_table,
    read_command,
    read_expression,
    read_number,
)
from final_product.named_expressions import NAMED_EXPRESSIONS

ROOT = Path(__file__).resolve().parents[2]


def test_the_table():
    names = [name for command in COMMANDS for name in (command.name, command.alias, *command.also)]
    assert len(names) == len(set(names))
    for command in COMMANDS:
        assert command.alias.isascii() and not command.name.isascii() and command.summary.endswith("요")
        assert all(usage.split()[0] == f"/{command.name}" for usage in command.usages)
        assert "\n" not in command.summary and "|" not in command.summary


@pytest.mark.parametrize(
    ("line", "command", "rest"),
    [
        ("/기억", MEMORIES, ""),
        ("  /기억  ", MEMORIES, ""),
        ("/기억 추가 [내일 일정: 친구 만나기]", MEMORIES, "추가 [내일 일정: 친구 만나기]"),
        ("/잊어 2", FORGET, "2"),
        ("/잊어   2 ", FORGET, "2"),
        ("/기억\n추가 [이름: 민수]", MEMORIES, "추가 [이름: 민수]"),
        ("/ 기억", MEMORIES, ""),
        ("/AGAIN", AGAIN, ""),
        ("/again", AGAIN, ""),
        ("/bye", END, ""),
        ("/?", HELP, ""),
        ("/regen", AGAIN, ""),
        (unicodedata.normalize("NFD", "/되돌리기"), UNDO, ""),
    ],
)
def test_reading(line, command, rest):
    assert is_command(line) and read_command(line) == (command, rest)


@pytest.mark.parametrize("line", ["", "안녕", "나 1/2 먹었어", "[이름: 민수]", "?/기억"])
def test_what_is_no_command(line):
    assert not is_command(line)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/기옥", "/기옥 - 그런 명령은 없어요. 혹시 /기억 인가요? /도움말 을 쓰면 모두 볼 수 있어요."),
        ("/되돌려", "/되돌려 - 그런 명령은 없어요. 혹시 /되돌리기 인가요? /도움말 을 쓰면 모두 볼 수 있어요."),
        ("/되", "/되 - 그런 명령은 없어요. 혹시 /되돌리기 인가요? /도움말 을 쓰면 모두 볼 수 있어요."),
        ("/memry 3", "/memry - 그런 명령은 없어요. 혹시 /기억 인가요? /도움말 을 쓰면 모두 볼 수 있어요."),
        ("/exti", "/exti - 그런 명령은 없어요. 혹시 /끝 인가요? /도움말 을 쓰면 모두 볼 수 있어요."),
        ("/잊어2", "/잊어2 - 그런 명령은 없어요. 혹시 /잊어 인가요? /도움말 을 쓰면 모두 볼 수 있어요."),
        ("/clear", "/clear - 그런 명령은 없어요. /도움말 을 쓰면 모두 볼 수 있어요."),
        ("/", "명령을 써 주세요. /도움말 을 쓰면 모두 볼 수 있어요."),
    ],
)
def test_an_unknown_command_is_told_the_nearest(line, said):
    with pytest.raises(CommandError) as caught:
        read_command(line)
    assert str(caught.value) == said


@given(st.text(st.characters()))
def test_whatever_stands_behind_a_slash(text):
    try:
        command, _ = read_command(f"/{text}")
    except CommandError as error:
        assert str(error).isprintable() and len(str(error)) < 120
    else:
        assert command in COMMANDS


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "둘", "2 3", "²", "٣", "1" * 10])
def test_what_is_no_number_is_told_the_usage(text):
    with pytest.raises(CommandError) as caught:
        read_number(text, FORGET)
    assert str(caught.value) == "이렇게 써 주세요: /잊어 N"


def test_numbers():
    assert read_number("12", FORGET) == 12


@pytest.mark.parametrize("text", ["0.5 -1.2 3", "0.5, -1.2, 3", "0.5,-1.2,3.0"])
def test_expressions_by_number(text):
    assert read_expression(text) == (0.5, -1.2, 3.0)


def test_expressions_by_name():
    for name, scores in NAMED_EXPRESSIONS.items():
        assert read_expression(name) == read_expression(unicodedata.normalize("NFD", name)) == scores


NAMES = ", ".join(NAMED_EXPRESSIONS)


@pytest.mark.parametrize("text", ["", "행복", "1 2", "1 2 3 4", "하나 둘 셋"])
def test_what_is_no_expression_is_told_the_names(text):
    with pytest.raises(CommandError) as caught:
        read_expression(text)
    assert str(caught.value) == f"이렇게 써 주세요: /표정 이름 또는 /표정 눈 입 고개 (이름: {NAMES})"


@pytest.mark.parametrize("text", ["4.1 0 0", "0 -5 0", "0 0 nan", "inf 0 0", "1e99 0 0"])
def test_an_expression_beyond_all_faces(text):
    with pytest.raises(CommandError) as caught:
        read_expression(text)
    assert str(caught.value) == "눈, 입, 고개는 -4에서 4 사이의 수로 써 주세요."


def words(text):
    return [text[: len(text) - taken] + word for word, _, taken in completions(text)]


def test_completion():
    assert words("/") == [f"/{command.name}" for command in COMMANDS]
    assert words("/기") == ["/기억", "/기록"]
    assert words(" /기") == [" /기억", " /기록"]
    assert words("/me") == words("/ME") == ["/memory"]
    assert words("/기억 ") == ["/기억 추가"]
    assert words("/표정 미") == ["/표정 미소", "/표정 미안"]
    assert words("/model 받") == ["/model 받기"]
    assert words("/표정 미소 ") == words("/없는명령 ") == words("안녕") == words("") == []
    (found,) = completions("/도움")
    assert found == ("/도움말", HELP.summary, 3)
    (found,) = completions(unicodedata.normalize("NFD", "/도움"))
    assert found[2] == len(unicodedata.normalize("NFD", "/도움")), "what is typed is what is replaced"


def test_the_readme_has_the_table():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"\n\n{markdown_table()}\n\n" in readme, "put there what python -m final_product.commands prints"


def test_the_table_is_printed_for_the_readme():
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-X", "importtime", "-m", "final_product.commands"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    assert done.stdout.decode("utf-8").splitlines() == markdown_table().splitlines()
    assert b"numpy" not in done.stderr and b"difflib" not in done.stderr
    assert f"`{EXPRESSION.usages[1]}`" in markdown_table() and NAMES in markdown_table()
