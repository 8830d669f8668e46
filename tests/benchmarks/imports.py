"""What `import transportkit` costs beside `import tenacity`, in a program that has httpx.

    python tests/benchmarks/imports.py

Each import is timed in a process of its own, a fork of one that has imported httpx, by turns.
Exits with status 1 when a bar is missed.
"""

import gc
import os
import statistics
import struct
import sys
import time

import httpx
from ratios import Report

ROUNDS = 31

# What a program writes; with a transport, what it has loaded when it can send a request.
CONTESTANTS = {
    "tenacity": "import tenacity",
    "nothing yet": "import transportkit",
    "RetryTransport": "from transportkit import RetryTransport; RetryTransport(stub)",
    "ResumeTransport": "from transportkit import ResumeTransport; ResumeTransport(stub)",
    "DebuggingTransport": "from transportkit import DebuggingTransport; DebuggingTransport(stub)",
    "HSTSTransport": "from transportkit import HSTSTransport; HSTSTransport(stub)",
    "HTTPSRedirect": "from transportkit import HTTPSRedirect; HTTPSRedirect()",
    "FileSystemTransport": "from transportkit import FileSystemTransport; FileSystemTransport('/')",
    "Wrapper": "from transportkit import Wrapper; Wrapper(stub)",
    "ProxyRoundRobin": "from transportkit import ProxyRoundRobin; ProxyRoundRobin([stub])",
    "Mounts": "from transportkit import Mounts; Mounts({'all://': stub}, default=stub)",
}


def seconds(code: str) -> float:
    """The processor time that some code takes in a process of its own."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        namespace = {"stub": httpx.MockTransport(lambda request: httpx.Response(200))}
        started = time.process_time()
        exec(code, namespace)
        os.write(writing, struct.pack("d", time.process_time() - started))
        os._exit(0)
    os.close(writing)
    try:
        os.wait()
        (taken,) = struct.unpack("d", os.read(reading, 8))
    finally:
        os.close(reading)
    return float(taken)


def main() -> int:
    times: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    # tenacity imports tornado where that is installed, which would flatter us.
    sys.modules["tornado"] = None  # type: ignore[assignment] # as the documentation of imports has it
    # Compiling happens once in the life of an installation.
    sys.dont_write_bytecode = False
    for code in CONTESTANTS.values():
        seconds(code)
    gc.disable()
    gc.freeze()
    for _ in range(ROUNDS):
        for name, code in CONTESTANTS.items():
            times[name].append(seconds(code))
    medians = {name: statistics.median(measured) for name, measured in times.items()}
    report = Report()
    print(f"import tenacity: {medians['tenacity'] * 1000:.1f} ms")
    report.heading("import transportkit against import tenacity, with", to="tenacity")
    for name, median in medians.items():
        if name != "tenacity":
            bar = 1.0 if name == "nothing yet" else 2.5
            report.ratio(name, median / medians["tenacity"], at_most=bar)
    return 0 if report.met else 1


if __name__ == "__main__":
    sys.exit(main())
