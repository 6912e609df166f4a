"""The named steps of the straight line at which a process may be killed, frozen or cut off."""

COMMITS = ("before-claim-commit", "after-claim-commit", "before-result-commit", "after-result-commit")
WIRE = ("connected", "mid-request", "sent", "answered")
WEB = ("before-asked-commit", "after-asked-commit")
STEPS = (COMMITS[0], COMMITS[1], *WIRE, COMMITS[2], COMMITS[3])
ACTIONS = ("kill", "freeze", "cut")
