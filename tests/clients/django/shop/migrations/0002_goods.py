from django.db import migrations


def fill(apps, schema_editor):
    goods = apps.get_model("shop", "Goods")
    names = {"apples": 200, "bread": 200, "cheese": 200, "empty": 0}
    goods.objects.bulk_create([goods(name=name, stock=stock) for name, stock in names.items()])


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
