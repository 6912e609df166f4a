"""Every setting, read from the environment or ``.env``. Production differs by variables, not by file."""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from config.hardening import refusals
from config.schedule import beat_schedule

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(env.path("ENV_FILE", default=str(BASE_DIR / ".env")))
_missing = [name for name in ("SECRET_KEY", "CREDENTIAL_KEYS", "AUDIT_KEYS", "SEARCH_KEY") if not env(name, default="")]
if _missing:
    raise ImproperlyConfigured(
        f"Not set: {', '.join(_missing)}. `make env` writes a .env with fresh keys; .env.example has every setting."
    )

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env("SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
DATA_DIR = Path(env("DATA_DIR", default="") or BASE_DIR / "data").resolve()

# -- Keys of our own. None has a default: what is sealed with a guessed key is not sealed.
CREDENTIAL_KEYS = env.list("CREDENTIAL_KEYS")
AUDIT_KEYS = env.list("AUDIT_KEYS")
SEARCH_KEY = env("SEARCH_KEY")
INSTALLATION_ID = env("INSTALLATION_ID", default="")  # "": a random one, kept in DATA_DIR

# -- Platforms
PLATFORM_HOSTS = frozenset(env.list("PLATFORM_HOSTS", default=[]))
CALL_SECONDS = env.float("CALL_SECONDS", default=20.0)
LEASE_SECONDS = env.float("LEASE_SECONDS", default=60.0)
LOOKUP_SECONDS = env.float("LOOKUP_SECONDS", default=8.0)
SETTLE_SECONDS = env.int("SETTLE_SECONDS", default=0)  # 0: what the platform's card says
SENDERS = env.int("SENDERS", default=0)  # 0: as many as the worker has threads
WATCH_DAYS = env.float("WATCH_DAYS", default=7.0)
SYNC_SECONDS = env.int("SYNC_SECONDS", default=300)
CHECK_SECONDS = [float(one) for one in env.list("CHECK_SECONDS", default=[10, 30, 120, 600, 3600, 6 * 3600, 24 * 3600])]
RETRY_SECONDS = env.float("RETRY_SECONDS", default=30.0)
PROBE_SECONDS = env.float("PROBE_SECONDS", default=60.0)
SWEEP_SECONDS = env.float("SWEEP_SECONDS", default=15.0)
BULK_BRAKE_FAILED = env.int("BULK_BRAKE_FAILED", default=20)
BULK_BRAKE_UNCERTAIN = env.int("BULK_BRAKE_UNCERTAIN", default=5)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "heroicons",
    "allauth",
    "allauth.account",
    "cancellations",
]

MIDDLEWARE = [
    "config.middleware.SecurityHeadersMiddleware",  # first, so that redirects, files and refused hosts carry them, too
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # pads by chance, and the forms' tokens differ on every page
    "config.middleware.IncidentMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.middleware.SessionLimitsMiddleware",
    "config.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.middleware.PersonMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.middleware.FragmentMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                ("django.template.loaders.cached.Loader", [
                    "django.template.loaders.filesystem.Loader",
                    "django.template.loaders.app_directories.Loader",
                ])
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "cancellations.frame.frame",
            ],
            "builtins": ["cancellations.templatetags.desk", "django.templatetags.i18n", "django.templatetags.static"],
        },
    }
]  # fmt: skip

# -- Database. Durability is part of the promise: what was acknowledged survives a power cut.
DATABASES = {
    "default": env.db_url_config(env("DATABASE_URL", default="") or f"sqlite:///{DATA_DIR / 'rescind.sqlite3'}")
}
_database = DATABASES["default"]
if _database["ENGINE"].endswith("sqlite3"):
    _database["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
    SILENCED_SYSTEM_CHECKS = ["models.W040"]  # what indexes carry along is left out here: known, and no fault
elif _database["ENGINE"].endswith("postgresql"):
    _database["OPTIONS"] = {
        "pool": {"min_size": 1, "max_size": env.int("DATABASE_POOL", default=50), "timeout": 10},
        "connect_timeout": 5,
        **_database.get("OPTIONS", {}),
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- Cache: locks, platform tokens (sealed) and lock-outs; shared by all processes, so never in memory.
_memory = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}  # of one process, for what may be forgotten
CACHES = {"default": env.cache_url_config(env("CACHE_URL", default="") or "dbcache://cache")}
CACHES |= {name: {**_memory, "LOCATION": name} for name in ("template_fragments", "process")}

# -- Background work: the database is the queue, Celery the doorbell.
BROKER_URL = env("BROKER_URL", default="") or "spool"
CELERY_BROKER_URL = BROKER_URL
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object]
if BROKER_URL == "spool":
    CELERY_BROKER_URL = "filesystem://localhost//"  # a host is asked for, and not used
    CELERY_BROKER_TRANSPORT = "config.spool:Transport"
    _spool = str(DATA_DIR / "spool")
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": _spool,
        "data_folder_out": _spool,
        "control_folder": str(DATA_DIR / "spool-control"),
    }
elif BROKER_URL.startswith("redis"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "retry_on_timeout": True,
        "visibility_timeout": 300,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
    }
else:
    CELERY_BROKER_TRANSPORT_OPTIONS = {"confirm_publish": True, "socket_timeout": 5}
    CELERY_TASK_DEFAULT_QUEUE_TYPE = "quorum"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_CONSUMER = "config.receiving:CarefulConsumer"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
CELERY_BEAT_SCHEDULE = beat_schedule(SWEEP_SECONDS)

# -- People
AUTH_USER_MODEL = "cancellations.Person"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "cancellations.people.adapter.Adapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "20/15m/ip,5/15m/key"}
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "cancellations.people.invitations.LinkTokens"  # noqa: S105 - a class
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600  # a one-time link lives three days
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"  # nothing is mailed

# -- Transport. Plain http only where the environment says so aloud: on loopback, for the demo.
INSECURE_HTTP = env.bool("INSECURE_HTTP", default=False)
SECURE_SSL_REDIRECT = not INSECURE_HTTP
SECURE_REDIRECT_EXEMPT = [r"^healthz/$"]
SECURE_HSTS_SECONDS = 0 if INSECURE_HTTP else 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not INSECURE_HTTP
SECURE_REFERRER_POLICY = "same-origin"
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_NAME = "session" if INSECURE_HTTP else "__Host-session"
CSRF_COOKIE_NAME = "csrf" if INSECURE_HTTP else "__Host-csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not INSECURE_HTTP
SESSION_COOKIE_AGE = 12 * 3600  # however much it is used
SESSION_IDLE_SECONDS = 30 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # they name orders: not into a cookie
CSRF_COOKIE_HTTPONLY = True

# -- Language and time
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "cancellations" / "locale"]
FORMAT_MODULE_PATH = "config.formats"
USE_I18N = USE_TZ = True
TIME_ZONE = env("TIME_ZONE", default="UTC")

# -- Static files
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MEDIA_ROOT = DATA_DIR / "uploads"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# -- Logs: to the console, without the HTTP client's lines, which hold whole addresses.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "config.logs.OneLine", "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="INFO")},
    "loggers": {
        name: {"level": "WARNING"}
        for name in ("httpx", "httpcore", "celery.app.trace", "celery.worker.strategy", "celery.beat")
    },
}

if refused := list(refusals(debug=DEBUG, plain_http=INSECURE_HTTP, secret_key=SECRET_KEY, hosts=ALLOWED_HOSTS)):
    raise ImproperlyConfigured(" ".join(refused))
DATA_DIR.mkdir(parents=True, exist_ok=True)
