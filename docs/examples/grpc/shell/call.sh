#!/usr/bin/env bash
# Calls one method: call.sh SERVICE/METHOD [JSON]
#
#   call.sh pgvalet.v1.Stats/GetSnapshot '{"filter": {"fields": "agent"}}'
#   call.sh pgvalet.v1.Control/Pause '{"database": "app"}'
#
# By grpcurl, or by buf (npm install @bufbuild/buf), whichever is there; BUF names it otherwise.
set -euo pipefail
method=$1 request=${2:-"{}"}
address=${PGVALET_ADDRESS:-localhost:6544}
header="authorization: Bearer ${PGVALET_TOKEN:-}"

if command -v grpcurl >/dev/null; then
  exec grpcurl -plaintext -H "$header" -d "$request" "$address" "$method"
fi
exec "${BUF:-buf}" curl --protocol grpc --http2-prior-knowledge --reflect-protocol grpc-v1alpha \
  -H "$header" -d "$request" "http://$address/$method"
