"""Stands in for `vllm serve`: takes its arguments, answers every chat alike.

`--fake-notes FILE` gets what it was started with, `--fake-worker` starts a process beside it, and
`--fake-end WHEN` makes it die: at the `start`, in the middle of the first `reply`, or, `never`
healthy, not at all.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PIECES = ("<ans", "wer>[[", "B", "]]", "</answer>")


def log(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--port", type=int)
    parser.add_argument("--fake-notes", type=Path)
    parser.add_argument("--fake-worker", action="store_true")
    parser.add_argument("--fake-end", default="")
    asked, _ = parser.parse_known_args()
    worker = subprocess.Popen(["sleep", "600"]) if asked.fake_worker else None
    if asked.fake_notes:
        notes = {
            "arguments": sys.argv[1:],
            "key": os.environ["VLLM_API_KEY"],
            "processes": [os.getpid(), *([worker.pid] if worker else [])],
        }
        asked.fake_notes.write_text(json.dumps(notes))
    if asked.fake_end == "start":
        log("(EngineCore) ERROR core.py:1: ValueError: no such number of GPUs")
        for number in range(40):
            log(f"  File stack.py, line {number}")
        log("RuntimeError: Engine core initialization failed. See above.")
        sys.exit(1)
    if asked.fake_end == "never":
        log("Loading weights took forever")
        time.sleep(600)
    Answers.dies = asked.fake_end == "reply"
    ThreadingHTTPServer(("127.0.0.1", asked.port), Answers).serve_forever()


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    dies = False

    def do_GET(self) -> None:
        allowed = self.path == "/health" or self._has_key()
        self.send_response(200 if allowed else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self._has_key():
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self._say({"content": json.dumps({"model": body["model"]})})
        for number, piece in enumerate(PIECES):
            if self.dies and number == 2:
                log("CUDA error: out of luck")
                os._exit(3)
            self._say({"content": piece})
        self._say({}, "stop")
        self.wfile.write(b"data: [DONE]\n\n")

    def _has_key(self) -> bool:
        return self.headers["Authorization"] == f"Bearer {os.environ['VLLM_API_KEY']}"

    def _say(self, delta: dict[str, Any], finish: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        self.wfile.write(f"data: {json.dumps({'choices': [choice]})}\n\n".encode())
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        return


if __name__ == "__main__":
    main()
