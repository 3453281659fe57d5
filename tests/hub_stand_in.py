"""A stand-in for Hugging Face and GitHub on the loopback, that serves, stalls, cuts and lies as it is told."""

import hashlib
import json
import threading
from collections import defaultdict
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "c" * 40


def git_sha1(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class HubStandIn:
    """Serves ``repositories``: name -> {path: bytes}; a GitHub repository's name has the folder behind it.

    Attributes:
        faults: path of a request, or its end -> what to do instead of answering well, one entry for each request:
            an HTTP status, "html", "stall", "lie", "ignore range", or a number of bytes as ("cut", n), ("stall", n).
        requests: (path, headers) of each request so far.
        licences: name of a repository -> what its card says.
        elsewhere: whether weights are redirected to another host, as the hub does.
    """

    def __init__(self, repositories):
        self.repositories = repositories
        self.licences = {}
        self.faults = defaultdict(list)
        self.requests = []
        self.elsewhere = False
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self):
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def asked(self, end):
        """The headers of the requests whose path ends so."""
        return [headers for path, headers in self.requests if path.endswith(end)]

    def _fault(self, path):
        for end, faults in self.faults.items():
            if path.endswith(end) and faults:
                return faults.pop(0)
        return None

    def _answer(self, handler):
        path = unquote(urlsplit(handler.path).path)
        self.requests.append((path, {name.lower(): value for name, value in handler.headers.items()}))
        fault = self._fault(path)
        if isinstance(fault, int):
            return self._send(handler, fault, b'{"error": "told to"}')
        if fault == "html":
            return self._send(handler, 200, b"<html>log in to this wifi</html>")
        if fault == "stall":
            return self._closing.wait(10)
        if path.startswith("/api/models/"):
            return self._list(handler, path.removeprefix("/api/models/"))
        if path.startswith("/repos/"):
            owner, project, _, file = path.removeprefix("/repos/").split("/", 3)
            repository, name = f"{owner}/{project}/{file.rsplit('/', 1)[0]}", file.rsplit("/", 1)[1]
            if "raw" not in handler.headers["Accept"]:
                return self._describe(handler, repository, name)
        else:
            owner, project, _, _, name = path.removeprefix("/").split("/", 4)
            repository = f"{owner}/{project}"
        data = self.repositories.get(repository, {}).get(name)
        if data is None:
            return self._send(handler, 404, b"", [("X-Error-Code", "EntryNotFound")])
        if self.elsewhere and name.endswith((".safetensors", ".pth")) and handler.headers["Host"].startswith("127."):
            return self._send(handler, 302, b"", [("Location", f"http://localhost:{self.port}{handler.path}")])
        return self._file(handler, data, fault)

    def _list(self, handler, repository):
        files = self.repositories.get(repository)
        if files is None:
            return self._send(handler, 404, b"", [("X-Error-Code", "RepoNotFound")])
        siblings = []
        for name, data in files.items():
            entry = {"rfilename": name, "size": len(data), "blobId": git_sha1(data)}
            if name.endswith((".safetensors", ".pth", ".bin")):
                entry["blobId"] = "0" * 40  # of the pointer
                entry["lfs"] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "pointerSize": 130}
            siblings.append(entry)
        card = {"license": self.licences[repository]} if repository in self.licences else {}
        answer = {"id": repository, "sha": COMMIT, "siblings": siblings, "cardData": card}
        advice = ("X-HF-Warning", "unauthenticated; You are sending unauthenticated requests to the HF Hub.")
        return self._send(handler, 200, json.dumps(answer).encode(), [advice])

    def _describe(self, handler, repository, name):
        data = self.repositories.get(repository, {}).get(name)
        if data is None:
            return self._send(handler, 404, b'{"message": "Not Found"}')
        return self._send(handler, 200, json.dumps({"size": len(data), "sha": git_sha1(data)}).encode())

    def _file(self, handler, data, fault):
        if fault == "lie":
            data = bytes(255 - byte for byte in data)
        begin = handler.headers["Range"]
        if begin and fault != "ignore range":
            start = int(begin.removeprefix("bytes=").rstrip("-"))
            status, span = 206, [("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")]
            data = data[start:]
        else:
            status, span = 200, []
        what, count = fault if isinstance(fault, tuple) else ("", len(data))
        self._send(handler, status, data[:count], [*span, ("Content-Length", str(len(data)))])
        if what == "stall":
            handler.wfile.flush()
            self._closing.wait(10)

    @staticmethod
    def _send(handler, status, body, headers=()):
        handler.send_response(status)
        for name, value in headers:
            handler.send_header(name, value)
        if not any(name == "Content-Length" for name, _ in headers):
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def _handler(stand_in):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                with suppress(ConnectionError):
                    stand_in._answer(self)

            def log_message(self, *_):
                pass

        return Handler
