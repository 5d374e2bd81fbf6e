/** How long a message is kept, seen by what is delivered when (S1 12.4.2.3). */

import { setImmediate as immediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../src/testing/clock.js';
import { openSipPeer, responseTo, type SipPeer } from '../../src/testing/sip-peer.js';
import type { HeaderField, SipRequest } from '../../src/wire/sip/message.js';
import { formatSipDate } from '../../src/wire/sip/date.js';
import { serialiseRequest } from '../../src/wire/sip/serialise.js';
import { startWorld, type World } from './world.js';

const limits = { expiry: { default: 500, max: 1000 } };

let clock: ManualClock;
let world: World;
let nia: SipPeer;
let serial: number;

beforeEach(async () => {
  clock = new ManualClock();
  world = await startWorld(limits, 'udp', {}, { clock });
  nia = await openSipPeer('udp');
  serial = 0;
});
afterEach(async () => {
  await nia.close();
  await world.end();
});

/** Sends bytes as they are; the status of the answer. */
async function send(headers: readonly HeaderField[], body: string): Promise<number> {
  serial++;
  const uri = 'sip:bob@example.org';
  const from = `<sip:nia@127.0.0.1:${nia.port}>`;
  const request = serialiseRequest({
    method: 'MESSAGE',
    uri,
    headers: [
      ['Via', `SIP/2.0/UDP 127.0.0.1:${nia.port};branch=z9hG4bKx${serial}`],
      ['Max-Forwards', '70'],
      ['From', `${from};tag=n${serial}`],
      ['To', `<${uri}>`],
      ['Call-ID', `x${serial}@example.com`],
      ['CSeq', '1 MESSAGE'],
      ['P-Asserted-Identity', from],
      ...headers,
    ],
    body: Buffer.from(body),
  });
  const { port } = world.server.sip.find(({ transport }) => transport === 'udp')!;
  nia.send({ transport: 'udp', address: '127.0.0.1', port }, request);
  const answer = await nia.nextResponse();
  // Of a server that waits for its disk.
  return answer.status === 100 ? (await nia.nextResponse()).status : answer.status;
}

const text: HeaderField = ['Content-Type', 'text/plain'];

function sendFor(name: string, ...headers: readonly HeaderField[]): Promise<number> {
  return send([text, ...headers], name);
}

/** Bodies of what is there after that many seconds. */
async function thereAfter(seconds: number): Promise<string[]> {
  clock.advance(seconds * 1000);
  const bob = await world.client('bob');
  const { messages } = await bob.retrieve();
  await bob.stop();
  return messages.map(({ body }) => body.toString());
}

test('S1-EXP-KEEP, -EQUAL, -ABOVE, -ABSENT, D-20, D-21, D-22, D-24, D-27, U12: to the second', async () => {
  const ago = (seconds: number): HeaderField => [
    'Date',
    formatSipDate(clock.now() - seconds * 1000),
  ];
  const all: readonly (readonly [number, string, ...HeaderField[]])[] = [
    [200, 'dated', ['Expires', '300'], ago(100)],
    [300, 'below', ['Expires', '300']],
    [300, 'dated in another age', ['Expires', '300'], ago(200_000)],
    [500, 'absent'],
    [500, 'above', ['Expires', '1001']],
    [500, 'malformed', ['Expires', 'soon']],
    [1000, 'equal', ['Expires', '1000']],
  ];
  for (const [, name, ...headers] of all) expect(await sendFor(name, ...headers), name).toBe(202);
  const expected = (at: number): string[] =>
    all.filter(([until]) => until > at).map(([, name]) => name);
  expect(await thereAfter(199)).toEqual(expected(199));
  expect(await thereAfter(1)).toEqual(expected(200));
  expect(await thereAfter(99)).toEqual(expected(299));
  expect(await thereAfter(1)).toEqual(expected(300));
  expect(await thereAfter(199)).toEqual(expected(499));
  expect(await thereAfter(1)).toEqual(expected(500));
  expect(await thereAfter(499)).toEqual(['equal']);
  expect(await sendFor('last')).toBe(202);
  expect(await thereAfter(1)).toEqual(['last']);
});

test('S1-EXP-ZERO, D-23, S4-603-PM: what has expired on arrival is declined and reported by nobody', async () => {
  expect(await send([...reported, ['Expires', '0']], cpim())).toBe(603);
  const past: HeaderField = ['Date', formatSipDate(clock.now() - 120_000)];
  expect(await send([...reported, ['Expires', '60'], past], cpim())).toBe(603);
  expect(await sendFor('kept')).toBe(202);
  expect(await thereAfter(100)).toEqual(['kept']);
  expect(nia.arrivals.length).toBe(0);
});

test('S1-DEL-EXPIRY, S1-DEL-ORDER, D-29, D-30: storage, then the report, again after a restart', async () => {
  expect(await send([...reported, ['Expires', '60']], cpim())).toBe(202);
  expect(await sendFor('kept')).toBe(202);
  clock.advance(60_000);
  const first = await nia.nextRequest();
  expect(first.method).toBe('MESSAGE');
  expect(first.body.toString()).toContain('<message-id>Qm8x2LrT0d9K</message-id>');
  expect(first.body.toString()).toContain('<delivery-notification><status><failed/></status>');
  // The report is not answered yet, the message is gone already.
  expect(await thereAfter(0)).toEqual(['kept']);
  await world.restart();
  // The account is woken by its outbox.
  // Time stands still from its leaving on, however long the socket takes: it is sent once.
  while (world.server.counters()['sent'] === 0) {
    clock.advance(1000);
    // No faster than the store answers: the other message is not to expire meanwhile.
    await world.server.accounts.exists('nobody@example.org');
    await immediate();
  }
  const again = await nia.nextRequest();
  // The same report: its id was fixed with the deletion.
  expect(idOf(again)).toBe(idOf(first));
  answer(again);
  expect(await thereAfter(0)).toEqual(['kept']);
  await world.restart();
  expect(await thereAfter(100)).toEqual(['kept']);
  // Nothing but what was sent again over UDP before the answer.
  while (nia.arrivals.length > 0) {
    expect((await nia.nextRequest()).header('Via')).toBe(again.header('Via'));
  }
});

const reported: readonly HeaderField[] = [['Content-Type', 'message/cpim']];

function cpim(): string {
  return [
    `From: <sip:nia@127.0.0.1:${nia.port}>`,
    'To: <sip:bob@example.org>',
    'DateTime: 2026-11-20T09:00:00Z',
    'NS: imdn <urn:ietf:params:imdn>',
    'imdn.Message-ID: Qm8x2LrT0d9K',
    'imdn.Disposition-Notification: negative-delivery',
    '',
    'Content-Type: text/plain',
    '',
    'The spare keys are under the blue pot.',
  ].join('\r\n');
}

function answer(request: SipRequest): void {
  const { port } = world.server.sip.find(({ transport }) => transport === 'udp')!;
  nia.send({ transport: 'udp', address: '127.0.0.1', port }, responseTo(request, 200));
}

function idOf(report: SipRequest): string {
  return /imdn\.Message-ID: (\S+)/.exec(report.body.toString())![1]!;
}
