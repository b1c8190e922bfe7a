"""A model server of the OpenAI protocol that says what it is told, and can be killed."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PIECES = ("<type>Chat</type>\n", "<eval>One is better.</eval>\n", "<answer>[[A]]", "</answer>")


class FakeServer(ThreadingHTTPServer):
    """Listens on loopback until it is killed.

    Attributes:
        asked: bodies of the completions that were asked for.
        busy: how many requests to come it turns away.
        refusing: whether it calls every prompt too long.
        pause_s: seconds before each piece of a reply.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, model: str = "judge", port: int = 0, pause_s: float = 0.0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.model, self.pause_s = model, pause_s
        self.asked: list[dict[str, object]] = []
        self.busy = 0
        self.refusing = False
        self.lock = threading.Lock()
        self.sockets: set[socket.socket] = set()
        self.serving = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self.serving.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def kill(self) -> None:
        """Gone at once, with every reply in the middle."""
        self.shutdown()
        self.socket.close()
        with self.lock:
            for one in self.sockets:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        self.serving.join(5)

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent."""


class _Handler(BaseHTTPRequestHandler):
    server: FakeServer
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.sockets.add(self.connection)

    def finish(self) -> None:
        with self.server.lock:
            self.server.sockets.discard(self.connection)
        super().finish()

    def do_GET(self) -> None:
        self._whole(200, {"data": [{"id": self.server.model, "owned_by": "vllm"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        with server.lock:
            turned_away = server.busy > 0
            server.busy -= turned_away
            if not turned_away:
                server.asked.append(body)
        if turned_away:
            self._whole(429, {"error": "too many"})
            return
        if server.refusing:
            self._whole(400, {"error": "context_length_exceeded"})
        else:
            self._reply()

    def _reply(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in PIECES:
            time.sleep(self.server.pause_s)
            self._event({"choices": [{"delta": {"content": piece}, "finish_reason": None}]})
        usage = {"prompt_tokens": 20, "completion_tokens": len(PIECES)}
        self._event({"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": usage})
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _event(self, event: object) -> None:
        self._chunk(f"data: {json.dumps(event)}\n\n".encode())

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _whole(self, status: int, answer: object) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@contextmanager
def fake_servers(count: int, pause_s: float = 0.0) -> Iterator[list[FakeServer]]:
    """Servers that are gone at the end, whoever was killed before."""
    servers = [FakeServer(pause_s=pause_s) for _ in range(count)]
    try:
        yield servers
    finally:
        for server in servers:
            server.kill()
