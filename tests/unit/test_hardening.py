"""S20: nothing starts with what is meant for loopback where others can reach it, or with a known key."""

import pytest

from config.hardening import is_loopback, refusals

GOOD = "kX9-fresh-0123456789-abcdefghijklmnopqrstuvwxyz-ABCD"
OUTSIDE = ["desk.example.com", "*", ".localhost", "0.0.0.0", "127.0.0.1.example.com", "10.0.0.1"]  # noqa: S104


@pytest.mark.parametrize("host", OUTSIDE)
@pytest.mark.parametrize("ease", ["debug", "plain_http"])
def test_S20_nothing_of_loopback_starts_outside_it(host: str, ease: str) -> None:
    given = {"debug": False, "plain_http": False, ease: True}
    assert len(list(refusals(**given, secret_key=GOOD, hosts=["127.0.0.1", host]))) == 1
    assert not is_loopback(host)


@pytest.mark.parametrize("key", ["", "k" * 60, GOOD[:39], "django-insecure-" + GOOD, "ChangeMe-" + GOOD])
def test_S20_a_default_or_short_key_is_refused_and_not_shown(key: str) -> None:
    (said,) = refusals(debug=False, plain_http=False, secret_key=key, hosts=[])
    assert said.startswith("SECRET_KEY")
    assert not key or key not in said


def test_S20_a_production_and_a_demo_start() -> None:
    assert not list(refusals(debug=False, plain_http=False, secret_key=GOOD, hosts=["desk.example.com"]))
    assert not list(refusals(debug=True, plain_http=True, secret_key=GOOD, hosts=["127.0.0.1", "localhost", "[::1]"]))
