"""An account to test against: the pretend billing service, or one that gives the answers a test dictates."""

import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from providers.contract import Status
from providers.errors import AuthFailed
from providers.huaweicloud import PROVIDER
from providers.huaweicloud.card import CARD
from providers.huaweicloud.sandbox import SANDBOX
from providers.wire import wire_for
from providers.world import SandboxTransport, World

BASE = "https://bss-intl.myhuaweicloud.com"
IAM = "https://iam.myhuaweicloud.com"
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


class Clock:
    """A clock that a test winds."""

    def __init__(self):
        self.at = NOW

    def __call__(self):
        return self.at

    def wind(self, **by):
        self.at += timedelta(**by)


class Tokens:
    """A token store in memory that forgets by the test's clock and notes what it was told."""

    def __init__(self, clock):
        self._clock, self._lock, self._kept = clock, threading.Lock(), {}
        self.seconds = {}
        self.is_locked_elsewhere = False

    def get(self, name):
        value, ends = self._kept.get(name, (None, None))
        return value if ends and self._clock() < ends else None

    def put(self, name, value, seconds):
        assert seconds > 0
        self.seconds[name] = seconds
        self._kept[name] = (value, self._clock() + timedelta(seconds=seconds))

    def drop(self, name, value):
        if self.get(name) == value:
            del self._kept[name]

    @contextmanager
    def lock(self, name):
        if self.is_locked_elsewhere:
            raise TimeoutError("waited 15 s")
        with self._lock:
            yield


class Dictated(httpx.BaseTransport):
    """Gives these answers, (status, headers, body) each, one after the other; the last again and again."""

    def __init__(self, *answers):
        self._left = list(answers)
        self.requests = []

    def handle_request(self, request):
        request.read()
        self.requests.append(request)
        answer = self._left.pop(0) if len(self._left) > 1 else self._left[0]
        if isinstance(answer, Exception):
            raise answer
        status, headers, body = answer
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body), request=request)


def as_json(status, value, **headers):
    """Write an answer to dictate."""
    named = {name.replace("_", "-"): one for name, one in headers.items()}
    return status, {"content-type": "application/json;charset=UTF-8", **named}, json.dumps(value).encode()


def failing(status, code, message="said so", **headers):
    """Write a refusal to dictate, in the usual shape."""
    return as_json(status, {"error_code": code, "error_msg": message, "request_id": "r-1"}, **headers)


def open_client(transport, *, tokens, clock, auth="aksk", credential=None, base=BASE, iam=IAM):
    """Open a client and return it and its wire."""
    keys = {**(SANDBOX.credential if auth == "aksk" else SANDBOX.token_credential), **(credential or {})}
    secrets = [keys[name] for name in ("secret_key", "password") if name in keys]
    wire = wire_for(base, secrets, CARD.private, transport=transport, clock=clock)
    options = {"auth": auth, "iam_url": iam}
    return PROVIDER.open(wire=wire, options=options, credential=keys, tokens=tokens, now=clock), wire


def caught(call, kind=AuthFailed):
    """Return the error of this kind that a call raises."""
    with pytest.raises(kind) as error:
        call()
    return error.value


def is_cancelled(world, order_id):
    """Tell what is true at the pretend platform, whatever it says."""
    return SANDBOX.truth(world.get(order_id)) is Status.CANCELLED


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tokens(clock):
    return Tokens(clock)


@pytest.fixture
def dictated(clock, tokens):
    """Open a client that gets dictated answers; returns it, its wire and the transport that keeps the requests."""

    def opened(*answers, **more):
        transport = Dictated(*answers)
        return *open_client(transport, tokens=tokens, clock=clock, **more), transport

    return opened


@pytest.fixture
def world(clock):
    made = World("huaweicloud", now=clock)
    SANDBOX.seed(made, 60)
    return made


@pytest.fixture
def shop(world, clock, tokens):
    """Open a client of the pretend service and its wire."""
    transport = SandboxTransport(world, SANDBOX.respond)
    return lambda **more: open_client(transport, **{"tokens": tokens, "clock": clock, **more})


@pytest.fixture(params=["aksk", "token"])
def any_shop(request, shop):
    """Open it in each way of signing in."""
    return lambda **more: shop(auth=request.param, **more)


@pytest.fixture
def order_id(world):
    """Some order that awaits payment and has no word in its number."""
    return next(key for key, document in world.all() if document["info"]["status"] == 6 and "-" not in key)


@pytest.fixture
def order_ids(world):
    """Return a few orders in one status."""

    def of_status(status):
        return [
            key
            for key, document in world.all()
            if document["info"]["status"] == status and "-" not in key and len(key) > 18
        ]

    return of_status
