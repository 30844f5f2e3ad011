from django.db import migrations, models


def key():
    options = {"auto_created": True, "primary_key": True, "serialize": False}
    return "id", models.BigAutoField(verbose_name="ID", **options)


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Goods",
            fields=[
                key(),
                ("name", models.CharField(max_length=20, unique=True)),
                ("stock", models.IntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Order",
            fields=[
                key(),
                ("client", models.IntegerField(db_index=True)),
                ("created", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="Line",
            fields=[
                key(),
                ("pieces", models.IntegerField()),
                ("goods", models.ForeignKey("shop.Goods", on_delete=models.deletion.PROTECT)),
                ("order", models.ForeignKey("shop.Order", on_delete=models.deletion.CASCADE)),
            ],
        ),
        migrations.AddConstraint(
            "goods",
            models.CheckConstraint(check=models.Q(stock__gte=0), name="goods_stock_not_negative"),
        ),
    ]
