"""What in a reply's writing tells of its mood: emoji, laughing and crying letters, marks, interjections, apologies.

A cue says only *that* something stands there; how much it counts is learned from the examples. Knows no model.
"""

from __future__ import annotations

import re

import numpy as np

# Name -> pattern, looked for in the whole reply; ``^`` is its beginning. The order is that of the weights on disk.
CUES: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern)
    for name, pattern in {
        "smiling emoji": "[😊☺🙂😄😁😋🥰💕❤👱]",
        "sparkling emoji": "[✨🎉💪🌙🌌☕🎂🎁⭐🌟]",
        "laughing emoji": "[😆😂🤣]",
        "crying emoji": "[😢😭🥺😿💔]",
        "blushing emoji": "[😅😳🙈☺]",
        "angry emoji": "[😠😡😤💢😒]",
        "pondering emoji": "[🤔🧐💭]",
        "astonished emoji": "[😮😲😯🤯😱]",
        "laughing letters": "ㅋㅋ|ㅎㅎ|하하|히히|푸하|크크",
        "crying letters": "ㅠ|ㅜ|흑흑|엉엉",
        "exclamation mark": "!",
        "two exclamation marks": "!.*!",
        "question mark": r"\?",
        "exclaimed question": r"\?!|!\?",
        "ellipsis": r"…|\.\.",
        "tilde": "[~～]",
        "nothing but full stops": r"^[^!?~…]*\.$",
        "begins with oh": "^(?:오|와아?|우와아?|와우)(?:[!,]|$| )",
        "begins with a gasp": "^(?:헉|헐|엥|에|어머|어머나|세상에|깜짝|대박|어라|뭐라고|뭐)(?:[!?, ]|나|이야)",
        "begins with ah": "^(?:아|앗|아차)(?:[!,…]| )",
        "begins with hm": "^(?:음|흠|흐음|글쎄|글쎄다|어디 보자|가만있자)(?:[~…, !]|\\.)",
        "begins with a sulk": "^(?:흥|치|쳇|으)(?:[,!]|이다)",
        "apology": "미안|죄송|사과할",
        "shyness": "부끄|쑥스|민망|창피",
        "anger": "싫어|그만|화나|화난|열받|너무하|못됐|삐졌|기분 나",
        "pain": "슬프|슬퍼|속상|눈물|서러|마음이 아프|그립|그리",
        "care": "조심|괜찮아\\?|병원|다친|다치|아프|아파|무리하|푹 쉬|일찍 자|알레르기|확인해 봐",
        "fright": "놀랐|무섭|무서|떨리|불안|긴장|조마조마|걱정(?! 마)",
        "crisis": r"살아 있|죽고 싶|자살|신고|상담|(?<!\d)(?:109|112|117|119|1388)(?!\d)",
        "comfort": "잘못이 아니|탓이 아니|자책|울어도|토닥|힘들었|애썼",
        "sympathy": "(?:지|겠다|구나|겠네|을까|데)…",
        "cannot": "못 봐|못 해|못 들|못 하|모르겠|없어서|안 돼서|다시 말해|풀어서 말|헷갈|엉켰|꼬였나",
        "wondering": "[을일할될볼갈]까\\?|지도 몰라|왠지",
        "fun": "웃겨|웃기|웃음|농담|개그",
        "warning": r"\[경고\]",
    }.items()
}


def cue_features(reply: str) -> np.ndarray:
    """1 for each cue that stands in ``reply``, else 0: float32, shape (len(CUES),), in the order of ``CUES``."""
    text = reply.strip()
    return np.array([1.0 if pattern.search(text) else 0.0 for pattern in CUES.values()], dtype=np.float32)
