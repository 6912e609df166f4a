"""Base URLs: only the card's hosts over https, and what the operator named exactly."""

import pytest
from django.core.exceptions import ValidationError

from cancellations.shops.hosts import check_base_url, is_local
from tests.integration.pretend import CARD


@pytest.fixture(autouse=True)
def _hosts(settings):
    settings.PLATFORM_HOSTS = frozenset({"127.0.0.1:8765", "[::1]:9000", "gateway.internal:443"})


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://api.pretend.example", "https://api.pretend.example"),
        (" https://API.Pretend.example/ ", "https://api.pretend.example"),
        ("https://api.pretend.example:443/router/rest/", "https://api.pretend.example:443/router/rest"),
        ("https://one.shops.pretend.example", "https://one.shops.pretend.example"),
        ("https://a.b.shops.pretend.example", "https://a.b.shops.pretend.example"),
        ("http://127.0.0.1:8765/pretend", "http://127.0.0.1:8765/pretend"),
        ("http://[::1]:9000", "http://[::1]:9000"),
        ("https://gateway.internal/x", "https://gateway.internal/x"),
    ],
)
def test_allowed_addresses_are_kept_in_one_form(given, kept):
    assert check_base_url(CARD, given) == kept


HOSTILE = [
    "http://api.pretend.example", "ftp://api.pretend.example", "//api.pretend.example", "api.pretend.example", "",
    "https://", "https:///x", "https:api.pretend.example", "https://evil.example", "https://pretend.example",
    "https://shops.pretend.example", "https://.shops.pretend.example", "https://evilshops.pretend.example",
    "https://api.pretend.example.evil.example", "https://evil.example/api.pretend.example",
    "https://api.pretend.example@evil.example", "https://user:pw@api.pretend.example",
    "https://evil.example#.shops.pretend.example", "https://evil.example?.shops.pretend.example",
    "https://evil.example\\.shops.pretend.example", "https://api.pretend.example\\@evil.example",
    "https://api.pretend.example/?x=1", "https://api.pretend.example/#x", "https://api.pretend.example:8443",
    "https://api.pretend.example:", "https://api.pretend.example:0", "https://api.pretend.example:99999",
    "https://api.pretend.example:44a", "https://api.pretend.example/../x", "https://api.pretend.example/%2e%2e/x",
    "https://api.pretend.example//x", "https://api.pretend.example\n.evil.example", "https://api.pretend.example x",
    "https://api.pretend.example\x00", "https://ａｐｉ.pretend.example", "https://api。pretend。example",
    "https://api.pretend.example.", "https://-x.shops.pretend.example", "https://x-.shops.pretend.example",
    "https://127.0.0.1", "http://127.0.0.1:8766", "http://127.0.0.1", "http://127.1:8765", "http://2130706433:8765",
    "http://0x7f.0.0.1:8765", "http://0177.0.0.1:8765", "http://localhost:8765", "http://[::ffff:127.0.0.1]:8765",
    "https://169.254.169.254", "https://[::1]", "https://[fe80::1%25eth0]", "http://[::1]:9001",
    "http://gateway.internal", "https://gateway.internal:8443", "javascript://api.pretend.example",
    "https://" + "a" * 300 + ".shops.pretend.example",
]  # fmt: skip


@pytest.mark.parametrize("address", HOSTILE)
def test_S7_hostile_addresses_are_refused_with_a_sentence(address):
    with pytest.raises(ValidationError) as caught:
        check_base_url(CARD, address)
    (sentence,) = caught.value.messages
    assert sentence.endswith(".")
    assert "%(" not in sentence


def test_only_what_the_operator_named_is_local():
    assert is_local("http://127.0.0.1:8765/pretend")
    assert not is_local("https://api.pretend.example")
    assert not is_local("nonsense")
