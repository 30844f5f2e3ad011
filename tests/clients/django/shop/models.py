from django.db import models


class Goods(models.Model):
    name = models.CharField(max_length=20, unique=True)
    stock = models.IntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(check=models.Q(stock__gte=0), name="goods_stock_not_negative")
        ]


class Order(models.Model):
    client = models.IntegerField(db_index=True)
    created = models.DateTimeField(auto_now_add=True)


class Line(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE)
    goods = models.ForeignKey(Goods, on_delete=models.PROTECT)
    pieces = models.IntegerField()
