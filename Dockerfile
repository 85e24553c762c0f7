# The HTTP API in a container: `docker build -t sandbox-tui .`
#
# BASE is any image with Python 3.11 or later and pip.
ARG BASE=python:3.12-slim
FROM ${BASE}

USER root
COPY . /src
RUN python3 -m pip install --no-cache-dir --disable-pip-version-check '/src[server]' \
    && rm -rf /src \
    && useradd --create-home --uid 10001 serve \
    && install -d -m 700 -o serve -g serve /home/serve/run /home/serve/state

USER serve
WORKDIR /home/serve
ENV XDG_RUNTIME_DIR=/home/serve/run \
    XDG_STATE_HOME=/home/serve/state \
    IPYTHONDIR=/tmp/ipython \
    PYTHONDONTWRITEBYTECODE=1
VOLUME /home/serve/state
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s \
    CMD ["python3", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health')"]

# An address for others needs a token: SANDBOX_TUI_TOKEN, else one is made and printed.
CMD ["sandbox-tui", "serve", "--host", "0.0.0.0"]
