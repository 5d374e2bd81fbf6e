/** The owner of the large mailbox of `mailbox.mjs`, and who writes to him, in a thread of their own. */

import { parentPort, workerData } from 'node:worker_threads';
import { createImClient } from '../dist/client/connect.js';

const { port, owner } = workerData;
const at = (user, options = {}) =>
  createImClient({
    aor: `sip:${user}@example.org`,
    server: { host: '127.0.0.1', port, transport: 'tcp' },
    identity: 'asserted',
    deferredUri: 'sip:Deferred@store.example.org',
    limits: { idleMs: 600_000, answerMs: 60_000, submissions: 64, queuedSubmissions: 1_000_000 },
    ...options,
  });

/** Stores `count` messages; with `until` they all expire then (ms since the epoch). */
async function fill({ count, until }) {
  const senders = [0, 1, 2, 3].map((number) => at(`sender${number}`));
  await Promise.all(senders.map((sender) => sender.start()));
  let sent = 0;
  let refused = 0;
  const run = async (sender) => {
    while (sent < count) {
      sent++;
      const expires = until === undefined ? undefined : Math.ceil((until - Date.now()) / 1_000);
      const options = expires === undefined ? {} : { expires };
      const { status } = await sender.send(`sip:${owner}@example.org`, 'x'.repeat(200), options);
      if (status !== 202) refused++;
    }
  };
  await Promise.all(senders.flatMap((sender) => Array.from({ length: 16 }, () => run(sender))));
  await Promise.all(senders.map((sender) => sender.stop()));
  return { stored: sent - refused, refused };
}

let leave = async () => {};

/** The client stays until `leave`: what it has taken last is not confirmed yet. */
async function push({ count }) {
  let taken = 0;
  const all = deferred();
  const client = at(owner, {
    onDelivery: () => {
      if (++taken === count) all.resolve();
    },
  });
  await client.start();
  await client.register();
  await all.promise;
  leave = () => client.stop();
  return { taken };
}

async function retrieve() {
  const client = at(owner);
  await client.start();
  let taken = 0;
  await client.retrieve({ onMessage: () => void taken++ });
  await client.stop();
  return { taken };
}

function deferred() {
  const made = {};
  made.promise = new Promise((resolve) => (made.resolve = resolve));
  return made;
}

const jobs = { fill, push, leave: () => leave(), retrieve };

parentPort.on('message', async ({ job, ...facts }) => {
  try {
    parentPort.postMessage((await jobs[job](facts)) ?? {});
  } catch (error) {
    parentPort.postMessage({ error: String(error) });
  }
});
