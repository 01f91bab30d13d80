"""`ticket-gateway up` in front of one of the systems, and its API as a caller sees it."""

import json
import os
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from system import ROOT, FailedError, end, free_port

# Where .cargo/config.toml has it built.
BUILT = ROOT / "target" / "x86_64-unknown-linux-gnu" / "debug" / "ticket-gateway"
COMMAND = Path(os.environ.get("TICKET_GATEWAY", BUILT))
CAROL = {"requestor": {"email_addr": "carol@example.test", "full_name": "Carol Customer"}}


@dataclass
class Answer:
    status: int
    body: dict

    def expect(self, status: int) -> dict:
        """The body of an answer that must have this status."""
        assert self.status == status, f"{self.status}: {json.dumps(self.body, indent=1)}"
        return self.body

    def error(self, status: int, code: str) -> str:
        """The message of an error that must have this status and code."""
        error = self.expect(status)["error"]
        assert error["code"] == code, error
        return error["message"]


class Gateway:
    """Serves a shipped connector with these settings and secrets; `stop` ends it."""

    def __init__(self, connector: str, settings: dict[str, object], secrets: dict[str, str], folder: Path) -> None:
        assert COMMAND.exists(), f"{COMMAND} is not there; run: cargo build --workspace"
        folder.mkdir(parents=True, exist_ok=True)
        self._name = connector
        self._url = f"http://127.0.0.1:{free_port()}"
        self._log = folder / "gateway.log"
        given = folder / "secrets.json"
        given.write_text(json.dumps({connector: secrets}))
        given.chmod(0o600)
        command = [COMMAND, "up", "--listen", self._url.removeprefix("http://"), "--allow-private-upstreams"]
        command += [
            "--integration",
            ROOT / "connectors" / connector,
            "--secrets",
            given,
            "--state",
            folder / "state.redb",
        ]
        for key, value in settings.items():
            text = value if isinstance(value, str) else json.dumps(value)
            command += ["--set", f"{connector}.{key}={text}"]
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                urllib.request.urlopen(f"{self._url}/v1/healthz", timeout=5).close()
                return
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise FailedError(f"the gateway did not start:\n{self._log.read_text()}")

    def call(self, method: str, path: str, body: object = None, **query: str) -> Answer:
        """Calls the API below /v1/{integration}."""
        url = f"{self._url}/v1/{self._name}{path}"
        if query:
            url += "?" + urllib.parse.urlencode(query)
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, json.load(answer))
        except urllib.error.HTTPError as refused:
            return Answer(refused.code, json.load(refused))

    def create(self, short_description: str, **payload: object) -> dict:
        """A new ticket of Carol's."""
        body = {"payload": {"short_description": short_description, **payload}, "requestor_info": CAROL}
        return self.call("POST", "/tickets", body).expect(201)["raw_ticket"]

    def read(self, ticket_id: str) -> dict:
        return self.call("GET", f"/tickets/{ticket_id}").expect(200)["raw_ticket"]

    def of(self, requestor: str, **query: str) -> list[str]:
        """The ids of a requestor's tickets."""
        answer = self.call("GET", f"/requestors/{quote(requestor, safe='')}/tickets", **query)
        return [ticket["id"] for ticket in answer.expect(200)["raw_tickets"]]

    def changed(self, start: str, end: str = "2999-01-01T00:00:00Z") -> list[str]:
        """The ids of the tickets that changed in a window, over all pages."""
        window = {"updated_start_ts": start, "updated_end_ts": end}
        ids: list[str] = []
        while True:
            page = self.call("GET", "/tickets", **window).expect(200)
            ids += [ticket["id"] for ticket in page["raw_tickets"]]
            token = (page.get("pagination_info") or {}).get("next_page_token")
            if not token:
                return ids
            window["next_page_token"] = token

    @property
    def log(self) -> str:
        return self._log.read_text()

    def stop(self) -> None:
        end(self._process)
