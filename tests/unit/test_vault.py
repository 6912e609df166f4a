"""Sealing: opens only with the right key, for the right shop and purpose."""

import base64

import pytest

from cancellations.shops import vault

NEW, OLD = (f"{name}:{base64.b64encode(name[:1].encode() * 32).decode()}" for name in ("new", "old"))


@pytest.fixture(autouse=True)
def _keys(settings):
    settings.CREDENTIAL_KEYS = [OLD]


def test_what_was_sealed_opens_again_and_does_not_show():
    sealed = vault.seal("päss 密码", purpose="credential", shop_pk=7)
    assert "päss" not in sealed
    assert sealed.startswith("v1:old:")
    assert vault.unseal(sealed, purpose="credential", shop_pk=7) == "päss 密码"


def test_the_same_text_is_never_sealed_the_same_way():
    assert len({vault.seal("x", purpose="credential", shop_pk=1) for _ in range(50)}) == 50


@pytest.mark.parametrize(("purpose", "shop_pk"), [("credential", 8), ("token", 7)])
def test_S8_a_seal_moved_to_another_shop_or_purpose_is_refused(purpose, shop_pk):
    sealed = vault.seal("x", purpose="credential", shop_pk=7)
    with pytest.raises(vault.BrokenSeal):
        vault.unseal(sealed, purpose=purpose, shop_pk=shop_pk)


def test_S8_every_altered_byte_is_noticed():
    sealed = vault.seal("secret", purpose="credential", shop_pk=7)
    head, _, encoded = sealed.rpartition(":")
    raw = base64.b64decode(encoded)
    for at in range(len(raw)):
        altered = f"{head}:{base64.b64encode(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]).decode()}"
        with pytest.raises(vault.SealError):
            vault.unseal(altered, purpose="credential", shop_pk=7)


@pytest.mark.parametrize("text", ["", "v1", "v1:old", "v1:old:", "v1:old:!!", "v2:old:AAAA", "plain text"])
def test_what_is_no_seal_is_refused(text):
    with pytest.raises(vault.BrokenSeal):
        vault.unseal(text, purpose="credential", shop_pk=7)


def test_a_new_key_seals_and_the_old_one_still_opens(settings):
    before = vault.seal("x", purpose="credential", shop_pk=7)
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    assert vault.unseal(before, purpose="credential", shop_pk=7) == "x"
    assert vault.key_id_of(vault.seal("x", purpose="credential", shop_pk=7)) == "new"


def test_a_lost_key_is_named(settings):
    sealed = vault.seal("x", purpose="credential", shop_pk=7)
    settings.CREDENTIAL_KEYS = [NEW]
    with pytest.raises(vault.LostKey, match="'old'"):
        vault.unseal(sealed, purpose="credential", shop_pk=7)


def test_a_key_of_the_same_name_but_other_bytes_opens_nothing(settings):
    sealed = vault.seal("x", purpose="credential", shop_pk=7)
    settings.CREDENTIAL_KEYS = ["old:" + base64.b64encode(b"z" * 32).decode()]
    with pytest.raises(vault.BrokenSeal):
        vault.unseal(sealed, purpose="credential", shop_pk=7)


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([], "no key"),
        (["justtext"], "form id:base64"),
        ([":" + "A" * 44], "form id:base64"),
        (["a:***"], "not base64"),
        (["a:" + base64.b64encode(b"short").decode()], "5 bytes"),
        ([OLD, OLD], "twice"),
    ],
)
def test_malformed_keys_are_named_and_never_shown(entries, why):
    with pytest.raises(vault.BadKeys, match=why) as caught:
        vault.parse_keys(entries)
    assert all(entry.partition(":")[2] not in str(caught.value) for entry in entries if entry.partition(":")[2])


def test_a_fingerprint_tells_credentials_apart_and_not_their_order():
    one = vault.fingerprint({"a": "1", "b": "2"})
    assert one == vault.fingerprint({"b": "2", "a": "1"})
    assert len(one) == 16
    others = [{"a": "1", "b": "3"}, {"a": "12", "b": ""}, {"a": "1"}, {"a": "1b", "": "2"}, {"b": "1", "a": "2"}]
    assert len({one, *(vault.fingerprint(other) for other in others)}) == 6


def test_a_fingerprint_depends_on_the_key(settings):
    before = vault.fingerprint({"a": "1"})
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    assert vault.fingerprint({"a": "1"}) != before
