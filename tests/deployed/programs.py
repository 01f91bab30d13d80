"""The programs that the tests run: the AWS-compatible server, SAM, `ticket-gateway` and its sandbox."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".venv" / "bin"
TARGET = ROOT / "target" / "x86_64-unknown-linux-gnu" / "debug"
COMMAND = TARGET / "ticket-gateway"
REGION = "us-east-1"


class FailedError(AssertionError):
    """A program ended with another exit code than 0."""


def run(
    *command: str | Path,
    environment: dict[str, str] | None = None,
    stdin: str = "",
    seconds: int = 300,
) -> str:
    """Runs a program in the checkout and gives its standard output; `FailedError` shows everything it said."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    if done.returncode != 0:
        raise FailedError(f"{' '.join(map(str, command))}\nended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Server:
    """ministack on a free port of 127.0.0.1, with IAM on. Functions run as processes of this machine."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "server.log"
        environment = {
            # Functions inherit the server's environment: as little as possible, and AWS_ENDPOINT_URL.
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": REGION,
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "AUTH": "true",
            "LAMBDA_EXECUTOR": "local",
            # It would listen on fixed ports for MQTT and SFTP.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
        }
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("server.py"))],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise FailedError(f"the AWS-compatible server did not start:\n{self.log.read_text()}")

    def operator(self) -> dict[str, str]:
        """The environment of a person with all rights in the account."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {
            **inherited,
            "PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "SAM_CLI_TELEMETRY": "0",
        }

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        stop(self._process)


class Sandbox:
    """A TeamsWork of its own on a free port. Its tickets outlive a restart, so that a key can be changed."""

    def __init__(self, folder: Path, key: str = "first-key") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.key = key
        self._folder = folder
        self._port = free_port()
        self._start()

    def _start(self) -> None:
        command = [COMMAND, "sandbox", "teamswork", "--listen", f"127.0.0.1:{self._port}"]
        command += ["--quirk", "private-comments", "--quirk", "attachments"]
        command += ["--primary-key", self.key, "--state", self._folder / "sandbox.redb"]
        with (self._folder / "sandbox.log").open("w") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            time.sleep(0.02)
        raise FailedError(f"the sandbox did not start:\n{(self._folder / 'sandbox.log').read_text()}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/ticketing/v1"

    def change_key(self, key: str) -> None:
        """From here on only `key` is accepted."""
        stop(self._process)
        self.key = key
        self._start()

    def stop(self) -> None:
        stop(self._process)
