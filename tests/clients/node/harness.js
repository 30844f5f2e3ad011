// What the Node.js driver tests share.
'use strict';
const assert = require('node:assert/strict');

const CLIENTS = Number(process.env.CLIENTS || 20);

// The error that the promise fails with; fails itself when there is none.
async function errorOf(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail('no error');
}

function sleep(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

// A table has no order of its own.
function sameLines(one, other) {
  return one.split('\n').sort().join() === other.split('\n').sort().join();
}

function runMain(main) {
  main().then(
    () => process.exit(0),
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
}

module.exports = { assert, CLIENTS, errorOf, runMain, sameLines, sleep };
