/**
 * Many MSRP sessions at a time with a server that runs: large messages that stop half-way in all of
 * them, then go on; stored messages that are pushed in all of them, to terminals that answer none
 * until each has got one. Prints what has arrived, and the memory of the server at its fullest.
 *
 *     node bench/sessions.mjs --port 5060 --pid 4711 --sessions 1000
 */

import console from 'node:console';
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { descriptionOf, domain, Session, Terminals } from './lib/terminals.mjs';

/** Requests without an answer. */
const outstanding = 64;
/** Of silence, behind which all that comes unasked has come. */
const quietMs = 500;

export async function manySessions({
  port,
  pid,
  sessions,
  messages = 20,
  body = 4_096,
  large = 262_144,
}) {
  const all = { port, pid, sessions, messages, body, large };
  const idle = residentOf(pid);
  const taken = await taking(all);
  const pushed = await pushing(all);
  return { sessions, idle, taken, pushed, after: residentOf(pid) };
}

/** Large messages: half of each is sent, then all wait, then the other halves. */
async function taking({ port, pid, sessions, large }) {
  const terminals = new Terminals({ port });
  await terminals.open();
  const began = performance.now();
  const open = [];
  await inParallel(sessions, async (number) => {
    const user = userOf('large', number);
    const from = `sip:sender${number}@${domain}`;
    const call = { uri: user.uri, from, callId: `large${number}.${port}`, fromTag: `l${number}` };
    const answer = await terminals.ask('INVITE', {
      ...call,
      headers: [
        terminals.contact(`sender${number}`),
        'Accept-Contact: *;+g.oma.sip-im.large-message',
        'Content-Type: application/sdp',
      ],
      body: descriptionOf(number, 'sendonly'),
    });
    if (answer.status !== 200) throw new Error(`INVITE is answered ${answer.status}`);
    const [, uri] = /<([^>]+)>/.exec(answer.header('Contact'));
    const dialog = { ...call, uri, to: answer.header('To') };
    await terminals.ask('ACK', dialog);
    const session = new Session(number, remoteOf(answer.body));
    await session.bound;
    const message = session.send(Buffer.alloc(large, 67), large / 2);
    open.push({ session, dialog, message });
  });
  await setTimeout(quietMs);
  const resident = residentOf(pid);
  const finishing = open.map(({ message }) => message.finish());
  const statuses = await Promise.all(finishing);
  const seconds = (performance.now() - began) / 1_000;
  await inParallel(open.length, async (i) => {
    await terminals.ask('BYE', { ...open[i].dialog, cseq: 2 });
    open[i].session.close();
  });
  terminals.close();
  return { resident, seconds, kept: statuses.filter((status) => status === 200).length };
}

/** Stored messages: each terminal gets as many as there may be without an answer, then all. */
async function pushing({ port, pid, sessions, messages, body }) {
  const users = Array.from({ length: sessions }, (_, number) => {
    return { ...userOf('many', number), next: 0, session: undefined };
  });
  const progress = { delivered: 0, disorder: 0, begun: 0, at: 0 };
  const terminals = new Terminals(
    { port },
    {
      INVITE: (invite) => {
        const number = Number(/many(\d+)@/.exec(invite.uri)[1]);
        const user = users[number];
        user.session = new Session(number, remoteOf(invite.body), {
          isHolding: true,
          onMessage: (octets) => take(user, octets, progress),
        });
        const headers = [terminals.contact(user.name), 'Content-Type: application/sdp'];
        return { status: 200, headers, body: descriptionOf(number, 'recvonly') };
      },
      BYE: () => ({ status: 200 }),
    },
  );
  await terminals.open();
  await inParallel(sessions * messages, async (i) => {
    const { uri } = users[i % sessions];
    const text = `number=${Math.floor(i / sessions)};`.padEnd(body, 'x');
    const headers = ['Content-Type: text/plain'];
    const asked = { uri, from: `sip:sender@${domain}`, headers, body: text };
    const { status } = await terminals.ask('MESSAGE', asked);
    if (status !== 202) throw new Error(`MESSAGE is answered ${status}`);
  });
  const began = performance.now();
  await inParallel(sessions, async (number) => {
    const { uri, name } = users[number];
    const headers = [terminals.contact(name), 'Expires: 600'];
    const asked = { uri: `sip:${domain}`, from: uri, to: uri, headers };
    const { status } = await terminals.ask('REGISTER', asked);
    if (status !== 200) throw new Error(`REGISTER is answered ${status}`);
  });
  await until(() => progress.begun === sessions && performance.now() - progress.at > quietMs);
  const resident = residentOf(pid);
  const atOnce = progress.delivered;
  for (const { session } of users) session.release();
  await until(() => progress.delivered >= sessions * messages);
  const seconds = (performance.now() - began) / 1_000;
  // What comes twice comes now.
  await until(() => performance.now() - progress.at > quietMs);
  for (const { session } of users) session.close();
  terminals.close();
  const { delivered, disorder } = progress;
  return { resident, seconds, atOnce, expected: sessions * messages, delivered, disorder };
}

function take(user, octets, progress) {
  const number = Number(/number=(\d+);/.exec(octets.toString('latin1'))[1]);
  if (number !== user.next) progress.disorder++;
  if (user.next === 0) progress.begun++;
  user.next = number + 1;
  progress.delivered++;
  progress.at = performance.now();
}

function userOf(kind, number) {
  const name = `${kind}${number}`;
  return { name, uri: `sip:${name}@${domain}` };
}

function remoteOf(sdp) {
  return /a=path:(\S+)/.exec(sdp.toString('latin1'))[1];
}

async function inParallel(count, act) {
  let next = 0;
  const one = async () => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: Math.min(outstanding, count) }, one));
}

async function until(isSo, ms = 120_000) {
  const end = performance.now() + ms;
  while (!isSo()) {
    if (performance.now() > end) throw new Error('it has taken too long');
    await setTimeout(20);
  }
}

/** MiB. */
function residentOf(pid) {
  if (!pid) return 0;
  return Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1_024;
}

async function main() {
  const names = ['port', 'pid', 'sessions', 'messages', 'body', 'large'];
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' }]));
  const { values } = parseArgs({ options });
  const numbers = Object.entries(values).map(([name, value]) => [name, Number(value)]);
  console.log(JSON.stringify(await manySessions(Object.fromEntries(numbers))));
  process.exit(0);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
