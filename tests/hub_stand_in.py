"""A stand-in for the Hub on loopback: the few calls that a dataset repository is used by.

The project's own `huggingface_hub` client speaks to it, as it would to the real one.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

SHA = "0" * 40


class HubStandIn:
    """What the Hub holds.

    Attributes:
        files: the repository's files; None while there is no repository.
        commits: the paths of each commit.
        is_down: refuse every request (with 403, as the client tries others again for long).
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] | None = None
        self.commits: list[list[str]] = []
        self.is_down = False
        self.url = ""

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body for a request."""
        if self.is_down:
            return 403, {}, b""
        if path == "/api/repos/create":
            self.files = self.files or {}
            return _json({"url": f"{self.url}/datasets/team/labels"})
        if self.files is None:
            return 404, {"X-Error-Code": "RepoNotFound"}, b"{}"
        if "/preupload/" in path:
            asked = json.loads(body)["files"]
            modes = [
                {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in asked
            ]
            return _json({"files": modes})
        if "/commit/" in path:
            return self._commit(body)
        if "/resolve/" in path:
            return self._resolve(method, path.split("/resolve/")[1].partition("/")[2])
        if "/tree/" in path:
            return _json([_entry(name, data) for name, data in self.files.items()])
        siblings = [{"rfilename": name} for name in self.files]
        return _json({"id": "team/labels", "sha": SHA, "siblings": siblings})

    def _commit(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        assert self.files is not None
        lines = [json.loads(line) for line in body.splitlines() if line]
        files = [line["value"] for line in lines if line["key"] == "file"]
        for file in files:
            assert file["path"] not in self.files, "a part was written again"
            self.files[file["path"]] = base64.b64decode(file["content"])
        self.commits.append([file["path"] for file in files])
        return _json(
            {"commitUrl": f"{self.url}/datasets/team/labels/commit/{SHA}", "commitOid": SHA}
        )

    def _resolve(self, method: str, name: str) -> tuple[int, dict[str, str], bytes]:
        assert self.files is not None
        if name not in self.files:
            return 404, {"X-Error-Code": "EntryNotFound"}, b""
        data = self.files[name]
        headers = {"ETag": f'"{hashlib.sha1(data).hexdigest()}"', "X-Repo-Commit": SHA}
        return 200, {**headers, "Content-Type": "application/octet-stream"}, data


@contextmanager
def hub_stand_in() -> Iterator[HubStandIn]:
    """A stand-in that serves until the block ends; its address is `url`."""
    hub = HubStandIn()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = unquote(urlsplit(self.path).path)
            status, headers, data = hub.answer(self.command, path, body)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        do_GET = do_HEAD = do_POST = _answer

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def _json(value: object) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()


def _entry(name: str, data: bytes) -> dict[str, object]:
    return {
        "type": "file",
        "path": name,
        "size": len(data),
        "oid": hashlib.sha1(data).hexdigest(),
    }
