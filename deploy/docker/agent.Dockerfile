# The agent pgvaletd and the command pgvalet.
#
#   docker build -f deploy/docker/agent.Dockerfile -t pgvalet-agent .
#
# Two stages of one Debian release: the second has only the libraries that the programs were linked
# with.
ARG BASE_IMAGE=debian:12

FROM ${BASE_IMAGE} AS build
COPY deploy/dev/packages.txt /src/
# The list of the development build, without the server and what runs `make run`.
RUN apt-get -o Acquire::Retries=3 update -q \
 && sed -e 's/#.*//' /src/packages.txt | awk 'NF { print $1 }' \
      | grep -Ev '^(ccache|curl|python3.*|postgresql.*)$' \
      | DEBIAN_FRONTEND=noninteractive xargs apt-get -o Acquire::Retries=3 install -y -q \
          --no-install-recommends \
 && rm -rf /var/lib/apt/lists/*
COPY proto /src/proto
COPY agent /src/agent
# 0: as many compilers as the machine has processors; each may take 1 GB.
ARG JOBS=0
RUN cmake -S /src/agent -B /build -G Ninja -Wno-dev -DCMAKE_BUILD_TYPE=RelWithDebInfo \
      -DBUILD_TESTING=OFF -DPGVALET_WERROR=OFF \
 && if [ "${JOBS}" = 0 ]; then jobs=$(nproc); else jobs=${JOBS}; fi \
 && ninja -C /build -j"$jobs" bin/pgvaletd bin/pgvalet \
 && install -D -s -t /out /build/bin/pgvaletd /build/bin/pgvalet \
 && rm -rf /build
# The packages that own the libraries the programs name; what those need in turn, apt knows.
RUN objdump -p /out/pgvaletd /out/pgvalet | awk '$1 == "NEEDED" { print "*/" $2 }' | sort -u \
      | xargs dpkg-query -S | sed 's/[:,].*//' | sort -u >/src/runtime-packages.txt \
 && cat /src/runtime-packages.txt

FROM ${BASE_IMAGE}
COPY --from=build /src/runtime-packages.txt /usr/local/share/pgvalet/
RUN groupadd --gid 6543 pgvalet \
 && useradd --uid 6543 --gid pgvalet --home-dir /nonexistent --shell /usr/sbin/nologin pgvalet \
 && apt-get -o Acquire::Retries=3 update -q \
 && DEBIAN_FRONTEND=noninteractive xargs -a /usr/local/share/pgvalet/runtime-packages.txt \
      apt-get -o Acquire::Retries=3 install -y -q --no-install-recommends \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /out/ /usr/local/bin/
COPY deploy/docker/pgvalet.toml /etc/pgvalet/
RUN chmod 755 /etc/pgvalet && chmod 644 /etc/pgvalet/pgvalet.toml \
 && pgvaletd --config /etc/pgvalet/pgvalet.toml --check && pgvalet --version

USER pgvalet
EXPOSE 6543 6544 6545
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=20s --retries=3 CMD ["pgvalet", "status"]
ENTRYPOINT ["pgvaletd"]
CMD ["--config", "/etc/pgvalet/pgvalet.toml"]
