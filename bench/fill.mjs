/**
 * Fills a store that no server has open, as traffic would: the actors of the server take requests
 * of the load generator's form and commit to its store; only sockets and transactions are left
 * out, and the fsync of each group. Mailbox after mailbox, so that each is loaded once.
 *
 *     node bench/fill.mjs --directory store --users 100000 --messages 1000000
 */

import console from 'node:console';
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { createActors } from '../dist/actors/node.js';
import { settingsOf } from '../dist/config.js';
import { actorsOptions } from '../dist/server/actors.js';
import { createLog } from '../dist/server/log.js';
import { openStore } from '../dist/server/open-store.js';
import { systemClock, systemRandom } from '../dist/system.js';
import { version } from '../dist/version.js';
import { parseSip } from '../dist/wire/sip/parse.js';

/** Requests without an answer: as many as one group commit is to have. */
const outstanding = 1_024;
/** Of one mailbox; its queue takes no more. */
const perMailbox = 128;

/**
 * So many messages from the number `first` on: message `n` is for user `n % users`, as with the load
 * generator, and was received `ago` ms before it comes. `settings` are those of the server that is
 * to serve them. Resolves with how many there were, and the seconds.
 */
export async function fill({
  directory,
  users,
  messages,
  first = 0,
  body = 200,
  prefix = 'u',
  domain = 'example.test',
  run = 'f1110000',
  port = 5070,
  ago = 0,
  durability = 'os',
  settings: given = {},
}) {
  const settings = settingsOf({ ...given, store: { ...given.store, directory, durability } });
  const clock = { now: () => systemClock.now() - ago, after: systemClock.after };
  const world = { log: createLog('warn'), clock };
  const store = await openStore(settings, world);
  const options = actorsOptions(settings);
  const taken = new Answers();
  const actors = createActors({
    ...{ store, sip: taken.sip, msrp: silentMsrp, random: systemRandom, version, ...world },
    ...options,
    // Nobody waits for these answers.
    admission: { ...options.admission, latencyMs: 3_600_000, requests: 10 * outstanding },
    bounds: { ...options.bounds, surveyMs: 0 },
  });
  await actors.start();
  const began = performance.now();
  const form = { run, prefix, domain, body, port };
  const peer = { transport: 'udp', address: '127.0.0.1', port };
  const end = first + messages;
  for (let user = 0; user < users; user++) {
    let next = Math.ceil((first - user) / users) * users + user;
    for (let i = 1; next < end; next += users, i++) {
      if (taken.underWay >= outstanding || i % perMailbox === 0) await taken.room();
      const request = parseSip(messageOf(form, next, user));
      actors.sipHandler.request({ request, transaction: taken.next(), peer });
    }
  }
  await taken.all();
  const seconds = (performance.now() - began) / 1_000;
  await actors.stop(60_000);
  await store.close();
  return { stored: taken.stored, refused: taken.refused, seconds };
}

/** What bench/loadgen/loadgen.c sends over UDP. */
export function messageOf({ run, prefix, domain, body, port }, number, user) {
  const seq = String(number).padStart(10, '0');
  const to = `sip:${prefix}${String(user).padStart(8, '0')}@${domain}`;
  const head = [
    `MESSAGE ${to} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bK${run}${seq}`,
    'Max-Forwards: 70',
    `From: "Sender" <sip:sender@${domain}>;tag=t${run}${seq}`,
    `To: <${to}>`,
    `Call-ID: ${run}-${seq}@lg.invalid`,
    'CSeq: 1 MESSAGE',
    `P-Asserted-Identity: <sip:sender@${domain}>`,
    'Accept-Contact: *;+g.oma.sip-im;require;explicit',
    'User-Agent: loadgen/1 OMA1.0',
    'Content-Type: text/plain;charset=UTF-8',
    `Content-Length: ${body}`,
  ];
  const text = `id=${run}-${seq}-${String(user).padStart(8, '0')};`;
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${text.padEnd(body, 'x')}`, 'latin1');
}

/** A SIP port that counts final answers, and wakes who waits for them. */
class Answers {
  underWay = 0;
  stored = 0;
  refused = 0;
  #number = 0;
  #wake;
  #below = 0;
  sip = {
    start: () => Promise.resolve(),
    respond: (_transaction, { status }) => this.#answered(status),
    request: () => undefined,
    bye: () => undefined,
    forget: () => undefined,
    contactUri: (user) => `sip:${user}@127.0.0.1`,
    stop: () => Promise.resolve(),
  };

  next() {
    this.underWay++;
    return String(this.#number++);
  }

  room() {
    return this.#until(outstanding / 2);
  }

  all() {
    return this.#until(0);
  }

  #until(below) {
    if (this.underWay <= below) return Promise.resolve();
    this.#below = below;
    return new Promise((resolve) => (this.#wake = resolve));
  }

  #answered(status) {
    if (status < 200) return;
    this.underWay--;
    if (status === 202) this.stored++;
    else this.refused++;
    if (this.underWay > this.#below) return;
    this.#wake?.();
    this.#wake = undefined;
  }
}

const silentMsrp = {
  start: () => Promise.resolve(),
  reserve: () => 'msrp://127.0.0.1:2855/none;tcp',
  connect: () => undefined,
  send: () => undefined,
  release: () => undefined,
  stop: () => Promise.resolve(),
};

/** Every option of the command line but the names is a number; `--settings` is a file of JSON. */
async function main() {
  const names = ['directory', 'prefix', 'domain', 'run', 'settings'];
  const numbers = ['users', 'messages', 'first', 'body', 'port', 'ago'];
  const options = Object.fromEntries(
    [...names, ...numbers].map((name) => [name, { type: 'string' }]),
  );
  const { values } = parseArgs({ options });
  for (const name of numbers) if (name in values) values[name] = Number(values[name]);
  if (values.settings) values.settings = JSON.parse(readFileSync(values.settings, 'utf8'));
  console.log(JSON.stringify(await fill(values)));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
