# Sourced by test.sh: a container engine, and Debian as the image to build on.
#
# Where an engine runs already, it is used.  Else one is started that keeps everything it has under
# $work, and is ended with what it left in the kernel.  Needs root for that.
# shellcheck shell=bash
: "${work:?}"

engine_pid=
engine_forwarding=

engine_answers() {
  docker version --format '{{.Server.Version}}' >/dev/null 2>&1
}

engine_start() {
  if engine_answers; then
    say "engine: the one that runs here, $(docker version --format '{{.Server.Version}}')"
    return
  fi
  [ "$(id -u)" = 0 ] || fail "no container engine runs here, and only root can start one"
  mkdir -p "$work/data"
  ! iptables -S DOCKER >/dev/null 2>&1 || fail "another engine has its rules here, but does not answer"
  engine_forwarding=$(cat /proc/sys/net/ipv4/ip_forward)
  export DOCKER_HOST=unix://$work/docker.sock
  # A session of its own: Ctrl-C is for this script, which ends it in order.
  setsid dockerd --data-root "$work/data" --exec-root "$work/exec" --pidfile "$work/docker.pid" \
    --host "$DOCKER_HOST" >"$work/dockerd.log" 2>&1 </dev/null &
  engine_pid=$!
  wait_until 60 engine_answers || fail "dockerd does not answer, see $work/dockerd.log"
  say "engine: started dockerd $(docker version --format '{{.Server.Version}}')," \
    "$(docker info --format '{{.Driver}}')"
}

engine_gone() {
  ! kill -0 "$engine_pid" 2>/dev/null
}

# dockerd leaves its bridge, its rules and a policy that drops what is forwarded.
engine_forget_network() {
  local chain
  ip link delete docker0 2>/dev/null
  for chain in DOCKER-USER DOCKER-ISOLATION-STAGE-1; do iptables -D FORWARD -j "$chain"; done
  iptables -S FORWARD | sed -n '/docker0/s/^-A/-D/p' |
    while read -r -a rule; do iptables "${rule[@]}"; done
  iptables -P FORWARD ACCEPT
  for chain in DOCKER-USER DOCKER-ISOLATION-STAGE-1 DOCKER-ISOLATION-STAGE-2 DOCKER; do
    iptables -F "$chain"
  done
  for chain in DOCKER-USER DOCKER-ISOLATION-STAGE-1 DOCKER-ISOLATION-STAGE-2 DOCKER; do
    iptables -X "$chain"
  done
  for chain in PREROUTING OUTPUT POSTROUTING; do
    iptables -t nat -S "$chain" | sed -n '/-j DOCKER\|MASQUERADE/s/^-A/-D/p' |
      while read -r -a rule; do iptables -t nat "${rule[@]}"; done
  done
  iptables -t nat -F DOCKER
  iptables -t nat -X DOCKER
  echo "$engine_forwarding" >/proc/sys/net/ipv4/ip_forward
}

engine_stop() {
  [ -n "$engine_pid" ] || return 0
  kill "$engine_pid" 2>/dev/null
  wait_until 60 engine_gone || say "engine: dockerd (pid $engine_pid) does not end"
  engine_forget_network 2>/dev/null
  umount "$work"/exec/netns/* 2>/dev/null # dockerd leaves it, and rm could not remove it
  if [ "${KEEP:-0}" = 1 ]; then
    say "engine: stopped; images are kept for the next run in $work"
  else
    rm -rf "$work/data" "$work/exec"
    say "engine: stopped and removed"
  fi
}

# The mirror that this machine's own apt uses.
debian_mirror() {
  # shellcheck disable=SC2016
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    grep -E '/debian/?$' | head -n 1 || true
}

# Sets BASE_IMAGE, from the Debian archive, because an image registry is not everywhere.
base_image() {
  if [ -n "${BASE_IMAGE:-}" ]; then
    say "base image: $BASE_IMAGE, as asked for"
    return
  fi
  export BASE_IMAGE=pgvalet-test-base:12
  if docker image inspect "$BASE_IMAGE" >/dev/null 2>&1; then
    say "base image: $BASE_IMAGE of an earlier run"
    return
  fi
  [ "$(id -u)" = 0 ] || fail "debootstrap needs root; or name a Debian image: BASE_IMAGE=debian:12"
  local root=$work/base mirror
  mirror=$(debian_mirror)
  say "base image: debootstrap of Debian 12 (about a minute)"
  rm -rf "$root"
  debootstrap --variant=minbase bookworm "$root" "${mirror:-http://deb.debian.org/debian}" \
    >"$work/debootstrap.log" 2>&1 || fail "debootstrap failed, see $work/debootstrap.log"
  rm -f "$root"/var/cache/apt/archives/*.deb
  tar -C "$root" -c . | docker import - "$BASE_IMAGE" >/dev/null
  rm -rf "$root"
}
