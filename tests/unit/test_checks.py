"""System checks: a misconfigured desk does not start, and says why without showing a key."""

from dataclasses import replace

import pytest

from cancellations.checks import card_faults, check_cards, check_keys
from providers import registry
from providers.contract import Field
from tests.integration.pretend import CARD


def test_the_keys_of_the_tests_and_all_cards_are_well_formed():
    assert check_keys() == []
    assert check_cards() == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CREDENTIAL_KEYS", [], "there is no key"),
        ("CREDENTIAL_KEYS", ["a:c2hvcnQ="], "has 5 bytes instead of 32"),
        ("AUDIT_KEYS", [], "AUDIT_KEYS is missing"),
        ("AUDIT_KEYS", ["a1:short"], "AUDIT_KEYS is missing or malformed"),
        ("SEARCH_KEY", "short", "SEARCH_KEY is missing or too short"),
        ("PLATFORM_HOSTS", frozenset({"http://127.0.0.1:80"}), "is not host:port"),
        ("PLATFORM_HOSTS", frozenset({"127.0.0.1"}), "is not host:port"),
    ],
)
def test_a_key_that_cannot_be_used_keeps_the_desk_from_starting(settings, name, value, said):
    setattr(settings, name, value)
    (found,) = check_keys()
    assert said in found.msg
    assert found.is_serious()
    assert "c2hvcnQ=" not in str(found)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"slug": "Other"}, "calls itself 'Other'"),
        ({"base_url": "https://evil.example"}, "its base URL: "),
        ({"base_url": "https://api.pretend.example/"}, "not written as it is kept"),
        ({"lookup": ()}, "which order is meant"),
        ({"credential": ()}, "no credential"),
        ({"private": frozenset({"Phone"})}, "lower case"),
        ({"reason": "listed", "reason_defaults": {"other": "X"}}, "listed values"),
        ({"lookup": (Field("a", "A"), Field("a", "B"))}, "same name"),
        ({"options": (Field("a", "A", kind="secret"),), "credential": (Field("b", "B"),)}, "is a secret"),
        ({"options": (Field("a", "A", kind="choice"),), "credential": (Field("b", "B"),)}, "has no choices"),
        ({"credential": (Field("b", "B", when=("nothing", "x")),)}, "does not exist"),
        ({"credential": (Field("b", ""),)}, "has no label"),
    ],
)
def test_a_malformed_card_is_named_with_its_fault(change, said):
    assert any(said in fault for fault in card_faults("pretend", replace(CARD, **change)))


def test_the_registry_calls_every_platform_by_its_own_name():
    assert all(slug == provider.card.slug for slug, provider in registry.PROVIDERS.items())
