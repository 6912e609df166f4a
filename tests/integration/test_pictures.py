"""The picture put to an outcome settled by hand: judged by its content, private, named by the record."""

import hashlib
import stat
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from cancellations.audit.models import AuditEvent
from cancellations.requests import asking
from cancellations.requests.models import CancellationRequest
from cancellations.requests.pictures import MOST_BYTES, Picture, folder, kind_of
from cancellations.requests.states import State
from cancellations.shops.models import ShopAccess
from tests.desk import person, stall
from tests.drawing import jpeg, png

pytestmark = pytest.mark.django_db


@pytest.fixture
def review(settings: Any, tmp_path: Path) -> CancellationRequest:
    """Something whose outcome a person has to find out, at a platform that can't be read."""
    settings.DATA_DIR = tmp_path
    made = stall("taobao")
    made.shop.options = {**made.shop.options, "detail": False}
    made.shop.save()
    (asked,) = asking.request_cancellation(by=person(), order=made.orders()[0], units=[""], reason_code="out_of_stock")
    CancellationRequest.objects.filter(pk=asked.cancellation.pk).update(
        state=State.UNCERTAIN, in_review=True, due_at=None, attempt_no=1
    )
    return asked.cancellation


def settle(client: Client, review: CancellationRequest, content: bytes, name: str = "seen.png") -> Any:
    form = {
        "attempt": "1",
        "cancelled": "yes",
        "note": "Seen in the seller's console.",
        "picture": SimpleUploadedFile(name, content),
    }
    return client.post(reverse("requests:settle", args=[review.pk]), form)


@pytest.mark.parametrize(("content", "kind"), [(png(), "png"), (jpeg(), "jpeg")])
def test_R04_a_picture_is_kept_with_the_outcome_it_shows(
    client: Client, review: CancellationRequest, content: bytes, kind: str
) -> None:
    client.force_login(person("manager"))
    assert settle(client, review, content).status_code == 303
    kept = Picture.objects.get()
    assert kept.path.read_bytes() == content
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder().stat().st_mode) == 0o700
    event = AuditEvent.objects.get(verb="cancellation.settled")
    assert event.data["picture"]["sha256"] == hashlib.sha256(content).hexdigest()
    page = client.get(reverse("requests:cancellation", args=[review.pk])).content.decode()
    address = reverse("requests:picture", args=[review.pk, kept.pk])
    assert address in page
    answer = client.get(address)
    assert answer.content == content
    assert answer.headers["Content-Type"] == f"image/{kind}"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a" + bytes(40),
        png()[:-4],
        png() + b"<script>alert(1)</script>",
        png().replace(b"IDAT", b"IDAX"),
        jpeg()[:-2],
        b"\xff\xd8\xff" + b"<script>" + b"\xff\xd9",
        b"",
        b"%PDF-1.7",
    ],
)
def test_S11_what_is_no_whole_picture_is_refused_and_nothing_is_settled(
    client: Client, review: CancellationRequest, content: bytes
) -> None:
    assert kind_of(content) == ""
    client.force_login(person("manager"))
    answer = settle(client, review, content or b" ")
    assert answer.status_code == 422
    assert "Seen in the seller" in answer.content.decode(), "what was typed is kept"
    review.refresh_from_db()
    assert review.state == State.UNCERTAIN
    assert not Picture.objects.exists()
    assert not folder().exists() or not list(folder().iterdir())


def test_S11_a_picture_larger_than_five_megabytes_is_refused(client: Client, review: CancellationRequest) -> None:
    client.force_login(person("manager"))
    assert settle(client, review, png() + bytes(MOST_BYTES)).status_code == 422
    assert not Picture.objects.exists()


def test_R04_who_asked_cannot_settle_and_leaves_no_picture(client: Client, review: CancellationRequest) -> None:
    asked_by = person("manager")
    CancellationRequest.objects.filter(pk=review.pk).update(requested_by=asked_by)
    client.force_login(asked_by)
    assert settle(client, review, png()).status_code == 409
    assert not Picture.objects.exists()


def test_S01_a_picture_is_for_the_people_of_its_shop(client: Client, review: CancellationRequest) -> None:
    manager = person("manager")
    client.force_login(manager)
    settle(client, review, png())
    address = reverse("requests:picture", args=[review.pk, Picture.objects.get().pk])
    stranger = person("manager", every_shop=False)
    client.force_login(stranger)
    assert client.get(address).status_code == 404
    ShopAccess.objects.create(shop=review.shop, person=stranger)
    assert client.get(address).status_code == 200


def test_R04_a_settlement_that_fails_leaves_no_file(
    client: Client, review: CancellationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(person("manager"))
    monkeypatch.setattr(CancellationRequest, "move_to", lambda self, *args, **more: False)
    assert settle(client, review, png()).status_code == 409
    assert not Picture.objects.exists()
    assert list(folder().iterdir()) == []
