"""Create the first operator of an empty installation."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand
from django.db import transaction
from rest_framework.authtoken.models import Token

from audit import trail


class Command(BaseCommand):
    requires_system_checks: list[str] = []
    help = (
        "When nobody can log in yet, create a superuser with a random password and an API token "
        "and print both once. Otherwise do nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        users = get_user_model().objects
        password = secrets.token_urlsafe(15)
        with transaction.atomic():
            if users.exists():
                self.stdout.write("There are users already: nothing was created.")
                return
            user = users.create_superuser("operator", "", password)
            token = Token.objects.create(user=user)
            entry = trail.Entry(
                kind="user.created",
                actor="command:first_operator",
                subject_type="user",
                subject_id=str(user.pk),
                data={"username": "operator", "superuser": True},
            )
            trail.record(entry)
        self.stdout.write(
            "First operator (shown once; change the password in the admin):\n"
            "  user name  operator\n"
            f"  password   {password}\n"
            f"  API token  {token.key}"
        )
