"""What the twenty clients ask for: an order, a report, the settings of their connection."""

from django.db import DatabaseError, IntegrityError, connections, transaction
from django.db.models import F, Sum
from django.http import JsonResponse
from django.urls import path

from shop.models import Goods, Line, Order


def order(request, database, client):
    """An order of three goods; a fourth one, which is out of stock, is undone by a savepoint."""
    with transaction.atomic(using=database):
        made = Order.objects.using(database).create(client=client)
        for goods in Goods.objects.using(database).filter(stock__gt=0).order_by("name"):
            goods = Goods.objects.using(database).select_for_update().get(pk=goods.pk)
            goods.stock = F("stock") - 1
            goods.save()
            Line.objects.using(database).create(order=made, goods=goods, pieces=1)
        try:
            with transaction.atomic(using=database):
                empty = Goods.objects.using(database).get(name="empty")
                Line.objects.using(database).create(order=made, goods=empty, pieces=1)
                Goods.objects.using(database).filter(pk=empty.pk).update(stock=F("stock") - 1)
            refused = False
        except IntegrityError:
            refused = True
    return JsonResponse({"order": made.pk, "refused": refused})


def broken(request, database, client):
    """A transaction that fails as a whole."""
    try:
        with transaction.atomic(using=database):
            Order.objects.using(database).create(client=client)
            with connections[database].cursor() as cursor:
                cursor.execute("SELECT 1/0")
    except DatabaseError as error:
        return JsonResponse({"error": error.__cause__.pgcode})
    return JsonResponse({"error": None})


def report(request, database, client):
    """Two server-side cursors, open across transactions: Django makes them WITH HOLD."""
    orders = Order.objects.using(database).filter(client=client).order_by("pk")
    lines = Line.objects.using(database).filter(order__client=client).order_by("order", "pk")
    lines = lines.values_list("order_id", flat=True).iterator(chunk_size=2)
    counted = {}
    for made in orders.iterator(chunk_size=1):
        counted[made.pk] = [next(lines) == made.pk for _ in range(3)]
    asked_between = orders.aggregate(pieces=Sum("line__pieces"))["pieces"]
    return JsonResponse({"all": all(map(all, counted.values())), "pieces": asked_between,
                         "orders": len(counted), "more": next(lines, None)})


def first(request, database, client):
    """A server-side cursor that is given up after its first row."""
    for made in Order.objects.using(database).order_by("pk").iterator(chunk_size=1):
        return JsonResponse({"found": made.pk is not None})
    return JsonResponse({"found": False})


def settings(request, database, client):
    with connections[database].cursor() as cursor:
        cursor.execute("SELECT current_user, session_user, current_setting('search_path')")
        user, login, schemas = cursor.fetchone()
        cursor.execute("SHOW TimeZone")
        zone = cursor.fetchone()[0]
    return JsonResponse({"user": user, "login": login, "schemas": schemas, "zone": zone})


urlpatterns = [
    path(f"{view.__name__}/<str:database>/<int:client>", view)
    for view in (order, broken, report, first, settings)
]
