"""Runs a real ticketing system until Ctrl-C: `python3 tests/systems redmine`, as root on Debian 12."""

import argparse
import json
import signal
import sys

from debian import UnavailableError
from redmine import Redmine
from request_tracker import RequestTracker


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests/systems", description=__doc__)
    parser.add_argument("system", choices=["request-tracker", "redmine"])
    parser.add_argument("--zone", default="UTC", help="time zone of Request Tracker's API user (%(default)s)")
    given = parser.parse_args()
    # SIGTERM like Ctrl-C, so that the server ends and its folder is removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        system = Redmine() if given.system == "redmine" else RequestTracker(given.zone)
    except UnavailableError as why:
        print(f"{given.system} cannot run here: {why}", file=sys.stderr)
        return 1
    try:
        print(f"{given.system}: {system.url}")
        key = system.key("gateway") if isinstance(system, Redmine) else system.token
        print(f"key: {key}")
        print(f"seeded: {json.dumps(system.seeded)}")
        print(f"seconds: {json.dumps(system.times)}\nCtrl-C ends it and removes its data.", flush=True)
        signal.pause()
    except KeyboardInterrupt:
        print()
    finally:
        system.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
