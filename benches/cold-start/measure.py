"""Prints what starting the functions costs. `benches/cold-start/run` builds what this measures, and calls it."""

import argparse
import io
import os
import pathlib
import platform
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile

from stubs import NAME, Aws, RuntimeApi

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LONGEST_START = 120


class Program:
    """Something that Lambda could start."""

    def __init__(self, title, argv, zipped=None, warms=True):
        self.title = title
        self.argv = [str(part) for part in argv]
        self.zipped = zipped
        self.warms = warms
        self.forget()

    def forget(self):
        self.first, self.ready, self.processor, self.memory = [], [], [], []


def zipped_size(path):
    """As `sam deploy` packs it: deflate, level 6."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.write(path, "bootstrap")
    return len(archive.getvalue())


def environment(api, aws):
    return {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "AWS_LAMBDA_FUNCTION_NAME": "function",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_ENDPOINT_URL": f"http://{aws.address}",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "TICKET_GATEWAY_INTEGRATIONS_TABLE": "integrations",
        "TICKET_GATEWAY_STATE_TABLE": "state",
        "TICKET_GATEWAY_SECRET_PREFIX": "ticket-gateway/",
    }


class Bench:
    def __init__(self):
        self.api = RuntimeApi()
        self.aws = Aws((ROOT / "connectors" / NAME / "integration.yaml").read_text())
        # It lives as long as this process.
        self.output = tempfile.TemporaryFile()  # noqa: SIM115

    def start(self, program, argv=None):
        """Starts a program and waits until it asks for its first event. Gives its pid and the moment before exec."""
        self.api.forget()
        self.aws.forget()
        self.output.seek(0)
        self.output.truncate()
        argv = argv or program.argv
        streams = [(os.POSIX_SPAWN_DUP2, self.output.fileno(), stream) for stream in (1, 2)]
        at = time.perf_counter_ns()
        pid = os.posix_spawn(argv[0], argv, environment(self.api, self.aws), file_actions=streams)
        if not self.api.ready.wait(LONGEST_START) or self.api.failure:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise SystemExit(f"{program.title} did not start: {self.api.failure}\n{self.said()}")
        return pid, at

    def said(self):
        self.output.seek(0)
        return self.output.read().decode(errors="replace")

    def time(self, program):
        pid, at = self.start(program)
        # What the kernel tells of the ended process counts the memory of this one before exec too.
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        os.kill(pid, signal.SIGKILL)
        usage = os.wait4(pid, 0)[2]
        if re.search(r'"level":"(WARN|ERROR)"', said := self.said()):
            raise SystemExit(f"{program.title} did not start well:\n{said}")
        if program.warms and len(self.aws.asked) < 3:
            raise SystemExit(f"{program.title} only asked AWS for {self.aws.asked}")
        if self.aws.first_at is not None:
            program.first.append((self.aws.first_at - at) / 1e6)
        program.ready.append((self.api.ready_at - at) / 1e6)
        program.processor.append((usage.ru_utime + usage.ru_stime) * 1e3)
        program.memory.append(int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024)

    def under(self, program, tool):
        """Runs a program under a tool that prints a report when the program ends."""
        pid, _ = self.start(program, [*tool, *program.argv])
        # strace and perf run the program as a child; valgrind is the program.
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        os.kill(int(children[0]) if children else pid, signal.SIGTERM)
        os.waitpid(pid, 0)
        return self.said()

    def instructions(self, program, tool):
        if tool == "perf":
            argv = [shutil.which("perf"), "stat", "-x,", "-e", "instructions:u", "--"]
            found = re.search(r"^(\d+),,instructions", self.under(program, argv), re.MULTILINE)
        else:
            argv = [shutil.which("valgrind"), "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
            if "node" in program.argv[0]:
                argv.append("--smc-check=all-non-file")
            found = re.search(r"I\s+refs:\s+([\d,]+)", self.under(program, argv))
        return f"{int(found[1].replace(',', '')) / 1e6:.1f}" if found else "not measured"

    def system_calls(self, program):
        said = self.under(program, [shutil.which("strace"), "-f", "-c", "-U", "calls,name"])
        found = re.search(r"^\s*(\d+)\s+total$", said, re.MULTILINE)
        return found[1] if found else "not measured"


def counting_tool():
    """`perf` where the machine lets it count, otherwise `valgrind`, which counts by simulation."""
    if perf := shutil.which("perf"):
        tried = subprocess.run(
            [perf, "stat", "-x,", "-e", "instructions:u", "true"], check=False, capture_output=True, text=True
        )
        if re.search(r"^\d+,,instructions", tried.stderr, re.MULTILINE):
            return "perf"
    return "valgrind" if shutil.which("valgrind") else None


def spread(values, digits=1):
    if not values:
        return ""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def table(head, rows):
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binaries", type=pathlib.Path, required=True, help="folder of the built functions")
    parser.add_argument("--empty", type=pathlib.Path, required=True, help="the built empty function")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--only-sizes", action="store_true")
    options = parser.parse_args()

    functions = sorted(path.parent.name for path in (ROOT / "functions").glob("*/Cargo.toml"))
    sizes = {name: zipped_size(options.binaries / name) for name in functions}
    empty_size = zipped_size(options.empty)
    rows = [[f"`{name}`", f"{size / 1e6:.2f}"] for name, size in sizes.items()]
    print(table(["Function", "zipped, MB"], [["an empty function", f"{empty_size / 1e6:.2f}"], *rows]))
    if options.only_sizes:
        return

    empty = Program("an empty `lambda_runtime` function", [options.empty], empty_size, warms=False)
    programs = [
        empty,
        Program("`describe-api`", [options.binaries / "describe-api"], sizes["describe-api"], warms=False),
        Program("`authorize-caller`", [options.binaries / "authorize-caller"], sizes["authorize-caller"], warms=False),
        Program("`create-ticket`", [options.binaries / "create-ticket"], sizes["create-ticket"]),
        Program("Python, boto3", [sys.executable, HERE / "python" / "function.py"]),
    ]
    if node := shutil.which("node"):
        programs.append(Program("Node, AWS SDK v3, bundled", [node, HERE / "node" / "build" / "function.mjs"]))
    else:
        print("\nNode: not measured (no node)")

    bench = Bench()
    load = os.getloadavg()[0]
    for program in programs:
        bench.time(program)
        program.forget()
    for _ in range(options.runs):
        for program in programs:
            bench.time(program)

    counter, tracer = counting_tool(), shutil.which("strace")
    rows = []
    for program in programs:
        instructions = bench.instructions(program, counter) if counter else "not measured (no perf, no valgrind)"
        calls = bench.system_calls(program) if tracer else "not measured (no strace)"
        rows.append(
            [
                program.title,
                f"{program.zipped / 1e6:.2f}" if program.zipped else "",
                spread(program.first),
                spread(program.ready),
                f"{statistics.median(program.ready) / statistics.median(empty.ready):.1f}",
                spread(program.processor),
                instructions,
                calls,
                f"{statistics.median(program.memory):.0f}",
            ]
        )
    head = ["exec to …", "zipped, MB", "first request to AWS, ms", "first `/next`, ms", "x empty", "processor time, ms"]
    head += ["instructions, millions", "system calls", "peak memory, MB"]
    print("\n" + table(head, rows))
    versions = f"Python {platform.python_version()}"
    if node:
        versions += ", Node " + subprocess.check_output([node, "--version"], text=True).strip()
    print(
        f"\nMedian (minimum-maximum) of {options.runs} interleaved runs; instructions (by "
        f"{counter or 'nothing'}) and system calls of one run. {versions}, {os.cpu_count()} cores, "
        f"load {load:.1f} before."
    )


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.setswitchinterval(1e-4)
    main()
