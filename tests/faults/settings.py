"""Settings of a campaign: the real ones. Pages serve files as they are, and no order is pulled while things break."""

from config.settings import *  # noqa: F403
from config.settings import CELERY_BEAT_SCHEDULE, STORAGES

STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
CELERY_BEAT_SCHEDULE = {name: one for name, one in CELERY_BEAT_SCHEDULE.items() if name != "sync"}
