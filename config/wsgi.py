"""The web server's entry point: ``gunicorn config.wsgi``."""

import os

from django.core.wsgi import get_wsgi_application

from config.durability import refuse_forgetful_database
from config.starting import refuse_misconfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
refuse_misconfigured()
refuse_forgetful_database()
