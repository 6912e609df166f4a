"""The named steps of the straight line at which a process may be killed, frozen or cut off."""


def _commits(*names: str) -> tuple[str, ...]:
    return tuple(f"{when}-{name}-commit" for name in names for when in ("before", "after"))


WIRE = ("connected", "mid-request", "sent", "answered")
# A claim and a result, of one and of several at once; a result that is kept to be written with others.
SENDING = (*_commits("claim", "claims", "result", "results"), *WIRE, "kept")
# Of a bulk: its plan, and a wave of its requests.
STEPS = (*SENDING, *_commits("plan", "wave"))
COMMITS = tuple(step for step in STEPS if step.endswith("-commit"))
WEB = _commits("asked")
ACTIONS = ("kill", "freeze", "cut")
