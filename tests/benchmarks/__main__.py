"""Runs the benchmarks one after the other; each prints its own table, and each can be run alone with other sizes.

python -m tests.benchmarks [engine | search | load | bulks | exporting | memory] …

Ends with 1 when a goal is missed.
"""

# ruff: noqa: T201 - a measurement is printed

import os
import subprocess
import sys

DATABASE = "postgres://postgres@127.0.0.1:5432/rescind_bench"
RUNS = {
    "engine": [["--rows", "2000"], ["--rows", "2000", "--shops", "20", "--rounds", "2"]],
    "search": [["--orders", "100000", "--rounds", "20"]],
    "load": [["--seconds", "10"]],
    "bulks": [["--rows", "5000"]],
    "exporting": [[]],
    "memory": [["--sends", "5000", "--pages", "2000", "--events", "200000"]],
}


def main(names: list[str]) -> int:
    """Run those named, or all."""
    unknown = [name for name in names if name not in RUNS]
    if unknown:
        print(f"There is no benchmark called {unknown[0]}: choose from {', '.join(RUNS)}.")
        return 2
    missed = 0
    for name in names or RUNS:
        for sizes in RUNS[name]:
            command = [sys.executable, "-m", f"tests.benchmarks.{name}", *sizes]
            missed += subprocess.run(command, env={"TEST_DATABASE_URL": DATABASE, **os.environ}, check=False).returncode
            print(flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
