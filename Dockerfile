# One image for every process. Runs as a user without rights on a root file system that may be
# read-only: all it writes goes to PETROSA_VAR_DIR and /tmp. Servers are not part of it.

FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements.txt /tmp/requirements.txt
RUN /opt/venv/bin/pip install --require-hashes -r /tmp/requirements.txt

FROM python:3.12-slim
RUN groupadd --gid 10001 petrosa \
 && useradd --uid 10001 --gid petrosa --no-create-home --shell /usr/sbin/nologin petrosa \
 && install -d -o petrosa -g petrosa -m 700 /var/lib/petrosa /var/lib/petrosa/metrics /var/lib/petrosa/simulator
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY . .
RUN /opt/venv/bin/python -m compileall -q /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PETROSA_IGNORE_DOTENV=true \
    PETROSA_VAR_DIR=/tmp/petrosa \
    API_HOST=0.0.0.0
USER 10001:10001
EXPOSE 8000
CMD ["python", "manage.py", "serve"]
