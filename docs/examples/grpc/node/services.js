// pgvalet's gRPC services, loaded from the proto: services("Events") is a client of pgvalet.v1.Events.
'use strict';

const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const PROTO = process.env.PGVALET_PROTO || path.resolve(__dirname, '../../../../proto');
const files = ['control', 'events', 'query', 'stats'].map((name) => `pgvalet/v1/${name}.proto`);
// Numbers of 64 bits become strings: JavaScript's own would lose their last digits.
const options = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true };
const definition = loader.loadSync(files, { ...options, includeDirs: [PROTO] });
const { v1 } = grpc.loadPackageDefinition(definition).pgvalet;

const metadata = new grpc.Metadata();
metadata.set('authorization', `Bearer ${process.env.PGVALET_TOKEN || ''}`);

function services(name) {
  const address = process.env.PGVALET_ADDRESS || 'localhost:6544';
  return new v1[name](address, grpc.credentials.createInsecure());
}

module.exports = { grpc, metadata, services };
