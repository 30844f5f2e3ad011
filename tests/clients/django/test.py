"""Django: `migrate` of an application, then requests by WSGI, on short and on kept connections."""

import json
import os
import pathlib
import sys
from wsgiref.util import setup_testing_defaults

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
import django  # noqa: E402
import psycopg2  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.db.backends.signals import connection_created  # noqa: E402
from harness import CLIENTS, expect_equal, run_threads  # noqa: E402

ROLE = "app_group"
DEPLOYMENTS = 4
LOCK = 7002
ZONES = {"default": "UTC", "kept": "Asia/Tokyo"}


def set_role(connection, **_):
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {ROLE}")


def execute(*statements):
    plain = psycopg2.connect("")
    plain.autocommit = True
    with plain.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    plain.close()


def deploy(_number):
    """Several machines deploy at once: one migrates, the others then find nothing to do."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        call_command("migrate", verbosity=0)
        cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
        expect_equal(cursor.fetchone()[0], True, "lock held while migrating")
    connections.close_all()


def request(application, view, database, client):
    environ = {"PATH_INFO": f"/{view}/{database}/{client}", "HTTP_HOST": "testserver"}
    setup_testing_defaults(environ)
    status = []
    response = application(environ, lambda line, _headers: status.append(line))
    body = b"".join(response)
    response.close()  # a request's end: here Django closes or keeps its connections
    expect_equal(status, ["200 OK"], f"{view}: {body[:500].decode()}")
    return json.loads(body)


def use(application, database, client):
    def ask(view):
        return request(application, view, database, client)

    wanted = {"user": ROLE, "login": "app", "schemas": "t_django", "zone": ZONES[database]}
    for n in range(1, 4):
        expect_equal(ask("settings"), wanted, "settings")
        expect_equal(ask("order")["refused"], True, "order of what is out of stock")
        expect_equal(ask("broken"), {"error": "22012"}, "failed transaction")
        report = {"all": True, "orders": n, "pieces": 3 * n, "more": None}
        expect_equal(ask("report"), report, "report")
        expect_equal(ask("first"), {"found": True}, "cursor given up")
    expect_equal(ask("settings"), wanted, "settings")


def main():
    execute(
        "DROP SCHEMA IF EXISTS t_django CASCADE",
        f"CREATE SCHEMA t_django AUTHORIZATION {ROLE}",
    )
    connection_created.connect(set_role)
    django.setup()
    call_command("makemigrations", "shop", check_changes=True, dry_run=True, verbosity=0)
    run_threads(deploy, DEPLOYMENTS)

    from shop.models import Goods, Line, Order

    Goods.objects.filter(stock__gt=0).update(stock=6 * CLIENTS)
    application = get_wsgi_application()

    def client(number):
        use(application, "default", number)
        use(application, "kept", CLIENTS + number)
        connections.close_all()

    run_threads(client)
    left = list(Goods.objects.order_by("name").values_list("stock", flat=True))
    expect_equal(left, [0, 0, 0, 0], "stock at the end")
    expect_equal(Order.objects.count(), 6 * CLIENTS, "orders at the end")
    expect_equal(Line.objects.count(), 18 * CLIENTS, "lines at the end")
    call_command("migrate", "shop", "zero", verbosity=0)
    connections.close_all()
    execute("DROP SCHEMA t_django CASCADE")


main()
