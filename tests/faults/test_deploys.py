"""Workers replaced during a bulk, in the short form."""

import pytest

from tests.faults.deploys import run


@pytest.mark.cluster
def test_R20_eight_restarts_during_a_bulk_lose_double_and_doubt_nothing() -> None:
    made = run(500, 8)
    lines = [*made.findings.lost, *made.findings.doubled, *made.findings.wrong, *made.findings.stuck]
    assert made.is_clean, "\n".join([made.report(), *lines, *made.findings.history, *made.findings.chain])
    assert len(made.stops) == 8
    # Some of it was asked for singly before: the row of the bulk leads to that request then.
    assert made.findings.states == {"succeeded": made.rows}
    assert made.findings.calls == made.rows
