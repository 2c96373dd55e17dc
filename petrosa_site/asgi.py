"""One port for everything: HTTP through WSGI threads, WebSockets through Channels."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "petrosa_site.settings")

from django.core.wsgi import get_wsgi_application

http = get_wsgi_application()  # sets Django up, so it comes before the imports below

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import re_path  # noqa: E402

from petrosa_site.routing import websocket_urlpatterns  # noqa: E402
from petrosa_site.server.lifespan import Lifespan  # noqa: E402
from petrosa_site.server.wsgi_bridge import Lane, Message, Receive, Send, WsgiBridge  # noqa: E402

NO_SUCH_SOCKET = 4404


async def no_such_socket(scope: Message, receive: Receive, send: Send) -> None:  # noqa: ARG001
    """Refuse the handshake of an unknown path (403 on the wire) instead of failing with 500."""
    await send({"type": "websocket.close", "code": NO_SUCH_SOCKET})


# Anybody may ask for metrics, and they take longest: the kill switch must not wait behind them.
bridge = WsgiBridge(
    http,
    threads=settings.WEB_THREADS,
    max_body=settings.REQUEST_MAX_BYTES,
    apart={"/metrics": Lane("metrics", threads=1, waiting=4)},
)
application = ProtocolTypeRouter(
    {
        "http": bridge,
        "websocket": AllowedHostsOriginValidator(
            AuthMiddlewareStack(
                URLRouter(
                    [*websocket_urlpatterns, re_path(r"", no_such_socket)]  # type: ignore[arg-type]
                )
            )
        ),
        "lifespan": Lifespan(on_shutdown=bridge.close),
    }
)
