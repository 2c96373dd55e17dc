# ruff: noqa: E501
"""Where the time of one trade goes: `python -m benchmarks.profile_trade [--postgres URL]`."""

from __future__ import annotations

import sys

from benchmarks.stage import stage

CODE = """
import cProfile, pstats, json, time, statistics, io, sys
from datetime import datetime, timezone
from django.test import Client as TestClient
from django.core.handlers.wsgi import WSGIHandler
from rest_framework.authtoken.models import Token
from django.test import RequestFactory
app = WSGIHandler()
token = Token.objects.first().key
def once():
    body = json.dumps({"strategy_id":"p","symbol":"BTCUSDT","action":"buy","confidence":0.8,"quantity":0.001,"timestamp":datetime.now(timezone.utc).isoformat()}).encode()
    environ = {"REQUEST_METHOD":"POST","PATH_INFO":"/trade","SERVER_NAME":"localhost","SERVER_PORT":"80","CONTENT_TYPE":"application/json","CONTENT_LENGTH":str(len(body)),"wsgi.input":io.BytesIO(body),"wsgi.url_scheme":"http","wsgi.errors":sys.stderr,"HTTP_HOST":"localhost","HTTP_AUTHORIZATION":"Token "+token,"SERVER_PROTOCOL":"HTTP/1.1","SCRIPT_NAME":"","QUERY_STRING":""}
    out = app(environ, lambda *a: None)
    data = b"".join(out); out.close()
    assert b"filled" in data, data
for _ in range(50): once()
times=[]; c0=time.process_time()
for _ in range(300):
    t=time.perf_counter(); once(); times.append(time.perf_counter()-t)
print("p50 ms", statistics.median(times)*1000, "cpu ms", (time.process_time()-c0)/300*1000)
p=cProfile.Profile(); p.enable()
for _ in range(200): once()
p.disable()
s=io.StringIO(); st=pstats.Stats(p,stream=s); st.sort_stats("cumulative").print_stats(110); print(s.getvalue())
from django.db import connection
from django.test.utils import CaptureQueriesContext
with CaptureQueriesContext(connection) as c: once()
for q in c.captured_queries: print(q["time"], q["sql"][:230])
"""

if __name__ == "__main__":
    url = sys.argv[2] if len(sys.argv) > 2 else ""
    with stage(url) as where:
        print(where.shell(CODE))
