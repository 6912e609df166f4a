"""The campaign in its short form: real processes, two hundred faults, and zero in every other column."""

from pathlib import Path

import pytest

from tests.canaries import leaks_in
from tests.faults.campaign import Plan, run
from tests.faults.checker import report


def _is_clean(plan: Plan, folder: Path | None = None) -> None:
    result = run(plan, folder=folder)
    lines = list(report(result.findings, result.faults, result.seconds, plan.seed))
    assert result.findings.is_clean, "\n".join(lines)
    assert result.faults.total() >= plan.faults
    assert result.findings.requests >= plan.requests * 0.9


@pytest.mark.cluster
def test_R01_R02_R04_R08_R09_R10_R11_R21_two_hundred_faults_on_postgresql_and_redis() -> None:
    _is_clean(Plan(seed=7, faults=200, requests=200, settling_seconds=90))


def test_R01_R02_R09_S09_one_worker_on_sqlite_is_killed_again_and_again_and_leaves_no_secret(tmp_path: Path) -> None:
    plan = Plan(
        seed=3, faults=40, requests=40, kind="sqlite+spool", workers=1, settling_seconds=30, log_level="DEBUG"
    )  # fmt: skip
    _is_clean(plan, tmp_path)
    assert leaks_in(tmp_path) == []
