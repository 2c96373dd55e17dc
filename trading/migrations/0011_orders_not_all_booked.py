from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('exchanges', '0001_initial'),
        ('trading', '0010_approvals'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='order',
            index=models.Index(condition=models.Q(('closed_at__isnull', True), ('fills_missing', True), _connector='OR'), fields=['account', 'symbol'], name='order_not_all_booked'),
        ),
    ]
