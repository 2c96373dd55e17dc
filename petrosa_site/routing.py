"""WebSocket paths of the site."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from audit.consumers import LiveConsumer

websocket_urlpatterns: list[URLPattern | URLResolver] = [
    path("ws/live/", LiveConsumer.as_asgi()),
]
