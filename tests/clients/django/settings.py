"""Django's defaults, but for the databases, which every project has to name."""

import os

SECRET_KEY = "not one"
ALLOWED_HOSTS = ["testserver"]
ROOT_URLCONF = "shop.views"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "shop"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
LOGGING_CONFIG = None


def database(**more):
    return more | {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["PGDATABASE"],
        "USER": os.environ["PGUSER"],
        "PASSWORD": os.environ.get("PGPASSWORD"),
        "HOST": os.environ["PGHOST"],
        "PORT": os.environ["PGPORT"],
        # The tables lie in a schema of their own, as many projects have it.
        "OPTIONS": {"options": "-c search_path=t_django"},
    }


DATABASES = {
    # A connection for every request: Django's default.
    "default": database(),
    # Connections that are kept, and a time zone that Django sets on them.
    "kept": database(CONN_MAX_AGE=None, TIME_ZONE="Asia/Tokyo"),
}
