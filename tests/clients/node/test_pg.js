// node-postgres: named statements, transactions, errors, COPY, its own pool, cancel.
'use strict';
const { pipeline } = require('node:stream/promises');
const { Readable } = require('node:stream');
const pg = require('pg');
const copy = require('pg-copy-streams');
const { assert, CLIENTS, errorOf, runMain, sameLines, sleep } = require('./harness');

async function prepared(client) {
  for (let n = 0; n < 20; n++) {
    const result = await client.query({ name: 'add-one', text: 'SELECT $1::int + 1 AS v', values: [n] });
    assert.equal(result.rows[0].v, n + 1);
  }
}

async function transactions(client, number) {
  await client.query('BEGIN');
  const first = (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;
  await client.query('INSERT INTO t_node_pg VALUES ($1, $2)', [number, 'kept']);
  assert.equal((await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid, first);
  await client.query('COMMIT');
  await client.query('BEGIN');
  await client.query('INSERT INTO t_node_pg VALUES ($1, $2)', [number, 'undone']);
  await client.query('ROLLBACK');
  const kept = await client.query('SELECT note FROM t_node_pg WHERE client = $1', [number]);
  assert.deepEqual(kept.rows, [{ note: 'kept' }]);
}

async function errors(client) {
  for (let n = 0; n < 3; n++) {
    const query = { name: 'divide', text: 'SELECT 1 / $1::int', values: [0] };
    assert.equal((await errorOf(client.query(query))).code, '22012');
    assert.equal((await client.query('SELECT 5 AS v')).rows[0].v, 5);
  }
  await client.query('BEGIN');
  assert.equal((await errorOf(client.query('SELECT * FROM no_such_table'))).code, '42P01');
  assert.equal((await errorOf(client.query('SELECT 1'))).code, '25P02');
  await client.query('ROLLBACK');
}

async function copyBothWays(client, number) {
  const rows = Array.from({ length: 1000 }, (_, n) => `${1000 + number}\trow ${n}\n`);
  await pipeline(Readable.from(rows), client.query(copy.from('COPY t_node_pg FROM STDIN')));
  let out = '';
  const reader = client.query(
    copy.to(`COPY (SELECT * FROM t_node_pg WHERE client = ${1000 + number}) TO STDOUT`),
  );
  for await (const chunk of reader) out += chunk;
  assert.ok(sameLines(out, rows.join('')), 'rows copied in and out differ');
}

async function cancel(client) {
  const query = new pg.Query('SELECT pg_sleep(60)');
  const failed = new Promise((resolve) => {
    query.on('error', resolve);
  });
  client.query(query);
  await sleep(500);
  new pg.Client().cancel(client, query);
  assert.equal((await failed).code, '57014');
  assert.equal((await client.query('SELECT 9 AS v')).rows[0].v, 9);
}

async function run(number) {
  const client = new pg.Client();
  await client.connect();
  await prepared(client);
  await transactions(client, number);
  await errors(client);
  await copyBothWays(client, number);
  if (number < 2) await cancel(client);
  await prepared(client);
  await client.end();
}

async function pooled() {
  const pool = new pg.Pool({ max: CLIENTS });
  const work = Array.from({ length: 200 }, async (_, n) => {
    const result = await pool.query('SELECT $1::int AS v', [n]);
    assert.equal(result.rows[0].v, n);
  });
  await Promise.all(work);
  await pool.end();
}

runMain(async () => {
  const client = new pg.Client();
  await client.connect();
  await client.query('DROP TABLE IF EXISTS t_node_pg; CREATE TABLE t_node_pg (client int, note text)');
  await Promise.all(Array.from({ length: CLIENTS }, (_, number) => run(number)));
  await pooled();
  const count = await client.query('SELECT count(*)::int AS n FROM t_node_pg');
  assert.equal(count.rows[0].n, CLIENTS * 1001);
  await client.query('DROP TABLE t_node_pg');
  await client.end();
});
