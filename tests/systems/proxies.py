"""Proxies in front of a system, for what happens between the gateway and it."""

import http.client
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Proxy:
    """Passes everything on to `url`; `seen` has the method, path and status of each request."""

    def __init__(self, url: str) -> None:
        upstream = urlsplit(url).netloc
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do(self) -> None:
                path = urlsplit(self.path).path
                proxy.before(self.command, path)
                length = int(self.headers.get("Content-Length") or 0)
                connection = http.client.HTTPConnection(upstream, timeout=30)
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                connection.request(self.command, self.path, self.rfile.read(length), headers)
                answer = connection.getresponse()
                body = answer.read()
                connection.close()
                proxy.seen.append((self.command, path, answer.status))
                if proxy.loses(self.command, path):
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Nothing: the gateway's log has it."""

        self.seen: list[tuple[str, str, int]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def before(self, method: str, path: str) -> None:
        """What happens before a request is passed on."""

    def loses(self, method: str, path: str) -> bool:
        """Whether the connection is dropped instead of answering."""
        return False

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class LossyProxy(Proxy):
    """Loses the answer of the first POST to `path`: the ticket is made and nobody is told."""

    def __init__(self, url: str, path: str) -> None:
        self._path = path
        self.lost = 0
        super().__init__(url)

    def loses(self, method: str, path: str) -> bool:
        if method != "POST" or path != self._path or self.lost:
            return False
        self.lost += 1
        return True


class RivalProxy(Proxy):
    """Somebody else does something right before each PUT of the gateway, `times` times."""

    def __init__(self, url: str, rival: Callable[[int], object], times: int) -> None:
        self._rival = rival
        self._times = times
        self._done = 0
        super().__init__(url)

    def before(self, method: str, path: str) -> None:
        if method == "PUT" and self._done < self._times:
            self._done += 1
            self._rival(self._done)

    @property
    def changes(self) -> list[int]:
        """The statuses that the gateway's PUTs were answered with."""
        return [status for method, _, status in self.seen if method == "PUT"]
