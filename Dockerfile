# Two images from one build: the backend, and nginx with the page (docs/docker.md).
#   docker build --build-arg APP_BASE_URL=https://app.example.com --target backend -t call-an-api .
#   docker build --build-arg APP_BASE_URL=https://app.example.com --target page -t call-an-api-page .

FROM python:3.11-slim AS packages
WORKDIR /srv/app
COPY requirements.txt ./
# Without the packages of the tests and checks, which come last.
RUN sed '/^# --- its tests and checks/,$d' requirements.txt > runtime.txt \
    && python -m venv /srv/venv \
    && /srv/venv/bin/pip install --no-cache-dir --disable-pip-version-check -r runtime.txt
ENV PATH=/srv/venv/bin:$PATH

FROM packages AS build
# The page holds this URL. It holds nothing of the provider and no secret: the values below let the
# configuration be read, and stay in this stage.
ARG APP_BASE_URL
COPY rxconfig.py ./
COPY reflex.lock reflex.lock
COPY assets assets
COPY app app
RUN test -n "$APP_BASE_URL" \
    && AUTH0_DOMAIN=build.example.com AUTH0_CLIENT_ID=build AUTH0_CLIENT_SECRET=build \
    AUTH0_SECRET=only-to-read-the-configuration-of-a-build \
    reflex export --env prod --frontend-only --no-zip

FROM nginxinc/nginx-unprivileged:1.28-alpine AS page
COPY --from=build /srv/app/.web/build/client /srv/app/client
COPY docs/nginx.conf /tmp/nginx.conf
# TLS ends in front of this container.
RUN sed -e 's/listen 443 ssl;/listen 8080;/' -e '/ssl_certificate/d' -e 's/server_name .*/server_name _;/' \
    -e 's/server 10.0.0.11:8000.*/server backend:8000;/' -e '/server 10.0.0.12:8000/d' \
    /tmp/nginx.conf > /etc/nginx/conf.d/default.conf
EXPOSE 8080

FROM packages AS backend
RUN useradd --create-home --uid 10001 app && install -d -o app -g app /srv/data
COPY --chown=app rxconfig.py ./
COPY --chown=app assets assets
COPY --chown=app app app
RUN chown app /srv/app
USER app
ENV APP_DATA_DIR=/srv/data PYTHONUNBUFFERED=1
VOLUME /srv/data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD \
    ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/auth/health', timeout=4)"]
CMD ["reflex", "run", "--env", "prod", "--backend-only", "--backend-host", "0.0.0.0", "--backend-port", "8000"]
