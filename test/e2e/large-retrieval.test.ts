/** Large messages leave over real sockets in the forms of D-48, streamed, equal by hash. */

import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DeliveredMessage } from '../../src/client/im-client.js';
import type { HeaderField } from '../../src/wire/sip/message.js';
import { parseCpim } from '../../src/wire/cpim.js';
import { parseMultipart, partHeader } from '../../src/wire/multipart.js';
import { parseSipfrag } from '../../src/wire/sip/sipfrag.js';
import { generated, LargePeer, largeMessageTag, sha256Of } from './large-peer.js';
import type { ReceivedMessage } from './large-peer.js';
import { startWorld, type World } from './world.js';

let world: World;
let nia: LargePeer;
let tomas: LargePeer;

beforeEach(async () => {
  world = await startWorld();
  const { port } = world.server.sip.find(({ transport }) => transport === 'tcp')!;
  nia = await LargePeer.open('nia', { sipPort: port });
  tomas = await LargePeer.open('tomas', { sipPort: port });
});

afterEach(async () => {
  await nia.close();
  await tomas.close();
  await world.end();
});

const type = 'application/octet-stream';

async function bring(
  size: number,
  { headers = [], messageId = 'm4Pq77sA', contentType = type, seed = 1 }: Bringing = {},
): Promise<void> {
  const dialog = await nia.inviteToSend('tomas', [largeMessageTag, ...headers]);
  await nia.next('connected');
  nia.send(dialog.owner, messageId, generated(size, seed), contentType);
  expect(await nia.next('sent')).toMatchObject({ status: 200 });
  await nia.next('reported');
  expect(await dialog.bye()).toBe(200);
}

interface Bringing {
  readonly headers?: readonly HeaderField[];
  readonly messageId?: string;
  readonly contentType?: string;
  readonly seed?: number;
}

async function fetch(acceptTypes: string): Promise<ReceivedMessage> {
  const dialog = await tomas.inviteToRetrieve(acceptTypes);
  expect(dialog.response.status).toBe(200);
  await tomas.next('connected');
  const received = await tomas.next('received');
  await tomas.answer('BYE');
  return received;
}

describe('in many chunks', () => {
  test.each([2_097_152, 5_000_001])(
    'IMSpec-DMT-S-012: %i octets leave equal by hash',
    async (size) => {
      await bring(size);
      const { incoming, size: got, sha256 } = await fetch(type);
      expect(incoming.contentType).toBe(type);
      expect(got).toBe(size);
      expect(sha256).toBe(await sha256Of(generated(size)));
      const [, disposition] = incoming.headers.find(([name]) => name === 'Content-Disposition')!;
      expect(disposition).toMatch(
        /^render;creation-date="\w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000"$/,
      );
    },
  );

  test('IMSpec-DMT-S-012: a message in pager mode that is larger than what is read at once, too', async () => {
    const body = Buffer.alloc(900_000, 'So be it. ');
    const headers = [['Content-Type', type]] as const;
    expect((await nia.ask('MESSAGE', tomas.uri, headers, body)).status).toBe(202);
    const wrapped = await fetch('message/cpim');
    const cpimHead = wrapped.size - body.length;
    expect(parseCpim(wrapped.head).contentType).toBe(type);
    expect(wrapped.head.subarray(cpimHead, cpimHead + 10).toString()).toBe('So be it. ');
    const fragment = await fetch('message/sipfrag');
    expect(parseSipfrag(fragment.head).header('Content-Length')).toBe('900000');
    expect(fragment.tail.subarray(-10).toString()).toBe('So be it. ');
  });
});

test('IMSpec-DMT-S-012, D-05: after a cut it is sent again, whole, with the same Message-ID', async () => {
  const size = 3_000_000;
  await bring(size);
  tomas.breakAt = 1_000_000;
  const dialog = await tomas.inviteToRetrieve(type);
  expect(dialog.response.status).toBe(200);
  await tomas.next('connected');
  await tomas.next('lost');
  await tomas.answer('BYE');
  const { incoming, sha256 } = await fetch(type);
  expect(sha256).toBe(await sha256Of(generated(size)));
  const ids = tomas.begun.map(({ messageId }) => messageId);
  expect(ids).toHaveLength(2);
  expect(new Set(ids)).toEqual(new Set([incoming.messageId]));
  expect(incoming.messageId).not.toBe('m4Pq77sA');
});

describe('the forms of D-48', () => {
  const headers: readonly HeaderField[] = [
    ['Subject', 'Floor plan'],
    ['Date', 'Fri, 20 Nov 2026 09:05:00 GMT'],
  ];

  test('S2-ENCAP-MSRP: message/msrp is one SEND with the Message-ID and the paths of the sender', async () => {
    const size = 400_000;
    await bring(size, { headers });
    const { incoming, head, tail, size: got } = await fetch('message/msrp');
    expect(incoming.contentType).toBe('message/msrp');
    const text = head.toString('latin1');
    const [start, ...fields] = text.slice(0, text.indexOf('\r\n\r\n')).split('\r\n');
    const id = /^MSRP (\S+) SEND$/.exec(start!)![1]!;
    expect(fields[0]).toMatch(/^To-Path: msrp:\/\/127\.0\.0\.1:\d+\/\w+;tcp$/);
    expect(fields[1]).toMatch(/^From-Path: msrp:\/\/127\.0\.0\.1:\d+\/\w+;tcp$/);
    expect(fields).toContain('Message-ID: m4Pq77sA');
    expect(fields).toContain('Success-Report: yes');
    expect(fields).toContain(`Byte-Range: 1-${size}/${size}`);
    expect(fields.at(-1)).toBe(`Content-Type: ${type}`);
    const bodyStart = text.indexOf('\r\n\r\n') + 4;
    const end = `\r\n-------${id}$\r\n`;
    expect(tail.subarray(-end.length).toString()).toBe(end);
    expect(got).toBe(bodyStart + size + end.length);
    expect(head.subarray(bodyStart)).toEqual(generated(size).read(0, head.length - bodyStart));
  });

  test('S2-ENCAP-MSRP: multipart/mixed has what the INVITE says of the sender, then that SEND', async () => {
    const size = 5_000;
    await bring(size, { headers });
    const { incoming, body } = await fetch('multipart/mixed message/sipfrag message/msrp');
    const parts = parseMultipart(body, incoming.contentType!);
    expect(parts.map((part) => partHeader(part, 'Content-Type'))).toEqual([
      'message/sipfrag;version=2.0',
      'message/msrp',
    ]);
    const fragment = parseSipfrag(parts[0]!.body);
    expect(fragment.header('From')).toBe('<sip:nia@example.org>;tag=nia');
    expect(fragment.header('To')).toBe('<sip:tomas@example.org>');
    expect(fragment.header('Call-ID')).toMatch(/^call-nia-1@/);
    expect(fragment.header('P-Asserted-Identity')).toBe('<sip:nia@example.org>');
    expect(fragment.header('Subject')).toBe('Floor plan');
    expect(fragment.header('Date')).toBe('Fri, 20 Nov 2026 09:05:00 GMT');
    expect(fragment.header('Content-Type')).toBeUndefined();
    expect(fragment.header('Via')).toBeUndefined();
    const send = parts[1]!.body;
    const bodyStart = send.indexOf('\r\n\r\n') + 4;
    const content = send.subarray(bodyStart, bodyStart + size);
    const digest = createHash('sha256').update(content).digest('hex');
    expect(digest).toBe(await sha256Of(generated(size)));
  });

  test('PAI-03: Privacy: id keeps the asserted identity of the sender back', async () => {
    await bring(5_000, { headers: [['Privacy', 'id']] });
    const { incoming, body } = await fetch('multipart/mixed message/sipfrag message/msrp');
    const [fragment] = parseMultipart(body, incoming.contentType!);
    expect(parseSipfrag(fragment!.body).header('P-Asserted-Identity')).toBeUndefined();
  });

  test('D-48: message/cpim wraps what is none, for clients that take nothing else', async () => {
    const size = 100_000;
    await bring(size, { headers });
    const { incoming, head, size: got } = await fetch('message/cpim');
    expect(incoming.contentType).toBe('message/cpim');
    const cpim = parseCpim(head);
    expect(Object.fromEntries(cpim.headers)).toEqual({
      From: '<sip:nia@example.org>',
      To: '<sip:tomas@example.org>',
      DateTime: '2026-11-20T09:05:00Z',
    });
    expect(cpim.contentType).toBe(type);
    expect(got - size).toBe(head.length - cpim.body.length);
  });
});

test('IMSpec-DMT-S-004: at REGISTER large messages are pushed in their order, and go', async () => {
  await bring(150_000, { messageId: 'first1', seed: 1 });
  await bring(70_000, { messageId: 'second1', seed: 2 });
  const client = await world.client('tomas', { acceptTypes: [type] });
  const deliveries = client.deliveries();
  await client.register();
  for (const [size, seed] of [
    [150_000, 1],
    [70_000, 2],
  ] as const) {
    const { payload } = (await deliveries.next()).value as DeliveredMessage;
    expect(payload.equals(generated(size, seed).read(0, size) as Buffer)).toBe(true);
  }
  for await (const { waiting } of client.watch()) if (!waiting) break;
  const { accounts } = world.server;
  expect(await accounts.histories('tomas@example.org', { limit: 10 })).toEqual([]);
});

test('U8: what is taken in while the user is registered is pushed without a new REGISTER', async () => {
  const client = await world.client('tomas', { acceptTypes: [type] });
  const deliveries = client.deliveries();
  await client.register();
  await bring(90_000);
  const { payload } = (await deliveries.next()).value as DeliveredMessage;
  expect(payload.equals(generated(90_000).read(0, 90_000) as Buffer)).toBe(true);
});
