"""From a reply to a face: every row of the published rules, and which row wins where several hold."""

import pytest

from final_product.expression import expression_of
from stylegan_and_segmentation.properties import PropertyScores

RESTING = -1.2


def test_the_other_properties_stay_zero():
    assert expression_of("오! 정말 미안…") == PropertyScores(eyes=1.6, mouth=pytest.approx(1.0), pose=2.4)
    assert expression_of("응.") == PropertyScores(eyes=RESTING, mouth=RESTING, pose=RESTING)
    assert expression_of("") == expression_of("응.")


EYES = {
    "오! 정말이야": 1.6,
    "그거 오!": 1.6,
    "우와! 신난다": 1.6,
    "와! 신난다": 1.6,
    "와우 멋지다": 1.6,
    "오 그렇구나": 1.6,
    "아! 오! 둘 다": 1.6,
    "아 그런데 와우": 1.6,
    "아! 맞다": 0.8,
    "좋아! 가자": 0.8,
    "아 맞다": 0.8,
    "오, 그렇구나": RESTING,
    "오늘은 좋아": RESTING,
    "그래 오 그렇구나": RESTING,
    "그래 아 맞다": RESTING,
    "와 신난다": RESTING,
    "": RESTING,
}


@pytest.mark.parametrize("reply", EYES)
def test_eyes(reply):
    assert expression_of(reply).eyes == EYES[reply]


MOUTH = {
    # without "!" and "?": resting, and the bonus whole
    "그래.": -1.2,
    "오 그래": 0.0,
    "와우 그래": 0.0,
    "아 그래": -0.6,
    # with one of them: 0.3, another 0.3 for each "!" up to three, and a third of the bonus
    "그래?": 0.3,
    "그래?????": 0.3,
    "그래!": 0.6,
    "그래!?": 0.6,
    "그래!!": 0.9,
    "그래!!!": 1.2,
    "그래!!!!!!": 1.2,
    "오! 그래": 1.0,
    "오 그래?": 0.7,
    "와! 그래!!": 1.6,
    "아! 그래": 0.8,
    "아 그래?": 0.5,
    "아 그래!!!": 1.4,
}


@pytest.mark.parametrize("reply", MOUTH)
def test_mouth(reply):
    assert expression_of(reply).mouth == pytest.approx(MOUTH[reply])


POSE = {
    "미안 나 그거 싫어": 3.6,
    "싫어서 미안… 오! 없어.": 3.6,
    "나는 못 가겠어": 3.0,
    "그런 거 없어 정말": 3.0,
    "그런 거 없어.": 3.0,
    "미안 나는 못 가": 3.0,
    "없어 … 별로": 3.0,
    "미안해": 2.4,
    "그건 싫어": 2.4,
    "별로야": 2.4,
    "오! 그런 거 없어.": RESTING,
    "오! 나는 못 가 미안": 2.4,
    "오! 나는 못 가…": 0.6,
    "별로…": 2.4,
    "음…": 0.6,
    "못 가": RESTING,
    "없어": RESTING,
    "없어!": RESTING,
    "음...": RESTING,
    "좋아": RESTING,
}


@pytest.mark.parametrize("reply", POSE)
def test_pose(reply):
    assert expression_of(reply).pose == POSE[reply]
