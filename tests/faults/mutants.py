"""``python -m tests.faults.mutants``: each known mistake, put into a copy of the tree, must turn the campaign red.

The patches stand in ``mutants/``; the first line of each says what the mistake is.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.stack import ROOT

PATCHES = Path(__file__).resolve().parent / "mutants"
# What tells nothing of the code, or is not to be copied.
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "data", "__pycache__", ".ruff_cache", ".mypy_cache")


def patches() -> list[Path]:
    """Return every mutant, by name."""
    return sorted(PATCHES.glob("*.patch"))


def mutate(patch: Path, tree: Path) -> None:
    """Copy the tree and put one mistake into it.

    Raises:
        subprocess.CalledProcessError: The patch does not apply any more.
    """
    shutil.copytree(ROOT, tree, ignore=LEFT_OUT, dirs_exist_ok=True)
    subprocess.run(["git", "apply", str(patch)], cwd=tree, check=True, capture_output=True, text=True)


def main() -> None:
    """Run every mutant, or those named; exit 1 when one of them stays green."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="beginnings of names; default: all")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--faults", type=int, default=200)
    args = parser.parse_args()
    green = []
    for patch in patches():
        if args.names and not any(patch.name.startswith(name) for name in args.names):
            continue
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="rescind-mutant-") as folder:
            mutate(patch, Path(folder))
            command = ["-m", "tests.faults", "--seed", str(args.seed), "--faults", str(args.faults), "--share", "0.5"]
            done = subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True, check=False)
        lines = done.stdout.splitlines()
        last = next((line for line in lines if line.startswith("seed ")), done.stderr[-300:])
        is_red = done.returncode == 1 and "wrong final states" in last
        if not is_red:
            green.append(patch.stem)
        print(
            f"{patch.stem}: {'red' if is_red else 'GREEN'} after {time.monotonic() - begun:.0f} s: {last}", flush=True
        )
    print(f"{len(green)} stayed green" + (f": {', '.join(green)}" if green else ""))
    sys.exit(1 if green else 0)


if __name__ == "__main__":
    main()
