"""Memory keys that no hand wrote, put together from a form of key and any noun, with prompts that ask for them.

The forms are those of the hand-written keys: something of a thing (``우산 색``), or a thing with something said of it
(``자주 가는 시장``). Whoever has seen enough nouns in them can ask for a key that nobody thought of. Knows no model.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from llm.fine_tuning.particles import attach

_PARTICLE = re.compile(
    r"(?P<stem>[가-힣]{2,5}?)(?P<particle>을|를|이|가|은|는|도|에|에서|으로|로|이랑|랑|하고|만|까지|의)"
)
_SAME_PARTICLE = {"를": "을", "가": "이", "는": "은", "로": "으로", "랑": "이랑"}
_KINDS_OF_PARTICLES = 5  # a stem that stands before so many is a noun; verbs stand before one or two
_AFTER_CONSONANT, _AFTER_VOWEL = ("을", "이", "은", "이랑"), ("를", "가", "는", "랑")


@dataclass(frozen=True)
class KeyForm:
    """A key with a place for a noun, prompts that ask for it, and prompts that only look as if they did."""

    key: str
    asks: tuple[str, ...]
    seems: tuple[str, ...]


FORMS = (
    KeyForm("{n} 이름", (
        "내 {n} 이름 뭐라고 지었지", "우리 {n:을/를} 뭐라고 불렀더라", "{n} 이름이 뭐게", "{n} 이름 까먹었지 너",
        "{n:은/는} 이름이 뭐였어 내가 말했잖아", "{n} 부를 때 뭐라고 하지", "{n} 이름표 붙이려는데 뭐라고 쓰지",
    ), ("{n} 이름 하나 지어 줘", "{n:은/는} 왜 이름이 그래?", "너는 {n} 이름 많이 알아?")),
    KeyForm("{n} 날짜", (
        "{n} 언제지 나", "{n} 며칠이라고 했더라", "{n} 얼마나 남았지?", "{n} 날짜 잡혔다고 했지 언제야",
        "{n} 몇 월이었지", "달력에 {n} 표시해야 되는데 며칠이더라", "{n} 다가오는데 정확히 언제더라",
        "{n} 디데이 며칠 남았어",
    ), ("{n:은/는} 보통 언제 해?", "너도 {n} 해 봤어?", "{n} 처음 생긴 게 언제야")),
    KeyForm("{n} 시간", (
        "{n} 몇 시에 시작하지", "{n} 몇 시였더라", "{n} 시간 늦으면 안 되는데 몇 시지", "나 {n} 언제까지 가야 돼",
        "{n} 몇 시라고 했어 내가", "알람 맞춰야 되는데 {n:이/가} 몇 시지", "{n} 시간 기억해?",
    ), ("{n:은/는} 보통 몇 시간 걸려?", "지금 몇 시야 {n} 하게", "너는 {n:을/를} 언제 해?")),
    KeyForm("{n} 장소", (
        "{n} 어디서 하지", "{n} 장소 어디라고 했더라", "{n} 하러 어디로 가야 돼", "{n} 어디서 한다고 했는지 기억나?",
        "내비에 {n} 장소 찍어야 되는데", "{n:이/가} 어디였지 지도 보내 주게", "{n} 거기 주소 뭐였지",
    ), ("{n:은/는} 어디가 제일 유명해?", "{n} 할 만한 데 추천해 줘", "너는 {n} 어디서 해?")),
    KeyForm("{n} 둔 곳", (
        "{n} 어디에 뒀더라", "{n:이/가} 안 보여 어디 있지", "{n} 어디다 놨는지 기억나?", "내 {n} 어디 갔어",
        "{n:을/를} 한참 찾는 중이야", "{n} 분명히 어디 넣어 놨는데", "{n} 치워 둔 데가 어디였지", "아 {n} 또 없어졌어",
    ), ("{n:은/는} 어디서 팔아?", "{n} 하나 살까", "너 {n} 있어?")),
    KeyForm("{n} 색", (
        "내 {n} 무슨 색이지", "{n} 색깔 뭐였더라", "내 {n:은/는} 어떤 색이게", "{n} 색 뭐로 했다고 했지",
        "새 {n:이랑/랑} 어울리는 색으로 맞추려고 내 거 무슨 색이지", "{n} 색 기억해?",
    ), ("{n} 색은 뭐가 예뻐?", "{n:은/는} 왜 그런 색이야", "너는 무슨 색 {n} 좋아해?")),
    KeyForm("{n} 번호", (
        "{n} 몇 번이었지", "내 {n} 번호 뭐더라", "{n} 번호 까먹었어 뭐였지", "{n} 번호 불러 줘",
        "{n} 몇 번인지 적어 달래", "{n} 번호 기억하고 있지?", "직원이 {n} 번호 물어보는데",
    ), ("{n} 번호는 누가 정해?", "{n:은/는} 몇 번이 좋아?", "너도 {n} 번호 있어?")),
    KeyForm("{n} 사이즈", (
        "내 {n} 사이즈 몇이지", "{n} 몇 사이즈로 사야 맞지", "{n} 주문하는데 치수 뭐로 해", "나 {n} 크기 몇이랬지",
        "{n} 작을까 클까 내 사이즈가", "{n} 사이즈 교환해야 되나 나한테 맞는 게 뭐지",
    ), ("{n} 사이즈는 어떻게 재?", "{n:은/는} 큰 게 좋아 작은 게 좋아", "너는 {n} 사이즈 몇이야?")),
    KeyForm("{n} 예약", (
        "{n} 예약 언제로 했지", "{n} 예약해 둔 거 몇 시더라", "{n} 예약 기억나?", "나 {n} 언제 가기로 했지",
        "{n} 예약 확인 문자 왔는데 언제였지", "{n} 예약 잡아 놓은 날이 오늘이야?", "{n} 예약 바꿔야 되는데 언제였더라",
    ), ("{n} 예약은 어떻게 해?", "{n} 예약 꼭 해야 돼?", "{n} 예약 대신 해 줘")),
    KeyForm("{n} 요일", (
        "{n} 무슨 요일이지", "{n} 요일이 언제더라", "오늘 {n} 하는 요일인가", "{n} 하는 날 무슨 요일이랬지",
        "{n} 목요일이었나 금요일이었나", "매주 {n} 언제 하더라 나",
    ), ("{n:은/는} 무슨 요일이 한가해?", "{n} 하기 좋은 요일 있어?", "오늘 무슨 요일이야 {n} 보게")),
    KeyForm("{n} 비밀번호", (
        "{n} 비밀번호 뭐였지", "{n} 비번 까먹었어", "{n} 안 열려 암호가 뭐더라", "{n} 비번 알려 준 거 기억나?",
        "{n} 로그인이 안 돼 비밀번호 뭐였지", "{n} 번호 눌러야 되는데 네 자리 뭐지",
    ), ("{n} 비밀번호는 어떻게 바꿔?", "{n} 비밀번호 뭘로 하면 안전해?", "남의 {n} 비밀번호 알아낼 수 있어?")),
    KeyForm("{n} 선생님", (
        "{n} 선생님 성함이 뭐였지", "우리 {n} 선생님 누구더라", "{n} 쌤 이름 기억나?", "{n} 가르쳐 주는 분 누구랬지",
        "{n} 선생님한테 문자 보내야 되는데", "{n} 쌤 진짜 무서워 누군지 알지", "{n} 선생님 바뀌었나",
    ), ("{n} 선생님은 어떻게 돼?", "{n} 선생님 월급 많아?", "너 {n} 선생님 해라")),
    KeyForm("{n} 점수", (
        "나 {n} 몇 점이었지", "{n} 점수 얼마 나왔더라", "{n} 성적 기억나?", "{n} 점수 망했다고 했지 몇 점이야",
        "{n} 저번보다 올랐나", "엄마가 {n} 몇 점이냐고 물어봐",
    ), ("{n} 점수는 어떻게 매겨?", "{n} 만점이 몇 점이야", "{n} 잘하는 법 알려 줘")),
    KeyForm("{n} 계획", (
        "나 {n} 계획 세웠다고 했잖아 뭐였지", "{n} 때 뭐 하기로 했더라", "{n} 어떻게 하기로 했지", "{n} 계획 말해 봐",
        "{n:을/를} 앞두고 뭐부터 하기로 했지", "{n} 계획대로 되고 있나",
    ), ("{n} 계획 좀 짜 줘", "{n:은/는} 계획이 중요해?", "너는 {n} 계획 있어?")),
    KeyForm("{n} 마감", (
        "{n} 언제까지 내야 되지", "{n} 마감 며칠 남았어", "{n} 마감이 언제더라", "{n} 아직 시간 있나 언제까지였지",
        "{n} 제출 오늘까지야?", "{n:을/를} 언제까지 끝내야 된다고 했지",
    ), ("{n} 마감은 왜 있는 거야", "{n} 대신 써 줘", "{n} 빨리 끝내는 법")),
    KeyForm("{n} 나이", (
        "우리 {n} 몇 살이지", "{n} 나이 몇이더라", "{n:이/가} 올해 몇 살이 됐지", "{n} 나이 기억나?",
        "{n} 나보다 몇 살 많더라",
    ), ("{n:은/는} 몇 살까지 살아?", "{n} 나이는 어떻게 알아?", "너는 몇 살이야 {n:이랑/랑} 비슷해?")),
    KeyForm("좋아하는 {n}", (
        "내가 좋아하는 {n} 뭐게", "나 {n} 중에 뭐 제일 좋아해?", "내 최애 {n} 알지", "{n} 뭐 좋아한다고 했지 나",
        "{n} 하나만 고르라면 난 뭐 고를까", "{n} 고민되네 내 취향으로 골라 줘", "{n} 하면 나는 역시 그거지",
        "{n} 사려는데 늘 좋아하던 걸로 할까", "나한테 {n} 선물한다면 뭐가 좋겠어",
    ), ("너는 무슨 {n} 좋아해?", "요즘 인기 있는 {n:이/가} 뭐야", "{n:은/는} 어떻게 만들어?")),
    KeyForm("싫어하는 {n}", (
        "내가 싫어하는 {n} 뭐게", "나 {n} 중에 뭐 제일 싫어하지", "{n} 그건 딱 질색인데 뭔지 알지",
        "내가 못 견디는 {n} 있잖아", "{n} 뭐 싫다고 했더라 나", "{n} 고를 때 나한테 뭐는 빼야 돼",
        "그 {n} 또 봤어 으 진짜 싫다",
    ), ("너는 싫어하는 {n} 있어?", "사람들은 왜 {n:을/를} 싫어해?", "{n} 없애는 법")),
    KeyForm("다니는 {n}", (
        "나 어느 {n} 다니지", "내가 다니는 {n} 이름 뭐더라", "{n} 어디로 다닌다고 했지", "늘 가던 {n} 오늘 열었나",
        "{n} 옮길까 지금 다니는 데 별로야", "{n} 전화해야 되는데 어디더라", "오늘 {n} 가는 날이다 거기 말이야",
    ), ("{n:은/는} 어디가 좋아?", "{n} 다니면 뭐가 좋아?", "너도 {n} 다녀?")),
    KeyForm("단골 {n}", (
        "내 단골 {n} 어디지", "나 맨날 가는 {n} 있잖아", "{n} 단골집 이름 뭐였더라", "늘 가던 {n} 갈까",
        "내가 자주 가는 {n} 기억나?", "사장님이 나 알아보는 {n} 거기", "{n} 갈 건데 가던 데로 갈까",
    ), ("{n} 단골 되면 뭐가 좋아?", "동네 {n} 추천해 줘", "너는 단골 {n} 있어?")),
    KeyForm("최근에 산 {n}", (
        "나 얼마 전에 산 {n} 뭐지", "새로 산 {n} 기억나?", "{n} 새로 샀다고 했잖아 뭐였지",
        "저번에 지른 {n} 자랑해도 돼?", "이번에 산 {n} 마음에 들어", "{n} 산 거 환불할까", "새 {n} 왔다 드디어",
    ), ("{n:은/는} 언제 사는 게 싸?", "{n} 하나 살까 말까", "너도 {n} 사 봤어?")),
    KeyForm("최근에 본 {n}", (
        "나 최근에 본 {n} 뭐였지", "얼마 전에 {n} 봤다고 했잖아 뭐더라", "저번에 본 {n} 진짜 재밌었는데",
        "내가 본 {n} 기억나?", "{n} 본 거 또 보고 싶다", "지난번에 {n} 뭐 봤더라",
    ), ("볼 만한 {n} 추천해 줘", "너도 {n} 봐?", "요즘 무슨 {n:이/가} 재밌어")),
    KeyForm("배우는 {n}", (
        "나 요즘 {n} 뭐 배우지", "내가 배우는 {n} 뭐게", "{n} 배운 지 얼마 안 됐는데 어렵네 뭔지 알지",
        "{n} 수업 뭐 듣는다고 했지", "{n} 배우러 가야 되는데 뭐였더라", "배우고 있는 {n} 재밌어",
    ), ("{n:은/는} 배우기 어려워?", "{n} 좀 가르쳐 줘", "너도 {n} 배워?")),
    KeyForm("가고 싶은 {n}", (
        "나 가고 싶다던 {n} 어디지", "언젠가 꼭 가 볼 {n} 기억나?", "내가 가고 싶은 {n} 뭐게",
        "{n} 어디 가 보고 싶다고 했더라", "{n} 갈까 내가 노래 부르던 데", "돈 모이면 그 {n} 가야지",
    ), ("{n:은/는} 어디가 좋아?", "너도 {n} 가고 싶어?", "{n} 가려면 얼마 들어")),
    KeyForm("친구 {n}", (
        "내 친구 {n} 뭐였지", "친구 {n} 기억나?", "친구가 {n} 뭐라고 했더라", "내 친구 걔 {n} 뭐게",
        "친구 {n} 물어봤던 거 뭐였지",
    ), ("너는 친구 {n} 알아?", "친구 {n} 따라 할까", "혜나 {n} 뭐야")),
    KeyForm("엄마 {n}", (
        "우리 엄마 {n} 뭐였지", "엄마 {n} 기억나?", "엄마가 {n} 뭐라고 했더라", "엄마 {n} 뭐로 하지 내가 말했던 거",
        "우리 엄마 {n} 알지 너",
    ), ("너는 엄마 있어?", "엄마들은 {n:을/를} 왜 좋아해?", "엄마 {n} 사 드릴까")),
    KeyForm("{n}", (
        "내 {n} 뭐였지", "나 {n} 뭐라고 했더라", "{n} 기억나? 내 거", "내 {n:이/가} 뭐게", "내 {n} 어떤 거랬지",
        "나 {n} 뭐 써", "나 {n} 있다고 했지", "내 {n} 얘기 했었나", "제 {n} 아세요?", "우리 {n} 뭐였더라",
    ), ("{n:이/가} 뭐야?", "너는 {n} 있어?", "{n:은/는} 왜 그래?", "{n} 하나 추천해 줘")),
)  # fmt: skip


@dataclass(frozen=True)
class ComposedKey:
    """A key with the prompts that ask for it and those that only seem to."""

    key: str
    asks: tuple[str, ...]
    seems: tuple[str, ...]


def nouns(lines: Iterable[str]) -> list[str]:
    """The nouns of ``lines``: stems that stand before many kinds of particles, each in the form that it asks for."""
    kinds: dict[str, set[str]] = defaultdict(set)
    wrong: set[tuple[str, str]] = set()
    for word in {word for line in lines for word in line.split()}:
        found = _PARTICLE.fullmatch(word)
        if found:
            stem, particle = found.group("stem", "particle")
            closed = (ord(stem[-1]) - 0xAC00) % 28 > 0
            if particle in (_AFTER_VOWEL if closed else _AFTER_CONSONANT):
                wrong.add((stem, particle))
            else:
                kinds[stem].add(_SAME_PARTICLE.get(particle, particle))
    return sorted(stem for stem, particles in kinds.items() if len(particles) >= _KINDS_OF_PARTICLES)


def compose(things: Sequence[str], count: int, leave_out: Collection[str], rng: random.Random) -> list[ComposedKey]:
    """``count`` keys of ``things`` in the forms, two or three of each thing, so that keys share words as real ones do.

    Args:
        things: nouns.
        count: how many keys.
        leave_out: keys, without blanks, that are not made.
        rng: draws nouns and forms.
    """
    made: dict[str, ComposedKey] = {}
    for _ in range(20 * count):  # few nouns make few keys
        if len(made) >= count or not things:
            break
        slot = {"n": rng.choice(things)}
        for form in rng.sample(FORMS, rng.choice((2, 3))):
            key = attach(form.key, slot)
            if key.replace(" ", "") not in leave_out and key not in made:
                made[key] = ComposedKey(
                    key, tuple(attach(t, slot) for t in form.asks), tuple(attach(t, slot) for t in form.seems)
                )
    return list(made.values())[:count]
