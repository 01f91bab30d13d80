"""Request Tracker 5.0 as Debian 12 packages it: SQLite, Starman."""

import json
import urllib.request
from pathlib import Path

from system import System


class RequestTracker(System):
    """`seeded["token"]` is the API token of the person `gateway`.

    `zone` is the time zone in that person's preferences, in which a query's times are read: `America/New_York`.
    """

    name = "request-tracker"
    packages = ("request-tracker5", "rt5-db-sqlite", "rt5-standalone", "starman", "nullmailer", "w3m")
    answers = ("request-tracker5 request-tracker5/dbconfig-install boolean false",)
    database = "database.sqlite3"
    seed_script = "request-tracker-seed.pl"

    def __init__(self, zone: str = "UTC") -> None:
        super().__init__(zone=zone)

    @property
    def token(self) -> str:
        return self.seeded["token"]

    def configure(self) -> None:
        for folder in ("mason", "session", "var", "none"):
            (self.folder / folder).mkdir()
        settings = {
            "rtname": "test",
            "Organization": "example.test",
            "Timezone": "UTC",
            "DatabaseType": "SQLite",
            "DatabaseName": self.folder / self.database,
            "WebDomain": "127.0.0.1",
            "WebPort": self.port,
            "WebBaseURL": self.url,
            "WebPath": "",
            "CorrespondAddress": "rt@example.test",
            "CommentAddress": "rt-comment@example.test",
            # Into a file: nobody is to get mail from a test.
            "MailCommand": "mbox",
            "LogToSTDERR": "warning",
            # An administrator may have RT cut what is larger, without a word.
            "MaxAttachmentSize": 2_000_000,
            "TruncateLongAttachments": 1,
            # With the default of 12 a call takes 0.35 s (password) to 1.1 s (token).
            "BcryptCost": 4,
        }
        lines = [f"Set(${name}, '{value}');" for name, value in settings.items()]
        lines.append(LIFECYCLE)
        lines += ["Set($LogToSyslog, undef);", "Set($LogToFile, undef);"]
        lines += [f"$RT::{name} = '{self.folder / place}';" for name, place in PLACES.items()]
        (self.folder / "site.pm").write_text("\n".join([*lines, "1;", ""]))

    def environment(self) -> dict[str, str]:
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "RT_SITE_CONFIG": str(self.folder / "site.pm"),
            # Instead of the machine's own configuration.
            "RT_SITE_CONFIG_DIR": str(self.folder / "none"),
        }

    def fill(self) -> str:
        self.run("rt-setup-database-5", "--action", "init", "--skip-create")
        script = Path(__file__).with_name(self.seed_script)
        return self.run("perl", str(script), self.variant["zone"])

    def api(self, method: str, path: str, body: object = None) -> object:
        """What another client of RT's API does."""
        headers = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/REST/2.0{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def command(self) -> list[str]:
        server = "/usr/share/request-tracker5/libexec/rt-server"
        where = ["--host", "127.0.0.1", "--port", str(self.port)]
        return [server, "--server", "Starman", *where, "--workers", "2"]

    def probe(self) -> urllib.request.Request:
        return urllib.request.Request(f"{self.url}/REST/2.0/rt", headers={"Authorization": f"token {self.token}"})


# A queue of its own states, without "stalled".
LIFECYCLE = """Set(%Lifecycles, deliveries => {
    initial => ['new'], active => ['open'], inactive => ['resolved', 'rejected', 'deleted'],
    defaults => {on_create => 'new', on_merge => 'resolved'},
    transitions => {'' => ['new'], new => ['open', 'resolved'], open => ['new', 'resolved'], resolved => ['open']},
});"""

# Where RT writes, beside the database.
PLACES = {"MasonDataDir": "mason", "MasonSessionDir": "session", "VarPath": "var"}
