"""Packages of Debian 12, installed as root through apt."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

POLICY = Path("/usr/sbin/policy-rc.d")


class UnavailableError(Exception):
    """A system cannot be installed on this machine. The text is one line that says why."""


def install(packages: tuple[str, ...], answers: tuple[str, ...]) -> str:
    """Installs what is missing of `packages` and gives the version of the first; `UnavailableError` says why not.

    `answers` are lines for debconf-set-selections. Where everything is installed already, apt is not asked.
    """
    require_root_on_debian_12()
    installed = {package: version(package) for package in packages}
    missing = [package for package, found in installed.items() if not found]
    if missing:
        apt(missing, answers)
    return version(packages[0])


def require_root_on_debian_12() -> None:
    release = Path("/etc/os-release")
    lines = release.read_text().splitlines() if release.exists() else []
    values = dict(line.replace('"', "").split("=", 1) for line in lines if "=" in line)
    if (values.get("ID"), values.get("VERSION_ID")) != ("debian", "12"):
        raise UnavailableError(f"needs Debian 12, this is {values.get('PRETTY_NAME', 'another system')}")
    if os.geteuid() != 0:
        raise UnavailableError("needs root, to install packages with apt-get and to run servers as www-data")


def version(package: str) -> str:
    """The installed version, or an empty text."""
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Abbrev}${Version}", package]
    shown = subprocess.run(query, capture_output=True, text=True).stdout
    return shown[3:] if shown.startswith("ii") else ""


def apt(packages: list[str], answers: tuple[str, ...]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    options = ["-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=2", "-o", "Dpkg::Use-Pty=0"]
    # Without an fsync for each file: a third of the time, and the packages can be had again.
    options += ["-o", "Dpkg::Options::=--force-unsafe-io", "-o", "Dpkg::Options::=--force-confold"]
    steps = [["apt-get", "update", "-q", *options]]
    steps.append(["apt-get", "install", "--yes", "-q", "--no-install-recommends", *options, *packages])
    subprocess.run(["debconf-set-selections"], input="\n".join(answers) + "\n", text=True, check=True)
    with tempfile.TemporaryFile("w+") as log, without_daemons():
        for step in steps:
            if subprocess.run(step, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log).returncode != 0:
                log.seek(0)
                said = [line.strip() for line in log if line.startswith(("E:", "Err:", "W:"))]
                raise UnavailableError(f"{' '.join(step[:2])} failed: {said[-1] if said else 'without a reason'}")


@contextmanager
def without_daemons() -> Iterator[None]:
    """While this lasts, no package starts a daemon when it is configured."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()


def owned_by_www_data(folder: Path) -> None:
    """Gives a folder and all in it to the account that the servers run as."""
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, "www-data", "www-data")
