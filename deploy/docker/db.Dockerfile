# PostgreSQL with the extension pgvalet preloaded.
#
#   docker build -f deploy/docker/db.Dockerfile -t pgvalet-db .
#
# BASE_IMAGE is any Debian that has the packages postgresql-PG_MAJOR and
# postgresql-server-dev-PG_MAJOR: debian:12 has 15, debian:13 has 17.
ARG BASE_IMAGE=debian:12

FROM ${BASE_IMAGE} AS build
ARG PG_MAJOR=15
RUN apt-get -o Acquire::Retries=3 update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 install -y -q \
      --no-install-recommends gcc libc6-dev make postgresql-server-dev-${PG_MAJOR} \
 && rm -rf /var/lib/apt/lists/*
COPY extension /src/extension
COPY sql /src/sql
# Warnings of a compiler that nobody here has seen do not stop an image.
RUN make -C /src/extension WERROR= DESTDIR=/out \
      PG_CONFIG=/usr/lib/postgresql/${PG_MAJOR}/bin/pg_config install

FROM ${BASE_IMAGE}
ARG PG_MAJOR=15
# Fixed numbers, because the data volume outlives the image.  pgvalet is the agent's: the server
# knows it by its number (peer login over the socket that both containers share).
RUN if ! getent passwd postgres >/dev/null; then \
      groupadd --gid 5432 postgres \
      && useradd --uid 5432 --gid postgres --home-dir /var/lib/postgresql --shell /bin/bash postgres; \
    fi \
 && groupadd --gid 6543 pgvalet \
 && useradd --uid 6543 --gid pgvalet --home-dir /nonexistent --shell /usr/sbin/nologin pgvalet
# The package would make a cluster in the image; the entrypoint makes one in the volume.
RUN mkdir -p /etc/postgresql-common \
 && echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf \
 && apt-get -o Acquire::Retries=3 update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 \
      -o Dpkg::Options::=--force-confold install -y -q --no-install-recommends \
      postgresql-${PG_MAJOR} \
 && rm -rf /var/lib/apt/lists/* \
 && rm -rf /var/lib/postgresql/* \
 && install -d -o postgres -g postgres -m 700 /var/lib/postgresql \
 && install -d -o postgres -g postgres -m 755 /run/postgresql
COPY --from=build /out/ /
COPY deploy/docker/db-entrypoint.sh /usr/local/bin/
COPY deploy/docker/db-init.sql deploy/docker/pg_hba.conf deploy/docker/postgresql.conf /etc/pgvalet/
# Whatever the umask was where the sources were cloned.
RUN chmod 755 /usr/local/bin/db-entrypoint.sh /etc/pgvalet && chmod 644 /etc/pgvalet/*

ENV PG_MAJOR=${PG_MAJOR} \
    PATH=/usr/lib/postgresql/${PG_MAJOR}/bin:/usr/local/bin:/usr/bin:/bin \
    LANG=C.UTF-8 \
    APP_USER=app \
    APP_DATABASE=app
USER postgres
VOLUME /var/lib/postgresql
EXPOSE 5432
# Fast shutdown: clients are disconnected, nothing is lost.  SIGTERM would wait for them for ever.
STOPSIGNAL SIGINT
HEALTHCHECK --interval=5s --timeout=4s --start-period=120s --retries=3 \
  CMD ["pg_isready", "-q", "-h", "/run/postgresql"]
ENTRYPOINT ["db-entrypoint.sh"]
CMD ["postgres"]
