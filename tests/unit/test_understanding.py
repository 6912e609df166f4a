"""What a typed text may be, and what it is therefore compared with."""

import pytest

from cancellations.orders import keys
from cancellations.orders.understanding import understand


@pytest.mark.parametrize(
    ("typed", "kinds"),
    [
        ("", ()),
        ("---", ()),
        ("anna@example.com", ("email",)),
        ("SF1234567890123", ("waybill",)),
        ("LC-1001", ("number",)),
        ("CS170926155954NO7", ("number",)),
        ("4321", ("number", "tail")),
        ("+86 139 1234 5678", ("number", "phone")),
        ("王小明", ("name",)),
        ("Maria García", ("name",)),
        ("12", ("number",)),
    ],
)
def test_it_says_what_the_text_looked_like(typed: str, kinds: tuple[str, ...]) -> None:
    assert understand(typed).kinds == kinds
    assert understand(typed).said.endswith(".")


def test_a_buyers_email_is_compared_only_as_a_hash_and_no_platform_is_asked() -> None:
    asked = understand("Anna@Example.com")
    assert asked.values == (keys.hashed("email", "anna@example.com"),)
    assert asked.prefix == asked.number == ""


def test_a_name_is_no_number_to_ask_a_platform_for() -> None:
    assert understand("Maria García").number == ""


def test_a_platform_is_asked_for_the_number_as_it_was_typed() -> None:
    assert understand(" #633130-00000004 ").number == "633130-00000004"


def test_one_character_is_no_prefix() -> None:
    assert understand("1").prefix == ""
    assert understand("10").prefix == "10"


def test_a_phone_matches_its_own_longer_and_shorter_forms_but_no_short_ending() -> None:
    asked = understand("+86 139 1234 5678")
    assert keys.hashed("phone", "13912345678") in asked.values
    assert keys.hashed("phone", "12345678") not in asked.values
