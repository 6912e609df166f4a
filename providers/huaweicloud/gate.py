"""The pretend gateway and the pretend IAM: who is let in, checked from the bytes on the wire."""

import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from providers.huaweicloud.auth import DATE_FORMAT, canonical_request, signature_of
from providers.world import Reply, SandboxRequest, World

_WINDOW = timedelta(minutes=15)
_LOCK = timedelta(minutes=5)
_MOST_FAILURES = 5
_AUTHORIZATION = re.compile(r"SDK-HMAC-SHA256 Access=([!-~]+), SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})")
_INCORRECT = "Incorrect IAM authentication information: "


def refusal(world: World, status: int, code: str, message: str) -> Reply:
    """Return an error in the platform's usual shape."""
    count = world.scratch["replies"] = world.scratch.get("replies", 0) + 1
    request_id = f"{count:032x}"
    value = {"error_msg": message, "error_code": code, "request_id": request_id}
    return Reply.json(status, value, date=date_of(world), x_request_id=request_id)


def throttled(world: World) -> Reply:
    """Return the answer to one call too many, in the shape that ``switches["limit_shape"]`` asks for."""
    message = "The throttling threshold has been reached: policy user over ratelimit,limit:10,time:1 second"
    if world.switches.get("limit_shape") != "api":
        return refusal(world, 429, "APIGW.0308", message)
    value = {
        "status_code": 429,
        "request_id": "0" * 32,
        "error_code": "APIGW.0308",
        "error_message": message,
        "encoded_authorization_message": None,
    }
    return Reply.json(429, value, date=date_of(world))


def date_of(world: World) -> str:
    """Return the platform's clock as a ``Date`` header."""
    return format_datetime(world.now().replace(microsecond=0), usegmt=True)


def keep_out(request: SandboxRequest, world: World, account: Mapping[str, str]) -> Reply | None:
    """Return why a request is not let in, or ``None`` when it is."""
    if world.switches.get("throttle", 0) > 0:
        world.switches["throttle"] -= 1
        return throttled(world)
    token = request.headers.get("x-auth-token")
    problem = _token_problem(token, world) if token else _signature_problem(request, world, account)
    if problem:
        if token and world.switches.get("stale_token") == "0307":
            return refusal(world, 401, "APIGW.0307", "The token must be updated.")
        if token and world.switches.get("stale_token") == "text":
            return refusal(world, 400, "CBC.0100", "x_auth_token is expired")
        return refusal(world, 401, "APIGW.0301", _INCORRECT + problem)
    if world.switches.get("ip_denied"):
        return refusal(world, 403, "APIGW.0402", "The IP address is not authorized to access the API.")
    if world.switches.get("api_denied"):
        return refusal(world, 403, "APIGW.0302", "The IAM user is not authorized to access the API.")
    return None


def _token_problem(token: str, world: World) -> str:
    ends = world.scratch.get("tokens", {}).get(token)
    return "" if ends and world.now() < ends else "decrypt token fail"


def _signature_problem(request: SandboxRequest, world: World, account: Mapping[str, str]) -> str:
    failures, locked_until = world.scratch.get("failures", (0, None))
    if locked_until and world.now() < locked_until and world.switches.get("lock", True):
        return "AK access failed to reach the limit,forbidden."
    problem = _mismatch(request, world, account)
    failures = failures + 1 if problem else 0
    locks = failures > _MOST_FAILURES
    world.scratch["failures"] = (0 if locks else failures, world.now() + _LOCK if locks else None)
    return problem


def _mismatch(request: SandboxRequest, world: World, account: Mapping[str, str]) -> str:
    found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if not found:
        return "authorization is malformed"
    access_key, names, signature = found[1], found[2].split(";"), found[3]
    if names != sorted(names) or not {"host", "x-sdk-date"} <= set(names) or not set(names) <= set(request.headers):
        return "signed headers are incomplete"
    date = request.headers["x-sdk-date"]
    try:
        at = datetime.strptime(date, DATE_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return "x-sdk-date is malformed"
    if abs(world.now() - at) > _WINDOW:
        return "calc ak sk signature fail:signature expired"
    if access_key != account["access_key"]:
        return "Get secretKey failed,ak:******,err:ak not exist"
    path = request.prefix + request.path
    canonical = canonical_request(request.method, path, request.query, request.headers, names, request.body)
    expected = signature_of(canonical, date=date, secret_key=account["secret_key"])
    return "" if hmac.compare_digest(expected, signature) else "verify aksk signature fail"


def sign_in(request: SandboxRequest, world: World, account: Mapping[str, str]) -> Reply:
    """Answer a request for a token; wrong passwords are counted, and lock the user as the platform would."""
    world.scratch["sign_ins"] = world.scratch.get("sign_ins", 0) + 1
    try:
        question = json.loads(request.body)["auth"]
        methods, user = question["identity"]["methods"], question["identity"]["password"]["user"]
        given = (user["name"], user["password"], user["domain"]["name"])
        scope = question["scope"]
    except (ValueError, KeyError, TypeError):
        return _iam_refusal(world, 400, "Bad Request", "The request body is invalid.")
    failures, locked_until = world.scratch.get("sign_in_failures", (0, None))
    is_locked = bool(locked_until and world.now() < locked_until and world.switches.get("lock", True))
    is_right = given == (account["user_name"], account["password"], account["domain_name"])
    if is_locked or not is_right or methods != ["password"]:
        failures = failures + 1
        locks = failures > _MOST_FAILURES
        world.scratch["sign_in_failures"] = (failures, world.now() + _LOCK if locks else locked_until)
        return _iam_refusal(world, 401, "Unauthorized", "The username or password is wrong.")
    if not _knows_scope(scope, account):
        return _iam_refusal(world, 400, "Bad Request", "The scope of the token is unknown.")
    world.scratch["sign_in_failures"] = (0, None)
    return _issue(world, user["name"])


def _knows_scope(scope: Any, account: Mapping[str, str]) -> bool:
    return scope in (
        {"domain": {"name": account["domain_name"]}},
        {"project": {"name": account["project_name"]}},
    )


def _issue(world: World, user_name: str) -> Reply:
    tokens = world.scratch.setdefault("tokens", {})
    now = world.now()
    ends = now + timedelta(seconds=float(world.switches.get("token_seconds", 24 * 3600)))
    # No two are alike, and each is as long as real ones are.
    token = f"MIIPretend{now:%Y%m%d%H%M%S}{world.scratch['sign_ins']:06d}" + "aZ09-_" * 400
    tokens[token] = ends
    body = {
        "token": {
            "expires_at": ends.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z",
            "issued_at": now.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z",
            "methods": ["password"],
            "user": {"name": user_name},
        }
    }
    return Reply.json(201, body, date=date_of(world), x_subject_token=token)


def _iam_refusal(world: World, status: int, title: str, message: str) -> Reply:
    value = {"error": {"code": status, "title": title, "message": message}}
    return Reply.json(status, value, date=date_of(world))
