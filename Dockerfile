# The image of workers, Flower, migrations and operators' commands: `make image`, or `docker build .`, or `buildah build .`
#
# ARG BASE takes any image with Python 3.11 to 3.14 as python3; BUILD_BASE one that has pip as well. Both x86-64 and
# arm64: libraries are wheels, nothing is compiled. At run time: --read-only, with /scratch as the only writable place.
ARG BASE=docker.io/library/python:3.13-slim-bookworm
ARG BUILD_BASE=${BASE}

# ---------------------------------------------------------------------------- libraries, code, certificates, bill of materials
FROM ${BUILD_BASE} AS build
WORKDIR /build
COPY requirements/image.txt requirements/
# By their hashes. pip stays outside of the environment that is shipped.
RUN python3 -m venv --without-pip /opt/venv \
    && python3 -m pip --python /opt/venv/bin/python install --no-cache-dir --no-deps --require-hashes \
        --only-binary :all: -r requirements/image.txt

WORKDIR /app
COPY celeryconfig.py pyproject.toml LICENSE ./
COPY alembic alembic
COPY api_lambda api_lambda
COPY stepfunctions stepfunctions
COPY scanner_tasks scanner_tasks

# Authorities that sign RDS's own certificates, for migrations (RDS Proxy's are public ones). Empty: none are fetched.
ARG RDS_CA_URL=https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem
# With a read-only root nothing is compiled at run time, so it is done here.
RUN printf '#!/opt/venv/bin/python\nfrom scanner_tasks.cli import main\nmain()\n' > /opt/venv/bin/s3scan \
    && chmod 0755 /opt/venv/bin/s3scan \
    && echo /app > "$(/opt/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/s3scan.pth" \
    && mkdir certificates \
    && cp "$(/opt/venv/bin/python -c 'import botocore, os; print(os.path.dirname(botocore.__file__))')/cacert.pem" \
        certificates/public.pem \
    && if [ -n "${RDS_CA_URL}" ]; then \
        python3 -c "import sys, urllib.request; urllib.request.urlretrieve(*sys.argv[1:])" \
            "${RDS_CA_URL}" certificates/rds.pem; \
    else cp certificates/public.pem certificates/rds.pem; fi \
    && /opt/venv/bin/python -m scanner_tasks.local.sbom > sbom.cdx.json \
    && /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /app /opt/venv

# ---------------------------------------------------------------------------- what is shipped
FROM ${BASE}
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
# Declared after it has its owner: Fargate gives its volume the same.
RUN mkdir -m 0700 /scratch && chown 10001:10001 /scratch
VOLUME ["/scratch"]
WORKDIR /app
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/scratch \
    TMPDIR=/scratch \
    S3SCAN_SPOOL_DIRECTORY=/scratch \
    S3SCAN_LIVENESS_FILE=/scratch/worker.alive
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s --retries=3 CMD ["s3scan", "worker", "health"]
CMD ["celery", "--app=scanner_tasks.app", "worker", "--pool=threads", "--loglevel=INFO", "--without-gossip", "--without-mingle", "--heartbeat-interval=15"]
