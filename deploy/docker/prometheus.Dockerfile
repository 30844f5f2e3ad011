# Prometheus of Debian, for those who cannot or do not want to pull one.
ARG BASE_IMAGE=debian:12
FROM ${BASE_IMAGE}
# The package makes the user; its number is fixed afterwards, because the volume outlives the image.
RUN apt-get -o Acquire::Retries=3 update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 install -y -q \
      --no-install-recommends prometheus \
 && rm -rf /var/lib/apt/lists/* \
 && groupmod --gid 9090 prometheus && usermod --uid 9090 --home /prometheus prometheus \
 && install -d -o prometheus -g prometheus -m 755 /prometheus
USER prometheus
VOLUME /prometheus
EXPOSE 9090
STOPSIGNAL SIGTERM
ENTRYPOINT ["prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
