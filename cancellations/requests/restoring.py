"""May this database send; and what becomes of one that was restored from a backup: nothing is sent, all is read first.

Whatever stood open in the backup may have been sent since, and what had failed may have been sent again. So it is in
doubt, and doubt is settled by reading, as ever.
"""

from collections.abc import Callable

from django.db import IntegrityError, transaction
from django.db.models import Exists, Max, Q, QuerySet, Value
from django.db.models.functions import Now

from cancellations.audit import trail
from cancellations.requests import last_send
from cancellations.requests.models import Attempt, CancellationRequest
from cancellations.requests.reconciliation import CHECKED, is_readable
from cancellations.requests.states import UNSENT, State
from cancellations.shops import arming
from cancellations.shops.models import Arming
from providers.errors import gettext_noop

CHUNK = 200
UNDER_WAY = (State.SENDING, State.ACCEPTED, State.UNCERTAIN)
MAYBE_SENT = gettext_noop(
    "The database was restored from a backup, so this may have been sent since. We look at the order to find out."
)

_armed = 0


def may_send() -> bool:
    """Tell whether a request may be claimed: one short query, to be asked before every claim.

    A database that was never sent from is armed; one that is older than what was sent from it is disarmed, also where
    it is so old that no worker had run.
    """
    global _armed
    last = last_send.noted()
    known = Exists(Attempt.objects.filter(pk=last.attempt, uid=last.uid)) if last else Value(True)
    row = Arming.objects.annotate(known=known, table_now=arming.this_table()).filter(pk=arming.ROW).first()
    if row is None:
        # Where nothing was asked for nothing can be sent twice, and the mark is of a database that is gone.
        if not CancellationRequest.objects.exists():
            last_send.forget()
        arming.begin()
        return may_send()
    if row.installation != arming.digest() or row.disarmed_since:
        return False
    # A mark from before a person last armed it was looked at then.
    lost = last and last.armed >= row.times and not row.known
    if lost or row.table not in (None, row.table_now):
        disarm("the last send is not in it" if lost else "its tables were made anew")
        return False
    _armed = row.times
    return True


def note_claim(attempt: Attempt) -> None:
    """Keep outside the database that this attempt, whose claim is committed, and those before it may be sent now."""
    last_send.note(attempt, _armed)


def disarm(because: str) -> int:
    """Send nothing more, and have what stands in the database read; return how many requests that are."""
    highest = CancellationRequest.objects.aggregate(highest=Max("pk"))["highest"]
    arming.disarm(because, highest or 0)
    return put_in_doubt()


def arm(because: str) -> None:
    """Let this installation send again; what came with a backup is in doubt by now."""
    put_in_doubt()
    last = last_send.noted()
    arming.arm(because, last.armed if last else 0)


def put_in_doubt() -> int:
    """Have everything that came with a backup read before anything else; return how many were begun with."""
    row = Arming.objects.filter(pk=arming.ROW).exclude(disarmed_since=None).first()
    return doubt(CancellationRequest.objects.filter(pk__lte=row.doubtful_to)) if row else 0


def doubt(requests: QuerySet[CancellationRequest]) -> int:
    """Say of each that it may have been sent since the backup, and have it read as if just now; return how many were.

    Once each: what its readings have settled since, and what was sent after the database was disarmed, stays as it is.
    """
    since = Arming.objects.filter(pk=arming.ROW).values("disarmed_since")  # compared inside: SQLite's digits differ
    before = Q(sent_at__lt=since)
    open_still = requests.filter(Q(state__in=UNSENT) | Q(before, state__in=UNDER_WAY))
    # Last, so that the many that failed long ago are read after what is open.
    return _each(open_still, _doubt) + _each(requests.filter(before, state=State.FAILED), _doubt_failed)


def _each(requests: QuerySet[CancellationRequest], do: Callable[[CancellationRequest], bool]) -> int:
    """Do it with each, the newest first, under its lock; return how many it was done to."""
    count, rest = 0, requests
    while True:
        with transaction.atomic():
            locked = rest.order_by("-pk").select_related("shop").select_for_update(of=("self",))
            some = list(locked[:CHUNK])
            count += sum(do(one) for one in some)
        if not some:
            return count
        rest = requests.filter(pk__lt=some[-1].pk)


def _doubt(one: CancellationRequest) -> bool:
    # What was accepted is read also where nothing can be: its readings lead it to a person.
    readable = is_readable(one.shop) or one.state == State.ACCEPTED
    columns = {
        "due_at": Now() if readable else None,
        "in_review": not readable,
        "lease_until": None,
        "sent_at": Now(),  # the settle window counts from here: it may have been sent a moment ago
        "seen_open_at": None,
        "readings": 0,
        "equal_readings": 0,
        "last_reading": "",
        "code": "restored",
        "message": "",
        "advice": MAYBE_SENT,
    }
    if one.state in CHECKED:
        CancellationRequest.objects.filter(pk=one.pk).update(**columns)
        one.record("cancellation.restored", by=trail.SYSTEM)
        return True
    facts = {"how": "restored from a backup"}
    return one.move_to(State.UNCERTAIN, "cancellation.uncertain", by=trail.SYSTEM, data=facts, **columns)


def _doubt_failed(one: CancellationRequest) -> bool:
    try:
        with transaction.atomic():
            return _doubt(one)
    except IntegrityError:  # another of its unit is open, and read: this one's turn comes when that has ended
        return False
