"""The vocabulary of memory keys, and how many values each of them holds: the one table of it.

A key stands here without its day: ``오늘 날씨`` and ``내일 날씨`` are the 날씨 of two days. A key that is not here
gathers, so that nothing is ever lost to a key that nobody thought of. Knows no file and no clock.
"""

from __future__ import annotations

from enum import Enum


class Holds(Enum):
    """How many values a key holds."""

    ONE = "one value at a time: a new one takes the old one's place"
    SEVERAL = "several values: a new one is added"
    SEVERAL_UNTIL_CHANGED = "several values: a new one is added, or takes an old one's place where the user says so"


_ONE = (
    # who the user is
    "이름", "나이", "생일", "별명", "MBTI", "혈액형", "별자리", "띠", "키", "몸무게", "신발 사이즈", "옷 사이즈",
    "반지 사이즈", "시력", "피부 타입", "주량", "매운 음식 먹는 정도", "사는 곳", "사는 방식", "집 근처 지하철역",
    "고향", "좌우명", "이상형", "장래희망",
    # work and study
    "직업", "회사", "부서", "직급", "상사 이름", "월급날", "첫 출근 날", "학교", "학년", "전공", "담임 선생님",
    "졸업 날짜", "기숙사 방 번호", "사물함 번호", "통학 방법", "개강 날짜", "입대 날짜", "학점", "토익 점수",
    "논문 주제", "짝꿍",
    # states
    "상태", "기분", "컨디션", "날씨", "몸무게 목표", "저녁 메뉴", "아침 메뉴", "점심 메뉴", "주차 위치",
    # the hours of the day
    "기상 시간", "취침 시간", "수면 시간", "출근 시간", "퇴근 시간", "운동 시간",
    # people of whom there is one
    "남자친구 이름", "여자친구 이름", "남편 이름", "아내 이름", "사귀는 사람", "짝사랑 상대", "엄마 이름",
    "아빠 이름", "엄마 생일", "아빠 생일", "엄마 생신", "아빠 생신", "남자친구 생일", "여자친구 생일", "할머니 연세",
    "할머니 댁",
    # things and days of which there is one
    "자동차", "휴대폰 기종", "노트북", "자전거", "와이파이 이름", "와이파이 비밀번호", "우산 둔 곳", "여권 둔 곳",
    "비상금 숨긴 곳", "다니는 헬스장", "다니는 치과", "모은 돈", "한 달 용돈", "저축 목표", "월세 내는 날",
    "이사 가는 날", "결혼 날짜", "생리 예정일",
)  # fmt: skip

_SEVERAL_UNTIL_CHANGED = (
    "일정", "약속", "예약", "점심 약속", "저녁 약속", "식당 예약", "병원 예약", "미용실 예약", "영화 예매",
    "약속 장소", "약속 시간", "데이트 장소", "시험 날짜", "여행 날짜", "여행 가는 곳", "비행기 시간", "과제 마감일",
    "면접 보는 회사", "출장지", "휴가 계획", "택배 도착 날", "택배 도착일", "공연 좌석", "콘서트 날짜", "스터디 시간",
    "발표 주제", "발표 날짜", "면접 날짜", "데이트 날짜", "회식 날짜", "회의 시간", "기차 시간", "고속버스 시간",
    "아르바이트 시간", "학원 시간", "가족 모임", "친구 결혼식", "건강 검진", "합격 발표일", "책 반납일",
    "공모전 마감", "연차 쓰는 날", "방학 계획",
)  # fmt: skip

_SEVERAL = (
    # tastes
    "좋아하는 음식", "못 먹는 음식", "좋아하는 음료", "좋아하는 빵", "좋아하는 과자", "좋아하는 라면",
    "좋아하는 치킨", "좋아하는 아이스크림", "좋아하는 가수", "좋아하는 아이돌", "좋아하는 노래", "좋아하는 배우",
    "좋아하는 영화", "좋아하는 드라마", "좋아하는 책", "좋아하는 작가", "좋아하는 웹툰", "좋아하는 유튜버",
    "좋아하는 캐릭터", "좋아하는 게임", "좋아하는 운동", "좋아하는 계절", "좋아하는 색", "좋아하는 동물",
    "좋아하는 과목", "좋아하는 꽃", "좋아하는 향", "좋아하는 커피", "좋아하는 술", "좋아하는 과일",
    "좋아하는 옷 스타일", "좋아하는 감독", "좋아하는 음악 장르", "좋아하는 애니", "좋아하는 예능", "좋아하는 요일",
    "좋아하는 시간대", "좋아하는 숫자", "좋아하는 날씨", "싫어하는 음식", "싫어하는 과목", "싫어하는 것",
    "무서워하는 것", "응원하는 팀", "단골 카페", "단골 식당", "단골 술집", "단골 미용실", "산책 코스", "취미", "습관",
    "잠버릇", "술버릇", "특기", "징크스", "스트레스 해소법", "모으는 것",
    # wishes and worries
    "가고 싶은 곳", "가고 싶은 나라", "가고 싶은 학교", "가고 싶은 회사", "살고 싶은 곳", "먹고 싶은 음식",
    "보고 싶은 영화", "배우고 싶은 것", "키우고 싶은 동물", "하고 싶은 머리", "끊고 싶은 것",
    "로또 되면 하고 싶은 것", "갖고 싶은 것", "목표", "올해 목표", "버킷리스트", "고민", "콤플렉스", "롤모델",
    "생일 선물", "사야 할 것", "선물 받을 사람",
    # people and animals
    "친구 이름", "친구 생일", "친한 친구", "싸운 친구", "룸메이트", "동생 이름", "언니 이름", "오빠 이름",
    "누나 이름", "형 이름", "형제자매", "사촌", "조카", "아기 이름", "아이 이름", "친한 선배", "회사 동료",
    "옆집 사람", "소개팅 상대", "과외 선생님", "강아지 나이", "강아지 간식", "고양이 품종", "화분 물 주는 날",
    "부모님 직업", "교수님 이름", "헤어진 사람", "반려동물", "고양이 이름", "강아지 이름", "키우는 식물", "기념일",
    # what the user does and has
    "준비하는 시험", "시험 과목", "자격증", "배우는 것", "듣는 수업", "동아리", "아르바이트", "악기", "종교 행사",
    "맡은 업무", "진행 중인 프로젝트", "스터디", "지난 시험 점수", "공부하는 장소", "비밀 장소", "구독하는 OTT",
    "다녀온 여행지", "최근 여행지", "최근에 본 영화", "있었던 일", "지난 주말에 한 일", "어젯밤 꿈", "읽는 책",
    "보는 드라마", "읽고 있는 책", "보고 있는 드라마", "하고 있는 게임", "먹은 음식", "최근에 산 것", "잃어버린 것",
    "빌린 돈", "버스 번호", "비밀번호 힌트", "헬스장 이름",
    # health
    "아픈 곳", "알레르기", "복용하는 약", "챙겨 먹는 영양제", "다이어트 식단", "치아 교정 기간",
)  # fmt: skip

KEYS = {
    "".join(key.split()): holds
    for keys, holds in (
        (_ONE, Holds.ONE),
        (_SEVERAL_UNTIL_CHANGED, Holds.SEVERAL_UNTIL_CHANGED),
        (_SEVERAL, Holds.SEVERAL),
    )
    for key in keys
}  # key without its day and without blanks -> how many values it holds

_SCHEDULES = ("일정", "약속", "예약")


def holds(key: str) -> Holds:
    """How many values ``key`` (without its day) holds; blanks make no difference.

    A key that is not in the table holds several; what ends in 일정, 약속 or 예약 is a schedule.
    """
    squeezed = "".join(key.split())
    return KEYS.get(squeezed) or (Holds.SEVERAL_UNTIL_CHANGED if squeezed.endswith(_SCHEDULES) else Holds.SEVERAL)
