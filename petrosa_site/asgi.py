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

from petrosa_site.lifespan import Lifespan  # noqa: E402
from petrosa_site.routing import websocket_urlpatterns  # noqa: E402
from petrosa_site.wsgi_bridge import WsgiBridge  # noqa: E402

bridge = WsgiBridge(http, threads=settings.WEB_THREADS, max_body=settings.REQUEST_MAX_BYTES)
application = ProtocolTypeRouter(
    {
        "http": bridge,
        "websocket": AllowedHostsOriginValidator(
            AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
        ),
        "lifespan": Lifespan(on_shutdown=bridge.close),
    }
)
