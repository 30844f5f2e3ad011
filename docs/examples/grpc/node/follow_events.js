// Prints what happened and what happens: node follow_events.js [EVENTS]
'use strict';

const { grpc, metadata, services } = require('./services');

let wanted = process.argv.length > 2 ? Number(process.argv[2]) : Infinity;
const client = services('Events');
const stream = client.FollowEvents({ after_sequence: 0 }, metadata);

stream.on('data', (batch) => {
  if (Number(batch.lost_count) > 0) console.log(`(${batch.lost_count} events were lost)`);
  for (const event of batch.events.slice(0, wanted)) {
    wanted -= 1;
    const about = [event.database, event.user].filter(Boolean).join('/');
    console.log(`${event.sequence} ${event.kind} ${about} ${event.message}`);
  }
  // To go on after a break: ask for what is after batch.next_after_sequence.
  if (wanted <= 0) stream.cancel();
});
stream.on('error', (error) => {
  client.close();
  if (error.code === grpc.status.CANCELLED && wanted <= 0) return;
  console.error(`${grpc.status[error.code]}: ${error.details}`);
  process.exitCode = 1;
});
