// node-postgres: twenty clients listen and work; each hears all, once and in order.
'use strict';
const pg = require('pg');
const { assert, CLIENTS, runMain } = require('./harness');

const ROUNDS = 10;

class Listener {
  constructor(number) {
    this.own = `own_${number}`;
    this.client = new pg.Client();
    this.heard = [];
    this.wake = () => {};
    this.client.on('notification', ({ channel, payload }) => {
      this.heard.push(`${channel} ${payload}`);
      this.wake();
    });
  }

  async open() {
    await this.client.connect();
    await this.client.query('LISTEN node_all');
    await this.client.query(`LISTEN ${this.own}`);
  }

  // Comes back when this has been heard; an event of the socket ends the wait, not a clock.
  async until(line) {
    while (!this.heard.includes(line)) {
      await new Promise((resolve) => {
        this.wake = resolve;
      });
    }
  }

  of(channel) {
    return this.heard.filter((line) => line.startsWith(`${channel} `));
  }

  async work() {
    for (let n = 0; n < ROUNDS; n++) {
      await this.client.query('BEGIN');
      const result = await this.client.query('SELECT $1::int + 1 AS v', [n]);
      assert.equal(result.rows[0].v, n + 1);
      await this.client.query('SELECT pg_notify($1, $2)', [this.own, String(n)]);
      await this.client.query('COMMIT');
    }
    await this.until(`${this.own} ${ROUNDS - 1}`);
    const wanted = Array.from({ length: ROUNDS }, (_, n) => `${this.own} ${n}`);
    assert.deepEqual(this.of(this.own), wanted);
  }

  async hearAll() {
    await this.until('node_all end');
    const wanted = Array.from({ length: ROUNDS }, (_, n) => [`node_all a${n}`, `node_all b${n}`]);
    assert.deepEqual(this.of('node_all'), [...wanted.flat(), 'node_all end']);
    await this.client.query(`UNLISTEN ${this.own}`);
  }
}

async function send(client) {
  for (let n = 0; n < ROUNDS; n++) {
    await client.query('BEGIN');
    for (const payload of [`a${n}`, `b${n}`, `a${n}`]) {
      await client.query('SELECT pg_notify($1, $2)', ['node_all', payload]);
    }
    await client.query('COMMIT');
    await client.query("BEGIN; NOTIFY node_all, 'undone'; ROLLBACK");
  }
  await client.query("NOTIFY node_all, 'end'");
}

runMain(async () => {
  const listeners = Array.from({ length: CLIENTS }, (_, number) => new Listener(number));
  await Promise.all(listeners.map((listener) => listener.open()));
  const sender = new pg.Client();
  await sender.connect();
  await Promise.all([send(sender), ...listeners.map((listener) => listener.work())]);
  await Promise.all(listeners.map((listener) => listener.hearAll()));
  // Nobody listens on a channel of its own any more: what goes there comes to nobody.
  for (const { own } of listeners) await sender.query('SELECT pg_notify($1, $2)', [own, 'late']);
  await sender.query("NOTIFY node_all, 'closing'");
  for (const listener of listeners) {
    await listener.until('node_all closing');
    assert.equal(listener.heard.length, 3 * ROUNDS + 2);
    await listener.client.query('UNLISTEN *');
    await listener.client.end();
  }
  await sender.end();
});
