/**
 * CPU time of one step of the machines, a line of JSON per figure; another build's folder of machines
 * is the argument. Every round takes each step some thousand times from the same snapshot, by the
 * table and, where the build has it, by XState.
 */

import console from 'node:console';
import { resolve } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';

const folder = resolve(process.argv[2] ?? 'dist/machines');
const load = (name) => import(pathToFileURL(`${folder}/${name}.js`).href);
const { mailbox, push, virtualUa } = await load('index');
const { step, oracleStep } = await load('step');

const rounds = 7;
const times = Number(process.env.BENCH_SECONDS ?? 1.5) < 1 ? 2_000 : 20_000;
const at = Date.UTC(2026, 10, 20, 9);
const day = 86_400;
const limits = {
  expiry: { enabled: true, default: 7 * day, max: 30 * day, large: 3 * day, skewMs: day * 1000 },
  quota: { messages: 1e9, octets: 1e12 },
  register: { min: 60, default: 3600, max: 7200, contacts: 3, burstMs: 2000 },
  subscribe: { min: 60, default: 3600, max: 7200, count: 2, throttleMs: 1000, headers: 3 },
  push: { default: true, window: 2, retryMs: 1000, retryMaxMs: 60_000, after: 'delete' },
  retrieval: {
    whenPushActive: 'serve',
    recvonly: 'effective',
    after: 'keep',
    count: 2,
    waitMs: 32_000,
    emptyMs: 2000,
  },
  forward: {
    ...{ mode: 'off', devices: 'one', count: 64, waitMs: 16_000 },
    ...{ bridges: 8, ringMs: 120_000, sessionMs: 3_600_000 },
  },
  reportGraceMs: 0,
  reportOnUserDelete: 'failed',
};
const message = {
  class: 'Pager-Message',
  size: 100,
  urgent: false,
  from: 'sip:alice@example.org',
  to: 'sip:bob@example.org',
  callId: 'a@example.org',
  digest: 'd1',
  contentType: 'text/plain',
  transient: false,
};
const media = { acceptTypes: ['message/sipfrag'], acceptWrappedTypes: [] };
const session = 'push/2';
const base = { at, limits };
const received = {
  ...base,
  type: 'message.received',
  transaction: 't',
  duplicate: false,
  message,
  block: { from: 1, to: 64 },
};
const contact = { uri: 'sip:bob@192.0.2.1', expires: 3600, im: true, q: 1 };
const registered = {
  ...base,
  type: 'register.received',
  transaction: 't',
  register: { by: 'ue', callId: 'r', cseq: 1, contacts: [contact], removeAll: false, path: [] },
};
const store = { ...base, type: 'store', serial: 7, message, expiresAt: at + 1e9 };
const target = { uri: contact.uri, route: [] };
const answer = {
  path: ['msrp://client.example.org:2855/s1;tcp'],
  setup: 'passive',
  direction: 'recvonly',
  acceptTypes: ['*'],
  acceptWrappedTypes: [],
};

/** A machine, the events before, and the event that is measured. */
const cases = {
  'mailbox message.received, offline': [mailbox, [received, received], received],
  'mailbox message.received, idle to pushing': [mailbox, [registered], received],
  'ua store': [virtualUa, [], store],
  'ua invite': [virtualUa, [store], { ...base, type: 'invite', session, media }],
  'ua msrp.sent, deleted': [
    virtualUa,
    [store, { ...base, type: 'invite', session, media }],
    { ...base, type: 'msrp.sent', session, status: 200 },
  ],
  'push ua.departed, one more': [
    push,
    [
      { ...base, type: 'start', push: 2, targets: [target], serials: [1, 9] },
      { ...base, type: 'invite.answered', status: 200, answer },
      { ...base, type: 'msrp.connected' },
    ],
    { ...base, type: 'ua.departed', serial: 1 },
  ],
};

function measure(take, definition, before, event) {
  const cpu = process.cpuUsage();
  let effects = 0;
  for (let n = 0; n < times; n++) effects += take(definition, before, event).effects.length;
  const { user, system } = process.cpuUsage(cpu);
  if (effects === 0) throw new Error('the step has no effects');
  return (user + system) / times;
}

const ways = Object.entries({ step, oracleStep }).filter(([, take]) => take !== undefined);
const results = new Map();
// Rounds go through all cases, so that every call site sees every machine, as in a server.
for (let round = -2; round < rounds; round++) {
  for (const [name, [definition, events, event]] of Object.entries(cases)) {
    let snapshot;
    for (const earlier of events) snapshot = step(definition, snapshot, earlier).snapshot;
    for (const [way, take] of ways) {
      const took = measure(take, definition, snapshot, event);
      const key = `${name} (${way})`;
      // The first two rounds warm up.
      if (round >= 0) results.set(key, [...(results.get(key) ?? []), took]);
    }
  }
}
for (const [name, values] of results) {
  console.log(JSON.stringify({ name, unit: 'µs CPU', better: 'less', values }));
}
