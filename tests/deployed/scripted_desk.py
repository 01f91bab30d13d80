"""Ticketing systems whose answers a test chooses: one HTTP server, each system behind a path of its own."""

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


def ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class System:
    """Pages of tickets; a page whose number is in `hangs` is answered when `go_on` is set, and not before."""

    pages: list[list[dict]]
    hangs: set[int] = field(default_factory=set)
    asked: list[int] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)

    def answer(self, number: int) -> dict:
        self.asked.append(number)
        if number in self.hangs:
            self.go_on.wait(60)
        following = str(number + 1) if number + 1 < len(self.pages) else None
        return {"items": self.pages[number], "next": following}


class ScriptedDesks:
    """Serves systems on a free port of 127.0.0.1 until it is stopped."""

    def __init__(self) -> None:
        self._systems: dict[str, System] = {}
        systems = self._systems

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                cursor = parse_qs(url.query).get("cursor", ["0"])[0]
                body = json.dumps(systems[url.path.split("/")[1]].answer(int(cursor))).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # A page that hangs must not keep the tests from ending.
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def add(self, name: str, *pages: list[str], hangs: tuple[int, ...] = ()) -> System:
        """A system with pages of tickets of these ids, which changed a few seconds ago, oldest first."""
        age = 5 + sum(map(len, pages))
        system = System([], set(hangs))
        for page in pages:
            tickets = []
            for ticket_id in page:
                tickets.append({"id": ticket_id, "status": "Open", "title": ticket_id, "changed": ago(age)})
                age -= 1
            system.pages.append(tickets)
        self._systems[name] = system
        return system

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/{name}"

    def stop(self) -> None:
        for system in self._systems.values():
            system.go_on.set()
        self._server.shutdown()
        self._server.server_close()
