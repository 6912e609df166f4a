"""Settings of the test run: the real ones, with keys that are only good for tests."""

import os
import tempfile
from pathlib import Path

_data = Path(tempfile.gettempdir()) / f"rescind-tests-{os.getpid()}"
for _name, _value in {
    "ENV_FILE": os.devnull,
    "SECRET_KEY": "tests-only-0123456789-abcdefghijklmnopqrstuvwxyz",
    "CREDENTIAL_KEYS": "t1:" + "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=",
    "AUDIT_KEYS": "a1:tests-only-audit-key-0123456789",
    "SEARCH_KEY": "tests-only-search-key-0123456789",
    "ALLOWED_HOSTS": "127.0.0.1,localhost",
    "PLATFORM_HOSTS": "127.0.0.1:8765",
    "INSECURE_HTTP": "true",
    "DATA_DIR": str(_data),
    "DATABASE_URL": os.environ.get("TEST_DATABASE_URL", f"sqlite:///{_data / 'tests.sqlite3'}"),
    "CACHE_URL": "dbcache://cache",
    "BROKER_URL": "memory://",
}.items():
    os.environ[_name] = _value

from config.settings import *  # noqa: E402, F403 - the environment must be set first

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # A file, for threads that share a database in memory lock each other out at once; and quick, for it is thrown away.
    DATABASES["default"]["TEST"] = {"NAME": str(_data / "test.sqlite3")}  # noqa: F405
    DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"  # noqa: F405

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
(_data / "static").mkdir(parents=True, exist_ok=True)  # else whitenoise warns that nothing was collected
