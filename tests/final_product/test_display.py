"""The screen: lines, tables and pictures, at a terminal and through a pipe."""

import io
import re

import pytest
from PIL import Image

from final_product.display import REPLY_PREFIX, Display, make_utf8


def test_lines_never_run_into_what_is_unfinished():
    out = io.StringIO()
    display = Display(out)

    def pieces():
        yield "둘"
        yield "셋"
        display.line("(넷)")
        yield "다섯"

    display.end_line()
    display.line("하나")
    display.reply(pieces())
    display.end_line()
    display.line("여섯")
    assert out.getvalue() == f"하나\n{REPLY_PREFIX}둘셋\n(넷)\n다섯\n여섯\n"


class Terminal(io.StringIO):
    def isatty(self):
        return True


ROWS = [("1", "이름", "민수"), ("12", "좋아하는 음식", "")]


@pytest.mark.parametrize("display", [Display(io.StringIO()), Display(Terminal(), plain=True)], ids=["pipe", "--plain"])
def test_a_table_in_plain_lines(display):
    display.table(("번호", "키", "값"), [*ROWS, ("3", "색\x1b[31m", "빨강\n")])
    assert display._out.getvalue() == "1  이름  민수\n12  좋아하는 음식\n3  색[31m  빨강\n"


def test_a_table_at_a_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = Terminal()
    Display(out).table(("번호", "키", "값"), [*ROWS, ("3", "[bold]색", "빨강")])
    shown = re.sub("\x1b\\[[0-9;]*m", "", out.getvalue())
    lines = [line.split() for line in shown.splitlines() if line.strip(" ─")]
    assert lines == [["번호", "키", "값"], ["1", "이름", "민수"], ["12", "좋아하는", "음식"], ["3", "[bold]색", "빨강"]]
    assert "─" in out.getvalue() and "\x1b[" in out.getvalue()


@pytest.mark.parametrize("columns", range(20, 60, 3))
def test_a_table_shows_every_word_however_narrow_the_screen(columns, terminal, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    said = "마지막 답에 떠올린 기억과 비슷한 정도, 지은 표정, 걸린 시간을 보여 줘요"
    Display(terminal).table(("명령", "뜻"), [("/왜", said)])
    shown = re.sub("\x1b\\[[0-9;]*m", "", terminal.getvalue())
    assert "".join(said.split()) in "".join(shown.replace("/왜", "").split())


COLOUR = re.compile("\x1b\\[(?:[0-9]+;)*(?:3|4)[0-9]")


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Terminal()


def test_colours_follow_the_terminal(terminal, monkeypatch):
    def shown(**options):
        out = Terminal()
        display = Display(out, **options)
        display.line("(기억: 이름: 민수)")
        display.line("✗ 파이썬: 3.9")
        display.reply(["안녕!"])
        return out.getvalue()

    coloured = shown()
    assert COLOUR.search(coloured) and coloured.count("\x1b[2m") == 1, "notices are dim"
    plain = f"(기억: 이름: 민수)\n✗ 파이썬: 3.9\n{REPLY_PREFIX}안녕!\n"
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == plain == shown(plain=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not COLOUR.search(shown())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert shown() == plain


def test_lines_and_replies_are_wrapped_by_words(terminal):
    display = Display(terminal, plain=False)
    display.line("(얼굴 그림을 저장하지 못했어요. 폴더에 쓸 수 있는지 봐 주세요.)")
    display.reply(["오늘은 정말 ", "재미있는 하", "루였어! 너는 ", "어땠어?"])
    shown = re.sub("\x1b\\[[0-9;]*m", "", terminal.getvalue())
    assert [line.rstrip() for line in shown.splitlines()] == [
        "(얼굴 그림을 저장하지 못했어요. 폴더에",
        "쓸 수 있는지 봐 주세요.)",
        f"{REPLY_PREFIX}오늘은 정말 재미있는",
        "하루였어! 너는 어땠어?",
    ]


def test_what_stands_unfinished_keeps_what_was_said(terminal):
    def pieces():
        yield "안녕, 나"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Display(terminal).reply(pieces())
    assert re.sub("\x1b\\[[0-9;]*m", "", terminal.getvalue()) == f"{REPLY_PREFIX}안녕, 나\n"


def test_a_reply_that_is_stopped_at_her_name(monkeypatch):
    class Stopped(Terminal):
        def flush(self):
            if self.getvalue().endswith(f"{REPLY_PREFIX}\x1b[0m"):
                raise KeyboardInterrupt

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = Stopped()
    display = Display(out)
    with pytest.raises(KeyboardInterrupt):
        display.reply(iter(["안녕"]))
    display.line("(여기까지만)")
    assert re.sub("\x1b\\[[0-9;]*m", "", out.getvalue()) == f"{REPLY_PREFIX}\n(여기까지만)\n"


def test_a_picture_where_there_is_room_for_it(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("LINES", "50")
    for name in ("NO_COLOR", "TMUX", "KITTY_WINDOW_ID", "TERM_PROGRAM", "LC_TERMINAL", "KONSOLE_VERSION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    path = tmp_path / "ohlora.png"
    Image.new("RGB", (64, 64), (0, 80, 160)).save(path)
    out = Terminal()
    display = Display(out)
    assert display.shows_pictures
    display.picture(path)
    lines = out.getvalue().splitlines()
    assert len(lines) == 10 and {line.count("▀") for line in lines} == {20}
    for other in (Display(io.StringIO()), Display(Terminal(), plain=True)):
        other.picture(path)
        assert not other.shows_pictures
        assert other._out.getvalue() == f"(여기에는 그림을 보여 줄 수 없어요. 그림 파일: {path})\n"


def test_a_picture_that_is_not_there_is_an_oserror_everywhere(tmp_path):
    for out in (io.StringIO(), Terminal()):
        with pytest.raises(FileNotFoundError):
            Display(out).picture(tmp_path / "ohlora.png")
        assert out.getvalue() == ""


def test_output_is_utf8_and_never_fails_on_a_character():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", newline="\n")
    make_utf8(stream, io.StringIO(), None)
    Display(stream).line("👱‍♀️ 안녕 \ud800")
    assert raw.getvalue() == "👱‍♀️ 안녕 ?\n".encode()
