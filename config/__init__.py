"""Wires: settings, addresses, the Celery app. Knows the others by name, holds no rule."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
