"""A scripted server of chat completions on loopback, which records its requests.

    with ScriptedServer(status(500), says("an answer")) as server:
        client = Client(Server("any", server.url, "sk-a-key"), Budget(), None)

What it is told is a list of behaviours, one a request in the order in which they come; the last one
serves all that follow. Instead of the list, `function=` takes one from a request to a behaviour. A
behaviour is a function of an `Exchange`, made by `says`, `sends`, `status`, `resets` and the rest.
"""

import json
import socket
import struct
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    path: str
    headers: dict
    """By their names in lower case."""
    body: dict


@dataclass(frozen=True)
class Exchange:
    """A request, and the means to answer it."""

    request: Request
    handler: BaseHTTPRequestHandler
    stopped: threading.Event
    """Set when the server closes, to end behaviours that wait."""

    def send(self, status, body, content_type="application/json", headers=()):
        """Send a whole response."""
        body = body if isinstance(body, bytes) else body.encode()
        self.begin(status, content_type, [*dict(headers).items(), ("Content-Length", len(body))])
        self.handler.wfile.write(body)

    def begin(self, status=200, content_type="application/json", headers=()):
        """Send the head of a response."""
        self.handler.send_response(status)
        self.handler.send_header("Content-Type", content_type)
        for name, value in headers:
            self.handler.send_header(name, str(value))
        self.handler.end_headers()


def completion(text, finish="stop", used=(11, 7), **message):
    """Return the body of a chat completion, as a dictionary."""
    body = {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "created": 0,
        "model": "scripted",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": text, **message},
            }
        ],
    }
    if used is not None:
        counts = {"prompt_tokens": used[0], "completion_tokens": used[1]}
        body["usage"] = {**counts, "total_tokens": sum(used)}
    return body


def says(text, **options):
    """Answer with a text, or with a value as JSON: what a model would say. See `completion`."""
    said = text if isinstance(text, str) or text is None else json.dumps(text)
    return sends(completion(said, **options))


def sends(body, code=200, content_type="application/json", headers=()):
    """Answer with a body: a dictionary is sent as JSON, text and bytes as they are."""
    sent = json.dumps(body) if isinstance(body, dict | list) else body
    return lambda exchange: exchange.send(code, sent, content_type, headers)


def status(code, message="no", headers=(), **error):
    """Answer with an error as OpenAI words it."""
    return sends({"error": {"message": message, **error}}, code, headers=headers)


def limits(after=0.01):
    """Answer 429 with a Retry-After of some seconds."""
    return status(429, "Rate limit reached", {"Retry-After": after})


def unknown(parameter):
    """Answer 400 to a request that has a parameter, and `says("fine")` to one without."""

    def behave(exchange):
        if parameter in exchange.request.body:
            status(400, f"Unsupported parameter: '{parameter}'", param=parameter)(exchange)
        else:
            says("fine")(exchange)

    return behave


def html(code=502):
    """Answer with an HTML page."""
    return sends("<!DOCTYPE html>\n<title>Bad Gateway</title>", code, "text/html")


def echoes_the_key(code=401):
    """Answer with the request's Authorization in the body and in a header."""

    def behave(exchange):
        key = exchange.request.headers.get("authorization", "")
        status(code, f"Incorrect API key provided: {key}", {"X-Echo": key})(exchange)

    return behave


def resets(exchange):
    """Reset the connection."""
    linger = struct.pack("ii", 1, 0)
    exchange.handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    # The handler's files hold the socket open.
    exchange.handler.wfile.close()
    exchange.handler.rfile.close()
    exchange.handler.connection.close()


def hangs(exchange):
    """Never answer."""
    exchange.stopped.wait()


def drips(exchange, code=200):
    """Send a byte of an answer now and then, for ever."""
    exchange.begin(code)
    while not exchange.stopped.wait(0.02):
        exchange.handler.wfile.write(b" ")
        exchange.handler.wfile.flush()


def drips_headers(exchange):
    """Send the head of an answer a byte at a time, for ever."""
    exchange.handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not exchange.stopped.wait(0.02):
        exchange.handler.wfile.write(b"a")
        exchange.handler.wfile.flush()


def pours(exchange, code=200):
    """Send an answer without end, as fast as it is taken."""
    exchange.begin(code)
    while not exchange.stopped.is_set():
        exchange.handler.wfile.write(b"x" * 2**16)


class ScriptedServer:
    """A scripted server that runs inside a `with` block."""

    def __init__(self, *behaviours, function=None):
        self.requests = []
        self.most_at_once = 0
        """The highest number of concurrent requests."""
        self._behaviours = list(behaviours)
        self._function = function
        self._open = 0
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        # Connections that wait for an answer which never comes are not waited for.
        self._server.block_on_close = False

    @property
    def url(self):
        """The base URL to give to a client."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self):
        # Looked at often, so that closing takes no time.
        run = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        run.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def _next(self, request):
        with self._lock:
            self.requests.append(request)
            if self._function is not None:
                return self._function(request)
            place = min(len(self.requests), len(self._behaviours)) - 1
            return self._behaviours[place]

    def _count(self, more):
        with self._lock:
            self._open += more
            self.most_at_once = max(self.most_at_once, self._open)

    def _handler(self):
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.path, headers, body)
                server._count(1)
                try:
                    server._next(request)(Exchange(request, self, server._stopped))
                except OSError:
                    # The client closed the connection.
                    self.close_connection = True
                finally:
                    server._count(-1)

            def finish(self):
                # A connection that was reset has nothing left to close.
                if not self.wfile.closed:
                    super().finish()

            def handle_one_request(self):
                if self.rfile.closed:
                    self.close_connection = True
                else:
                    super().handle_one_request()

            def log_message(self, *_):
                pass

        return Handler
