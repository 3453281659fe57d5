"""What a public repository holds, and one of its files brought to disk whole, verified by size and hash.

Metadata, token and session are huggingface_hub's. Its own downloads are not used: they check no hash and take no
deadline from their caller. Knows neither the table of models nor the terminal.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx2  # huggingface_hub's own HTTP library
from huggingface_hub import HfApi, constants, get_session, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status

from llm.memory_mechanism.whole_file import rename_over

GITHUB_API = "https://api.github.com"
_READ_BYTES = 1024 * 1024
_RETRIED_STATUS = (408, 429, 500, 502, 503, 504)
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*")  # nothing that leaves its folder, on any system


class DownloadError(Exception):
    """What went wrong and what helps, in one line for the user (Korean)."""

    exit_code = 1


class NetworkError(DownloadError):
    """No connection, or one that stalls or breaks."""

    exit_code = 3


class RefusedError(DownloadError):
    """The repository does not hand the files out, or does not have them."""

    exit_code = 4


class CorruptError(DownloadError):
    """What arrived is not what the repository says that it holds."""

    exit_code = 5


class DiskError(DownloadError):
    """The disk is full or refuses the files."""

    exit_code = 6


@dataclass(frozen=True)
class Patience:
    """How long to wait.

    Attributes:
        timeout: seconds without a byte after which a connection counts as stalled.
        tries: attempts in a row that bring nothing new before a file is given up; at least 1.
        pause: seconds between them.
    """

    timeout: float = 20.0
    tries: int = 4
    pause: float = 2.0


@dataclass(frozen=True)
class RemoteFile:
    """A file to fetch.

    Attributes:
        name: its path in the repository, with forward slashes.
        size: bytes.
        digest: 64 hex digits: SHA-256 of the content (LFS); 40: git's blob SHA-1.
        url: where it lies.
        headers: what the request needs, a token for example.
    """

    name: str
    size: int
    digest: str
    url: str
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Listing:
    """What a repository holds, and under which licence (None where it does not say)."""

    files: tuple[RemoteFile, ...]
    licence: str | None


def list_hugging_face(repository: str, patience: Patience, endpoint: str | None = None) -> Listing:
    """The files of a model repository at its newest commit; ``endpoint`` defaults to HF_ENDPOINT.

    Raises:
        NetworkError, RefusedError: it cannot be asked.
    """
    endpoint = endpoint or constants.ENDPOINT
    with _connection(endpoint, patience):
        info = HfApi(endpoint=endpoint).model_info(repository, files_metadata=True, timeout=patience.timeout)
        headers = build_hf_headers()
        token = tuple((name, value) for name, value in headers.items() if name == "authorization")
        files = tuple(
            _checked(
                RemoteFile(
                    name=file.rfilename,
                    size=file.lfs.size if file.lfs else file.size,
                    digest=file.lfs.sha256 if file.lfs else file.blob_id,
                    url=hf_hub_url(repository, file.rfilename, revision=info.sha, endpoint=endpoint),
                    headers=token,
                )
            )
            for file in info.siblings or ()
            if _NAME.fullmatch(file.rfilename)
        )
        licence = info.card_data.get("license") if info.card_data else None
    return Listing(files, licence if isinstance(licence, str) else None)


def list_github(repository: str, name: str, patience: Patience, api: str = GITHUB_API) -> Listing:
    """One file on the main branch of a GitHub repository; ``repository`` is ``owner/name`` and the file's folder.

    Raises:
        NetworkError, RefusedError: it cannot be asked.
    """
    owner, project, folder = repository.split("/", 2)
    url = f"{api}/repos/{owner}/{project}/contents/{quote(f'{folder}/{name}')}?ref=main"
    with _connection(url, patience):
        response = get_session().get(url, headers={"Accept": "application/vnd.github+json"}, timeout=patience.timeout)
        hf_raise_for_status(response)
        found = response.json()
        raw = (("Accept", "application/vnd.github.raw+json"),)
        return Listing((_checked(RemoteFile(name, found["size"], found["sha"], url, raw)),), None)


def _checked(file: RemoteFile) -> RemoteFile:
    if not isinstance(file.size, int) or file.size < 0 or not _DIGEST.fullmatch(file.digest):
        raise ValueError(f"{file.name}: no size or hash")
    return file


def fetch(file: RemoteFile, target: Path, patience: Patience, on_progress: Callable[[int], None]) -> None:
    """Brings ``file`` to ``target``, whole and verified; an unfinished part beside it is continued.

    Args:
        file: what to fetch.
        target: where it will stand; its folder must exist. Until it is verified, only ``target``'s name with a
            piece of the digest and ``.part`` stands there.
        patience: how long to wait.
        on_progress: called with the number of bytes that are there.

    Raises:
        NetworkError: stalled or cut too often; the part stays and is continued the next time.
        RefusedError: the server does not hand it out.
        CorruptError: the content is not what the repository promises; nothing stays.
        DiskError: it cannot be written.
    """
    part = target.with_name(f"{target.name}.{file.digest[:12]}.part")
    for _ in range(2):
        in_one_piece = _receive(file, part, patience, on_progress)
        with disk_errors(part):
            if digest_of(part, file.digest) == file.digest:
                rename_over(part, target)
                return
            part.unlink()
        if in_one_piece:  # else the pieces may not have fitted together: once more from the start
            break
    raise CorruptError(
        f"{file.name} 파일을 받았지만 내용(해시)이 저장소의 것과 달라서 버렸어요. "
        "잠시 뒤 다시 실행해 주세요. 되풀이되면 프록시나 HF_ENDPOINT 설정을 확인해 주세요."
    )


def _receive(file: RemoteFile, part: Path, patience: Patience, on_progress: Callable[[int], None]) -> bool:
    """Brings ``part`` to its full size; returns whether it came in one piece."""
    tries = patience.tries
    pieces: list[int] = []  # where each connection began
    while True:
        with disk_errors(part):
            part.touch()
            have = part.stat().st_size
            if have > file.size:
                part.unlink()
                continue
        on_progress(have)
        if have == file.size:
            return pieces == [0]
        pieces.append(have)
        try:
            _stream(file, part, have, patience, on_progress)
            problem: DownloadError = _cut(file.url)
        except NetworkError as error:
            problem = error
        except RefusedError as error:
            cause = error.__cause__
            if not isinstance(cause, HfHubHTTPError) or cause.response.status_code not in _RETRIED_STATUS:
                raise
            problem = error
        with disk_errors(part):
            now = part.stat().st_size
        if now == file.size:
            continue
        tries = patience.tries if now > have else tries - 1
        if tries <= 0:
            raise problem
        time.sleep(patience.pause)


def _stream(file: RemoteFile, part: Path, have: int, patience: Patience, on_progress: Callable[[int], None]) -> None:
    """Appends what one connection brings to ``part``, which holds ``have`` bytes."""
    headers = {**dict(file.headers), "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with (
        _connection(file.url, patience),
        get_session().stream("GET", file.url, headers=headers, timeout=patience.timeout) as response,
    ):
        if response.status_code == 416:  # the server's file is shorter than what is here
            with disk_errors(part):
                part.write_bytes(b"")
            return
        hf_raise_for_status(response)
        continued = response.status_code == 206
        have = have if continued else 0
        with disk_errors(part), part.open("ab" if continued else "wb") as out:
            for chunk in response.iter_bytes():
                out.write(chunk[: file.size - have])  # the hash judges a server that sends more than it promised
                have += len(chunk)
                if have >= file.size:
                    break
                on_progress(have)


def digest_of(path: Path, like: str) -> str:
    """The digest of a file's content in hex, of the kind that ``like`` is (see ``RemoteFile.digest``)."""
    if len(like) == 64:
        digest = hashlib.sha256()
    else:
        digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turns what a disk raises into a DiskError that names ``path``."""
    try:
        yield
    except (HfHubHTTPError, OfflineModeIsEnabled):  # these are OSErrors as well
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise full_disk(path) from error
        reason = error.strerror or type(error).__name__
        raise DiskError(
            f"파일을 쓰지 못했어요: {path} ({reason}) - 폴더에 쓸 수 있는지, 대화나 다른 프로그램이 "
            "그 파일을 열고 있지 않은지 확인하고 다시 실행해 주세요."
        ) from error


def full_disk(path: Path, numbers: str = "") -> DiskError:
    """The error for a disk without room; ``numbers`` says how much is needed and left."""
    return DiskError(
        f"디스크에 자리가 모자라요{numbers}: {path} - 자리를 비우고 다시 실행하면 받던 곳부터 이어 받아요."
    )


@contextlib.contextmanager
def _connection(url: str, patience: Patience) -> Iterator[None]:
    """Turns what the HTTP library and the hub raise into one line each."""
    host = urlsplit(url).hostname or url
    try:
        yield
    except OfflineModeIsEnabled as error:
        raise NetworkError(
            "오프라인으로 설정되어 있어요 - 환경 변수 HF_HUB_OFFLINE 과 TRANSFORMERS_OFFLINE 을 지우고 "
            "다시 실행해 주세요."
        ) from error
    except HfHubHTTPError as error:
        raise _refusal(error, host) from error
    except httpx2.TimeoutException as error:
        raise NetworkError(
            f"{host} 의 응답이 {patience.timeout:g}초 동안 없어요. 인터넷 연결을 확인하고 다시 실행하면 "
            "받던 곳부터 이어 받아요."
        ) from error
    except (httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
        raise NetworkError(f"주소가 잘못됐어요: {url} - HF_ENDPOINT 설정을 확인해 주세요.") from error
    except (httpx2.ConnectError, httpx2.ProxyError) as error:
        if "CERTIFICATE" in str(error):
            raise NetworkError(
                f"{host} 의 보안 인증서를 확인하지 못했어요 - 컴퓨터의 시계와, 회사나 학교 프록시의 인증서"
                "(SSL_CERT_FILE)를 확인해 주세요."
            ) from error
        raise NetworkError(
            f"{host} 에 연결하지 못했어요 - 인터넷 연결과 프록시, HF_ENDPOINT 설정을 확인하고 다시 실행해 주세요."
        ) from error
    except httpx2.HTTPError as error:
        raise _cut(url) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RefusedError(
            f"{host} 에서 알 수 없는 답이 왔어요 - 와이파이 로그인 페이지나 프록시가 대신 답한 것은 아닌지, "
            "HF_ENDPOINT 설정이 맞는지 확인해 주세요."
        ) from error


def _cut(url: str) -> NetworkError:
    host = urlsplit(url).hostname or url
    return NetworkError(f"{host} 와의 연결이 끊겼어요. 인터넷 연결을 확인하고 다시 실행하면 받던 곳부터 이어 받아요.")


def _refusal(error: HfHubHTTPError, host: str) -> RefusedError:
    response = error.response
    status, url = response.status_code, str(response.request.url).split("?")[0]
    with_token = "authorization" in response.request.headers
    if status == 401 and with_token:
        cure = "HF_TOKEN(또는 저장된 로그인)이 맞지 않아요. 지우거나 새 토큰으로 바꾸고 다시 실행해 주세요"
    elif status == 401:
        cure = "비공개로 바뀌었거나 없어진 저장소예요. 볼 수 있는 계정의 토큰을 HF_TOKEN 환경 변수에 넣어 주세요"
    elif status == 403 and "x-ratelimit-remaining" in response.headers:
        cure = "GitHub에 너무 자주 물었어요. 한 시간 뒤에 다시 실행해 주세요"
    elif status == 403:
        cure = "받을 권한이 없어요. 그 페이지에서 사용 조건에 동의하고 HF_TOKEN 환경 변수에 토큰을 넣어 주세요"
    elif status in (404, 410):
        cure = "저장소나 파일이 없어졌거나 이름이 바뀌었어요. 새 버전의 Oh-LoRA가 있는지 확인해 주세요"
    elif status == 429:
        cure = "너무 자주 물었어요. 몇 분 뒤에 다시 실행해 주세요"
    elif status >= 500:
        cure = "서버에 문제가 있어요. 잠시 뒤 다시 실행해 주세요"
    else:
        cure = "잠시 뒤 다시 실행해 주세요"
    return RefusedError(f"{host} 에서 받지 못했어요 (HTTP {status}, {url}) - {cure}.")
