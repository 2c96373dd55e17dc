"""Celery tasks by name, for those who stand below them.

Tasks import the services that they run. A service that wants work done later names the task, so
that no arrow runs back up.
"""

from __future__ import annotations

from typing import Any

from celery import Task, current_app
from django.db import transaction


def named(name: str) -> Task[Any, Any]:
    """Return a registered task. Raises NotRegistered, a KeyError, for a name nobody has."""
    task: Task[Any, Any] = current_app.tasks[name]
    return task


def enqueue_on_commit(name: str, *args: object) -> None:
    """Put a task into its queue when the transaction has been committed; at once without one."""
    transaction.on_commit(lambda: named(name).delay(*args))
