/**
 * What a large mailbox costs somebody else: `npm run build && node bench/mailbox.mjs`. The built
 * server is a process of its own, on LevelDB with fsync. A mailbox is filled, pushed, retrieved,
 * deleted by its operator and left to expire; meanwhile another user is written to every
 * `--every-ms`, whether the last answer has come or not, and how long each 202 took is told.
 * `--messages 100000` for a large one; `--only push,delete` for some of it; `--cpu-prof <directory>`
 * writes a profile of the server. A machine with other work to do makes everything slow: compare
 * with the line of `idle`.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { createImClient } from '../dist/client/connect.js';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '2000' },
    only: { type: 'string', default: 'fill,push,retrieve,delete,expire' },
    'every-ms': { type: 'string', default: '10' },
    'cpu-prof': { type: 'string' },
  },
});
const count = Number(values.messages);
const every = Number(values['every-ms']);
const wanted = new Set(values.only.split(','));
const token = 'a-token-for-this-run';
const owner = 'bob';
const base = mkdtempSync(join(tmpdir(), 'poste-mailbox-'));

const configuration = {
  sip: {
    listen: [
      { transport: 'udp', port: 0 },
      { transport: 'tcp', port: 0 },
    ],
  },
  msrp: { port: 0 },
  admin: { port: 0, tokens: [{ name: 'bench', token }], requestsPerMinute: 1_000_000 },
  store: { directory: join(base, 'store') },
  identity: { hostname: 'store.example.org', domains: ['example.org'] },
  limits: { quota: { messages: 2 * count + 1_000_000 }, forward: { mode: 'off' } },
  cluster: { shards: 1 },
  log: { level: 'warn' },
};

async function startServer() {
  const file = join(base, 'poste.yaml');
  writeFileSync(file, JSON.stringify(configuration));
  const profile = values['cpu-prof'];
  const flags = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
  const child = spawn(process.execPath, [...flags, main, 'serve', '--config', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const { listeners, admin } = JSON.parse(line);
  const portOf = (transport) => listeners.find((one) => one.transport === transport).port;
  return { child, udp: portOf('udp'), tcp: portOf('tcp'), admin: admin.port };
}

const server = await startServer();
const worker = new Worker(new URL('./mailbox-user.mjs', import.meta.url), {
  workerData: { port: server.tcp, owner },
});

async function inWorker(job, facts = {}) {
  worker.postMessage({ job, ...facts });
  const [result] = await once(worker, 'message');
  if (result.error !== undefined) throw new Error(`${job}: ${result.error}`);
  return result;
}

async function administer(method, path) {
  const url = `http://127.0.0.1:${server.admin}/v1/accounts/${owner}@example.org${path}`;
  const answer = await globalThis.fetch(url, {
    method,
    headers: { authorization: `Bearer ${token}` },
  });
  if (!answer.ok) throw new Error(`${method} ${path} is answered ${answer.status}`);
  return answer.status === 204 ? undefined : answer.json();
}

async function storedNow() {
  return (await administer('GET', '')).messages;
}

/** A message that is to be deleted counts no more at once; its octets do until it is gone. */
async function untilEmpty() {
  while ((await administer('GET', '')).octets > 0) await setTimeout(50);
}

/** Resident memory of the server in MiB: now, and the highest since it was asked last. */
function memory() {
  const status = readFileSync(`/proc/${server.child.pid}/status`, 'utf8');
  const of = (name) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]) / 1024);
  return `RSS ${of('VmRSS')} MiB, highest ${of('VmHWM')} MiB`;
}

const other = createImClient({
  aor: 'sip:alice@example.org',
  server: { host: '127.0.0.1', port: server.udp, transport: 'udp' },
  identity: 'asserted',
  limits: { submissions: 10_000, queuedSubmissions: 100_000, answerMs: 60_000 },
});
await other.start();

/** Does it, and writes to another user all the time: no wait hides another. */
async function measure(name, act) {
  const waits = [];
  const under = new Set();
  let over = false;
  const began = performance.now();
  const done = act().finally(() => (over = true));
  // Whoever fails is heard below; here it only must not end the process.
  done.catch(() => undefined);
  for (let due = began; !over; due += every) {
    const left = due - performance.now();
    if (left > 0) await setTimeout(left);
    const since = due;
    const sent = other.send('sip:carol@example.org', 'meanwhile').then(({ status }) => {
      if (status !== 202) throw new Error(`answered ${status}`);
      waits.push(performance.now() - since);
      under.delete(sent);
    });
    under.add(sent);
  }
  await done;
  const seconds = (performance.now() - began) / 1_000;
  await Promise.all(under);
  waits.sort((one, two) => one - two);
  const at = (part) =>
    waits[Math.min(waits.length - 1, Math.floor(waits.length * part))].toFixed(1);
  console.log(
    `${name}: ${count} in ${seconds.toFixed(1)} s (${Math.round(count / seconds)}/s); ` +
      `202 of another user: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms, ` +
      `${waits.length} of them; ${memory()}`,
  );
}

let fillMs = 0;

async function filled(facts = {}) {
  const before = performance.now();
  await inWorker('fill', { count, ...facts });
  fillMs = performance.now() - before;
  const stored = await storedNow();
  if (stored !== count) throw new Error(`${stored} are stored`);
}

try {
  await measure('idle', () => setTimeout(Math.min(5_000, count)));
  if (wanted.has('fill')) await measure('fill', () => filled());
  else if (wanted.has('push')) await filled();
  if (wanted.has('push')) {
    await measure('push', async () => {
      await inWorker('push', { count });
      await untilEmpty();
    });
    await inWorker('leave');
  }
  if (wanted.has('retrieve') || wanted.has('delete')) {
    if ((await storedNow()) === 0) await filled();
    if (wanted.has('retrieve')) await measure('retrieve', () => inWorker('retrieve'));
    await measure('delete', async () => {
      await administer('DELETE', '/messages?all=true');
      await untilEmpty();
    });
  }
  if (wanted.has('expire')) {
    // Time to store them all before: half as much again as it has taken, or a guess.
    const until = Date.now() + 3_000 + (fillMs > 0 ? 1.5 * fillMs : count);
    await filled({ until });
    await setTimeout(Math.max(0, until - Date.now() - 200));
    await measure('expire', untilEmpty);
  }
} finally {
  await other.stop();
  await worker.terminate();
  server.child.kill('SIGTERM');
  await once(server.child, 'exit');
  rmSync(base, { recursive: true, force: true });
}
