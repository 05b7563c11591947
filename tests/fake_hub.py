"""A hub on loopback that has one model, the demo model as `nobody/model`, and may be out of order.

    with FakeHub() as hub:
        hub.serves = refuses(429)
        ...  # a process with HF_ENDPOINT=hub.url

What it serves is a function of a path to an answer; `whole` has all, `refuses` nothing.
"""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from headtests.demo import MODEL_FOLDER

NAME = "nobody/model"
COMMIT = "a" * 40
INFO = f"/api/models/{NAME}"


@dataclass(frozen=True)
class Answer:
    """The hub's answer to a request."""

    status: int = 200
    body: bytes = b""
    headers: dict = field(default_factory=dict)


def refuses(status, **headers):
    """Return a handler that answers every request with a status."""
    return lambda path: Answer(status, headers={k.replace("_", "-"): v for k, v in headers.items()})


def has_no_such_repository(path):
    """Answer as the hub does for an unknown name."""
    return refuses(404, X_Error_Code="RepoNotFound")(path)


def whole(path):
    """Answer as the hub does for a model that it has."""
    route = path.partition("?")[0]
    if route in (INFO, f"{INFO}/revision/main"):
        said = {"id": NAME, "modelId": NAME, "sha": COMMIT, "siblings": [], "tags": []}
        return Answer(body=json.dumps(said).encode(), headers={"Content-Type": "application/json"})
    before, _, file = route.rpartition("/")
    if before.startswith(f"/{NAME}/resolve/") and (MODEL_FOLDER / file).is_file():
        headers = {"ETag": f'"{file}"', "X-Repo-Commit": COMMIT}
        return Answer(body=(MODEL_FOLDER / file).read_bytes(), headers=headers)
    return refuses(404, X_Error_Code="EntryNotFound", X_Repo_Commit=COMMIT)(path)


def knows_the_name_only(path):
    """Answer requests for the model's metadata and configuration, and refuse all others."""
    route = path.partition("?")[0]
    return whole(path) if route == INFO or route.endswith("/config.json") else Answer(503)


class FakeHub:
    """A server for the time of a `with`; hangs where `serves` returns None."""

    def __init__(self):
        self.serves = whole
        self.asked = []
        """The requested paths, in order."""
        self._stopped = threading.Event()
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                hub.asked.append(self.path)
                answer = hub.serves(self.path)
                if answer is None:
                    hub._stopped.wait()
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(answer.body)

            do_HEAD = do_GET  # noqa: N815  # the name that the server looks for

            def log_message(self, *arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *raised):
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
