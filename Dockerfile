# syntax=docker/dockerfile:1
# One image for the API, the worker and the migration. Only what is locked is installed, checked by its hash.

FROM python:3.12-slim AS build
WORKDIR /build
RUN python -m venv --without-pip /opt/sojourn
COPY requirements.lock .
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m pip --python /opt/sojourn install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY migrations migrations
COPY service service
RUN python -m pip --python /opt/sojourn install --no-deps --no-build-isolation . \
    && python -m pip --python /opt/sojourn check

FROM python:3.12-slim
RUN useradd --system --uid 10001 --user-group --create-home --home-dir /var/lib/sojourn sojourn
COPY --from=build /opt/sojourn /opt/sojourn
ENV PATH=/opt/sojourn/bin:$PATH PYTHONUNBUFFERED=1
USER sojourn
WORKDIR /var/lib/sojourn
EXPOSE 8000
# Migrate with `docker run IMAGE migrate`, before the first start and after each new version.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["sojourn"]
CMD ["serve", "--host", "0.0.0.0"]
