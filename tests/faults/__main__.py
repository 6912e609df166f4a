"""``python -m tests.faults --seed 1 --faults 5000``: run a campaign, print what it found; exit 1 unless all is zero."""

import argparse
import signal
import sys
from pathlib import Path

from tests.faults.campaign import Plan, run
from tests.faults.checker import report

KINDS = ("postgres+redis", "postgres+rabbitmq", "sqlite+spool")


def main() -> None:
    """Run what the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--requests", type=int, help="default: twice the faults")
    parser.add_argument("--kind", choices=KINDS, default=KINDS[0])
    parser.add_argument("--workers", type=int, help="default: 3, on SQLite 1")
    parser.add_argument("--share", type=float, default=0.3, help="part of the requests that meets a faulty platform")
    parser.add_argument("--folder", type=Path, help="keep everything, logs too, in this empty folder")
    parser.add_argument("--most-seconds", type=float, default=7200)
    args = parser.parse_args()
    workers = args.workers or (1 if args.kind.startswith("sqlite") else 3)
    plan = Plan(
        seed=args.seed,
        faults=args.faults,
        requests=args.requests or 2 * args.faults,
        kind=args.kind,
        workers=workers,
        share=args.share,
        most_seconds=args.most_seconds,
    )
    if args.folder:
        args.folder.mkdir(parents=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything it started is ended, too
    result = run(plan, lambda line: print(line, flush=True), args.folder)
    for line in report(result.findings, result.faults, result.seconds, args.seed):
        print(line)
    print(
        f"pages that broke while things were broken: {result.broken_pages}; "
        f"forms without any answer: {result.unanswered}"
    )
    sys.exit(0 if result.findings.is_clean else 1)


if __name__ == "__main__":
    main()
