"""The error taxonomy: a client returns a value or raises exactly one of these.

    ProviderError
    ├── Rejected          understood and refused; nothing was done, and asking again gives the same answer
    ├── AuthFailed        keys refused, expired, lacking a permission or unreadable; nothing was done
    ├── RateLimited       told to come back; nothing was done
    ├── Unreachable       the request never left, or it was a read and may simply be repeated
    └── OutcomeUnknown    it left, and no answer can be read: perhaps it was done
        └── ProtocolError an answer the platform's documents do not describe

The kind of an error says only one thing: *was anything done there?* What a person should make of it
is said by its :class:`Advice`.
"""

from dataclasses import dataclass
from enum import StrEnum


def gettext_noop(text: str) -> str:
    """Mark a sentence for translation; whoever shows it translates it."""
    return text


@dataclass(frozen=True)
class Advice:
    """What an error means, in sentences a person can act on.

    Both are untranslated English, marked with :func:`gettext_noop` where they are written.

    Attributes:
        agent: What happened and what to do next, for the person who asked. Never empty.
        admin: What to mend in the shop's settings or at the platform. Empty when it is not the admin's.
    """

    agent: str
    admin: str = ""


class Cause(StrEnum):
    """Why a connection does not work; what *Check connection* tells apart."""

    KEYS = "keys"
    PERMISSION = "permission"
    CLOCK = "clock"
    IP = "ip"
    NETWORK = "network"
    SETTINGS = "settings"
    PLATFORM = "platform"


class ProviderError(Exception):
    """One platform call did not do what was asked.

    Attributes:
        code: The platform's own code as text, or a short word of ours (``timeout``); at most 64 characters.
        message: The platform's own words, untrusted and unshortened; ours where it said nothing.
        advice: What a person should make of it.
        cause: Why, where that can be told; ``None`` for ordinary refusals.
        request_id: The platform's handle for a support case, or "".
    """

    default_advice = Advice(gettext_noop("The platform could not be asked."))

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        advice: Advice | None = None,
        cause: Cause | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code[:64]
        self.message = message
        self.advice = advice or self.default_advice
        self.cause = cause
        self.request_id = request_id[:128]


class Rejected(ProviderError):
    """Understood and refused; nothing was done."""

    default_advice = Advice(gettext_noop("The platform refused. Nothing was changed there."))


class AuthFailed(ProviderError):
    """The platform does not let us in; nothing was done."""

    default_advice = Advice(
        gettext_noop("This shop's connection is broken. Your request waits and goes by itself once it is mended."),
        gettext_noop("The platform refused this shop's keys. Replace them, then check the connection."),
    )


class RateLimited(ProviderError):
    """Told to come back later; nothing was done.

    Attributes:
        retry_after: Seconds the platform asked for, or ``None`` when it did not say.
    """

    default_advice = Advice(gettext_noop("The platform asked us to slow down. We try again by ourselves."))

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        retry_after: float | None = None,
        advice: Advice | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(code, message, advice=advice, cause=Cause.PLATFORM, request_id=request_id)
        self.retry_after = retry_after


class Unreachable(ProviderError):
    """The request never left this machine, or it was a read that may be repeated without harm."""

    default_advice = Advice(
        gettext_noop("The platform cannot be reached. Nothing was sent; we try again by ourselves."),
        gettext_noop("Check the base URL and this machine's way out to the network."),
    )


class OutcomeUnknown(ProviderError):
    """The request left, and no answer can be read: perhaps it was done."""

    default_advice = Advice(
        gettext_noop("We asked, and got no answer we can trust. We look again by ourselves and never ask twice.")
    )


class ProtocolError(OutcomeUnknown):
    """An answer that the platform's documents do not describe."""

    default_advice = Advice(
        gettext_noop("The platform answered something it does not document. We look at the order to find out.")
    )
