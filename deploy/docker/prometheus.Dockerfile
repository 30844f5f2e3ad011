# Prometheus of Debian, for those who cannot or do not want to pull one.
ARG BASE_IMAGE=debian:12
FROM ${BASE_IMAGE}
RUN groupadd --gid 9090 prometheus \
 && useradd --uid 9090 --gid prometheus --home-dir /prometheus --shell /usr/sbin/nologin prometheus \
 && apt-get -o Acquire::Retries=3 update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 install -y -q \
      --no-install-recommends prometheus \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o prometheus -g prometheus -m 755 /prometheus
USER prometheus
VOLUME /prometheus
EXPOSE 9090
STOPSIGNAL SIGTERM
ENTRYPOINT ["prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
