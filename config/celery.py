"""The Celery app and what beat rings for."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_init, worker_ready
from django.core.exceptions import ImproperlyConfigured

from config.durability import refuse_forgetful_database
from config.open_file import keep_open
from config.starting import refuse_misconfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("rescind")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(
    [
        "cancellations.batches",
        "cancellations.requests",
        "cancellations.orders",
        "cancellations.audit",
        "cancellations.reasons",
    ]
)


@worker_init.connect
@beat_init.connect
def look_before_starting(**_facts: Any) -> None:
    """End at once where a setting is wrong or the database may forget; Celery would only log what a listener raises."""
    try:
        refuse_misconfigured()
        keep_open()
        refuse_forgetful_database()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from error


@worker_ready.connect
def begin_with_a_sweep(**_facts: Any) -> None:
    """Send what waited while no worker was there at once, not only when beat rings."""
    app.send_task("cancellations.requests.tasks.sweep")
