"""Redmine 5.0 as Debian 12 packages it: SQLite, puma."""

import json
import urllib.request
from pathlib import Path

from system import System

INSTALLED = Path("/usr/share/redmine")


class Redmine(System):
    """`seeded` has ids by name: users, statuses, trackers, priorities, fields. `key(login)` is a person's API key."""

    name = "redmine"
    packages = ("redmine", "redmine-sqlite", "puma")
    answers = (
        "redmine redmine/instances/default/dbconfig-install boolean false",
        "redmine redmine/default-language select en",
    )
    database = "database.sqlite3"
    seed_script = "redmine-seed.rb"

    @staticmethod
    def key(login: str) -> str:
        return login.ljust(40, "0")

    def configure(self) -> None:
        for folder in ("config", "tmp", "log", "files"):
            (self.folder / folder).mkdir()
        write(
            self.folder / "config" / "database.yml",
            "production:",
            "  adapter: sqlite3",
            f"  database: {self.folder / self.database}",
            "  timeout: 10000",
        )
        write(
            self.folder / "config" / "configuration.yml",
            "production:",
            f"  attachments_storage_path: {self.folder / 'files'}",
        )
        write(self.folder / "config" / "secret_key.txt", "0" * 64)

    def environment(self) -> dict[str, str]:
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "RAILS_ENV": "production",
            # The package keeps each instance below this folder, and ours is elsewhere.
            "REDMINE_INSTANCE": f"../../../..{self.folder}",
        }

    def fill(self) -> str:
        script = Path(__file__).with_name(self.seed_script)
        return self.run("bin/rails", "runner", str(script), folder=INSTALLED)

    def api(self, method: str, path: str, body: object, person: str = "gateway") -> int:
        """What another client of Redmine's API does; gives the status of the answer."""
        headers = {"X-Redmine-API-Key": self.key(person), "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}{path}", json.dumps(body).encode(), headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status

    def command(self) -> list[str]:
        return ["puma", "-e", "production", "-b", f"tcp://127.0.0.1:{self.port}", "-t", "2:4", "--dir", str(INSTALLED)]

    def probe(self) -> urllib.request.Request:
        return urllib.request.Request(
            f"{self.url}/users/current.json", headers={"X-Redmine-API-Key": self.key("gateway")}
        )


def write(file: Path, *lines: str) -> None:
    file.write_text("\n".join(lines) + "\n")
