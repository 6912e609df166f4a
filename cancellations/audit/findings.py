"""What can be wrong with the record, each broken place with its sentence."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext, gettext_noop

MOST_FAULTS = 100

EDITED = gettext_noop("Event %(event)s (%(verb)s) was altered after seal %(seal)s was put on it.")
DELETED = gettext_noop("Event %(event)s, which seal %(seal)s covers, is gone.")
UNKNOWN = gettext_noop("Event %(event)s (%(verb)s) stands between sealed ones, but no seal knows it.")
BACKDATED = gettext_noop("Event %(event)s (%(verb)s) says %(at)s, but was written after %(after)s.")
SEAL_EDITED = gettext_noop("Seal %(seal)s was altered, so nothing vouches for the events under it.")
SEAL_LOOSE = gettext_noop("Seal %(seal)s does not continue the one before it, which was exchanged.")
SEALS_GONE = gettext_noop("Seals %(seal)s to %(last)s are gone, and nothing vouches for the events under them.")
KEY_UNKNOWN = gettext_noop(
    "Seal %(seal)s and perhaps others were made with the key %(key)s, which is not among AUDIT_KEYS. Put it back."
)
KEY_WRONG = gettext_noop(
    "Seal %(seal)s and perhaps others were made with another secret than the one AUDIT_KEYS has for %(key)s."
)
CUT = gettext_noop("Seal %(seal)s was noted outside the database, and the database has lost it.")
EXCHANGED = gettext_noop("Seal %(seal)s is another than the one noted outside the database.")


@dataclass(frozen=True)
class Fault:
    """One broken place.

    Attributes:
        kind: ``edited``, ``deleted``, ``inserted``, ``seal``, ``missing-seal``, ``cut`` or ``key``.
        where: The event or seal, to look up.
        sentence, facts: What is wrong, untranslated, and what is named in it.
    """

    kind: str
    where: str
    sentence: str
    facts: dict[str, Any]

    @property
    def text(self) -> str:
        """What is wrong, in the reader's language."""
        return gettext(self.sentence) % self.facts

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values; ``Fault(**values)`` makes it again."""
        return {"kind": self.kind, "where": self.where, "sentence": self.sentence, "facts": self.facts}


@dataclass
class Verdict:
    """What verification found: everything counted, every fault up to :data:`MOST_FAULTS`.

    Attributes:
        anchored: How many seals kept outside the database were compared.
    """

    events: int = 0
    seals: int = 0
    unsealed: int = 0
    anchored: int = 0
    up_to: datetime | None = None
    faults: list[Fault] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing was altered."""
        return not self.faults

    def note(self, kind: str, where: str, sentence: str, **facts: Any) -> None:
        """Keep a fault, while there are few."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(kind, where, sentence, facts))
