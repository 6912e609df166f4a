"""What people type and what was indexed meet under the same key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cancellations.orders import buyers, keys
from providers.contract import Buyer


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("sf 1234-5678", "SF12345678"),
        ("＃ＳＦ－１２３", "SF123"),
        ("#00123", "00123"),
        ("CS170926155954no7", "CS170926155954NO7"),
        ("633130‑00000004", "63313000000004"),
        ("\u200bA\u00a0B\u3000C", "ABC"),
        ("straße", "STRASSE"),
        ("   ", ""),
    ],
)
def test_numbers_forgive_spaces_dashes_case_and_width_and_keep_leading_zeros(typed: str, kept: str) -> None:
    assert keys.normalise(typed) == kept


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing_and_no_number_looks_like_a_hash(text: str) -> None:
    once = keys.normalise(text)
    assert keys.normalise(once) == once
    assert keys.HASH_MARK not in once


def values(found: set[keys.Key], kind: str) -> set[str]:
    return {value for one, value in found if one == kind}


def test_a_hash_says_nothing_and_differs_by_kind() -> None:
    one = keys.hashed("email", "anna@example.com")
    assert one != keys.hashed("name", "anna@example.com")
    assert len(one) == 33
    assert "anna" not in one


@pytest.mark.parametrize("typed", ["Anna@Example.com ", "ａnna@example.com"])
def test_an_email_is_found_whatever_its_case_and_width(typed: str) -> None:
    assert keys.keys_of_email(typed) == keys.keys_of_email("anna@example.com")


@pytest.mark.parametrize("typed", ["+86 139 1234 5678", "0086-13912345678", "139 1234 5678", "１３９１２３４５６７８"])
def test_a_phone_is_found_with_or_without_its_country_prefix(typed: str) -> None:
    stored = values(keys.keys_of_phone("+8613912345678"), "phone")
    asked = {keys.hashed("phone", one) for one in keys.phone_forms(keys.digits(typed), shortest=9)}
    assert stored & asked


def test_another_phone_is_not_found() -> None:
    stored = values(keys.keys_of_phone("13912345678"), "phone")
    assert not stored & {keys.hashed("phone", one) for one in keys.phone_forms("13812345679", shortest=9)}


def test_the_last_four_digits_have_a_key_of_their_own() -> None:
    assert values(keys.keys_of_phone("+86 139-1234-5678"), "tail") == {keys.hashed("tail", "5678")}
    assert keys.keys_of_phone("12") == set()


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ("María-José Ñúñez", "nunez"),
        ("María José Ñúñez", "maria nunez"),
        ("Anna Smith", "SMITH anna"),
        ("王小明", "王小明"),
        ("王小明", "小明"),
        ("欧阳娜娜", "欧阳"),
        ("陳 大文", "陳大文".replace("陳", "陳 ")),
        ("ﾔﾏﾀﾞ 太郎", "ヤマダ"),
    ],
)
def test_a_name_is_found_by_itself_each_of_its_words_and_two_of_them(stored: str, typed: str) -> None:
    assert ("name", keys.hashed("name", " ".join(keys.fold_name(typed)))) in keys.keys_of_name(stored)


def test_a_single_letter_finds_nobody() -> None:
    assert ("name", keys.hashed("name", "王")) not in keys.keys_of_name("王小明")


def test_many_words_make_boundedly_many_keys() -> None:
    assert len(keys.keys_of_name(" ".join(chr(97 + at) * 3 for at in range(20)))) <= 40
    assert len(keys.keys_of_name("王" * 400)) <= 40


@pytest.mark.parametrize(
    ("buyer", "shown"),
    [
        (Buyer("Maria Garcia", "m@x.example", "+34 600 004 321"), "M••• G•••, •••• 4321"),
        (Buyer("王小明"), "王•••"),
        (Buyer(email="anna@example.com"), "a•••@•••"),
        (Buyer(phone="12345"), ""),
        (Buyer(), ""),
    ],
)
def test_the_mask_keeps_initials_and_four_digits(buyer: Buyer, shown: str) -> None:
    assert buyers.mask(buyer) == shown
