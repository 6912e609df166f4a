"""The app, and the checks that keep a misconfigured one from starting."""

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in

from cancellations.people import sitting


class CancellationsConfig(AppConfig):
    """The one Django app of the desk."""

    name = "cancellations"
    verbose_name = "Rescind"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks and a worker's heartbeat, and have every sign-in marked with its time."""
        from cancellations import checks  # noqa: F401 - Django wants them imported once apps are ready
        from cancellations.shops import heartbeat  # noqa: F401 - it reads models

        user_logged_in.connect(sitting.begin, dispatch_uid="sitting")
