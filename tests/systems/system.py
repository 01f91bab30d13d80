"""A ticketing system of its own: a private folder, a free port of 127.0.0.1, nothing left behind."""

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from pathlib import Path

import debian

ROOT = Path(__file__).resolve().parents[2]
# A seeded database is made once for each version of the package and of its seed.
SEEDED = ROOT / "target" / "systems"


class FailedError(AssertionError):
    """A system could not be seeded or did not start."""


class System(ABC):
    """Installs, seeds and starts one; `stop` ends it and removes its folder."""

    #: Word in paths and messages.
    name: str
    #: The first one's version stands for all of them.
    packages: tuple[str, ...]
    #: Lines for debconf-set-selections: no database of the whole machine is wanted.
    answers: tuple[str, ...]
    #: The file below the private folder that holds all data.
    database: str
    #: The script beside this file that fills the database.
    seed_script: str

    def __init__(self, **variant: str) -> None:
        self.times: dict[str, float] = {}
        self.variant = variant
        self._process: subprocess.Popen | None = None
        with self._timed("install"):
            installed = debian.install(self.packages, self.answers)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        # Not below the checkout, which www-data may not be allowed to enter.
        self.folder = Path(tempfile.mkdtemp(prefix=f"ticket-gateway-{self.name}-"))
        try:
            self.configure()
            with self._timed("seed"):
                self.seeded = self._seed(installed)
            with self._timed("start"):
                self._start()
        except BaseException:
            self.stop()
            raise

    @abstractmethod
    def configure(self) -> None:
        """Writes the configuration below `folder`."""

    @abstractmethod
    def fill(self) -> str:
        """Makes and fills the database; gives one line of JSON that says what is in it."""

    @abstractmethod
    def command(self) -> list[str]:
        """The server's command line."""

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """The environment of the server and of the seed."""

    @abstractmethod
    def probe(self) -> urllib.request.Request:
        """A request that is answered 200 once the API works."""

    def _seed(self, installed: str) -> dict:
        script = Path(__file__).with_name(self.seed_script).read_text()
        key = hashlib.sha256(json.dumps([installed, script, self.variant]).encode()).hexdigest()[:16]
        kept = SEEDED / f"{self.name}-{key}"
        database = self.folder / self.database
        if kept.is_dir():
            shutil.copy(kept / "database", database)
            return json.loads((kept / "seeded.json").read_text())
        said = self.fill()
        seeded = json.loads(said.splitlines()[-1])
        SEEDED.mkdir(parents=True, exist_ok=True)
        # Complete or not there: another run may do the same.
        scratch = Path(tempfile.mkdtemp(dir=SEEDED))
        shutil.copy(database, scratch / "database")
        (scratch / "seeded.json").write_text(json.dumps(seeded))
        try:
            scratch.rename(kept)
        except OSError:
            shutil.rmtree(scratch)
        return seeded

    def run(self, *command: str, folder: Path | None = None) -> str:
        """Runs a program of the system and gives its standard output; `FailedError` shows everything it said."""
        done = subprocess.run(
            command, cwd=folder, env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise FailedError(f"{' '.join(command)}\nended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def _start(self) -> None:
        debian.owned_by_www_data(self.folder)
        # It ends with this process, however that ends.
        unprivileged = ["setpriv", "--reuid=www-data", "--regid=www-data", "--init-groups", "--pdeathsig=TERM", "--"]
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [*unprivileged, *self.command()],
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                urllib.request.urlopen(self.probe(), timeout=30).close()
                return
            except urllib.error.HTTPError as refused:
                if refused.code < 500:
                    raise FailedError(f"{self.name} refuses its own key: {refused.code}") from None
            except OSError:
                pass
            time.sleep(0.05)
        raise FailedError(f"{self.name} did not start:\n{self.log.read_text()[-3000:]}")

    @property
    def log(self) -> Path:
        """What the server has said."""
        return self.folder / "server.log"

    def stop(self) -> None:
        if self._process is not None:
            end(self._process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _timed(self, what: str) -> "Timer":
        return Timer(self.times, what)


class Timer:
    """Notes how many seconds a block took."""

    def __init__(self, times: dict[str, float], what: str) -> None:
        self._times, self._what = times, what

    def __enter__(self) -> None:
        self._started = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._times[self._what] = round(time.monotonic() - self._started, 1)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def end(process: subprocess.Popen) -> None:
    """Ends a process and its group: asks, waits ten seconds, kills."""
    for how, seconds in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
        try:
            os.killpg(process.pid, how)
            process.wait(seconds)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
