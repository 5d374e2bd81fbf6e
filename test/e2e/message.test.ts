/** MESSAGE as RFC 3428 has it, octets of requests and answers in view. */

import { expect, test } from 'vitest';
import type { HeaderField } from '../../src/wire/sip/message.js';
import { serialiseRequest } from '../../src/wire/sip/serialise.js';
import { withServer } from './sip-scene.js';
import type { SipScene } from './sip-scene.js';

const tomas = 'sip:tomas@example.org';
const text: HeaderField = ['Content-Type', 'text/plain'];

async function count({ world }: SipScene): Promise<number> {
  return (await world.server.accounts.summary('tomas@example.org')).messages;
}

test('MSG-01, MSG-02, MSG-03: the first answer is a 202 without Contact and body', () =>
  withServer(async (scene) => {
    scene.send({ method: 'MESSAGE', uri: tomas, headers: [text], body: 'hi' });
    const { message } = await scene.peer.arrivals.next(); // A 100 would be here.
    expect(message).toMatchObject({ kind: 'response', status: 202 });
    expect(message.header('Contact')).toBeUndefined();
    expect(message.body.length).toBe(0);
    expect(message.header('To')).toContain(';tag=');
    expect(await count(scene)).toBe(1);
  }));

test('MSG-04, S4-603-PM, U17, U6: over quota is 603 with a reason, counted, and visible; nothing is kept', () =>
  withServer(
    async (scene) => {
      const ask = () => scene.ask({ method: 'MESSAGE', uri: tomas, headers: [text], body: 'hi' });
      expect((await ask()).status).toBe(202);
      const declined = await ask();
      expect([declined.status, declined.reason]).toEqual([603, 'Declined']);
      expect(declined.header('Warning')).toContain('Mailbox is full');
      expect(declined.header('Reason')).toBe('SIP;cause=603;text="Mailbox is full"');
      expect(declined.header('Retry-After')).toBe('3600');
      expect(await count(scene)).toBe(1);
      expect((await scene.world.server.counted())['actors.declined']).toBe(1);
    },
    { quota: { messages: 1 } },
  ));

test('MSG-10: a stale Date refuses nothing', () =>
  withServer(async (scene) => {
    const headers: HeaderField[] = [text, ['Date', 'Fri, 01 Jan 1999 00:00:00 GMT']];
    const answer = await scene.ask({ method: 'MESSAGE', uri: tomas, headers, body: 'hi' });
    expect(answer.status).toBe(202);
  }));

test('MSG-11, D-13: what came without Date is delivered with one; credentials are masked', () =>
  withServer(async (scene) => {
    const secret = 'Digest username="nia", response="0123456789abcdef"';
    const fields: HeaderField[] = [text, ['Authorization', secret], ['X-Kept', 'as it is']];
    const sketch = { method: 'MESSAGE', uri: tomas, headers: fields, body: 'hi' };
    const before = Math.floor(Date.now() / 1000) * 1000;
    expect((await scene.ask(sketch)).status).toBe(202);
    for (const acceptTypes of [['message/sip'], ['message/sipfrag']]) {
      const client = await scene.world.client('tomas', { acceptTypes });
      const { messages } = await client.retrieve();
      const [message] = messages;
      expect(message!.fault).toBeUndefined();
      expect(message!.date!.getTime()).toBeGreaterThanOrEqual(before);
      expect(message!.date!.getTime()).toBeLessThanOrEqual(Date.now());
      expect(message!.payload.toString()).not.toContain('0123456789abcdef');
      expect(message!.body.toString()).toBe('hi');
    }
  }));

test('U4, U6: bodies of any octets, empty ones and unknown types come back as they were', () =>
  withServer(async (scene) => {
    const every = Buffer.from(Array.from({ length: 256 }, (_, octet) => octet));
    const bodies: [string, Buffer][] = [
      ['application/x-own;a="b;c"', every],
      ['text/plain;charset=utf-8', Buffer.alloc(0)],
      ['image/png', Buffer.from('\r\n\r\n--b--\r\n')],
    ];
    for (const [type, body] of bodies) {
      const headers: HeaderField[] = [['Content-Type', type]];
      expect((await scene.ask({ method: 'MESSAGE', uri: tomas, headers, body })).status).toBe(202);
    }
    const client = await scene.world.client('tomas');
    const { messages } = await client.retrieve();
    expect(messages.map(({ body }) => body.toString('hex'))).toEqual(
      bodies.map(([, body]) => body.toString('hex')),
    );
  }));

test('U16, D-23: what is worth nothing later is never stored', () =>
  withServer(async (scene) => {
    const composing = 'application/im-iscomposing+xml';
    const cpim = `From: <${tomas}>\r\nTo: <${tomas}>\r\n\r\nContent-Type: ${composing}\r\n\r\n<x/>`;
    const never: [HeaderField[], string][] = [
      [[['Content-Type', composing]], '<x/>'],
      [[['Content-Type', 'Application/IM-isComposing+XML;x=y']], '<x/>'],
      [[['Content-Type', 'message/cpim']], cpim],
      [[text, ['Expires', '0']], 'hi'],
    ];
    for (const [headers, body] of never) {
      expect((await scene.ask({ method: 'MESSAGE', uri: tomas, headers, body })).status).toBe(603);
    }
    expect(await count(scene)).toBe(0);
  }));

test('D-18: the same submission after a restart is answered 202 again and stored once', () =>
  withServer(async (scene) => {
    const { peer, world } = scene;
    const place = world.server.sip.find(({ transport }) => transport === 'udp')!;
    const send = async (branch: string, cseq: number) => {
      const headers: HeaderField[] = [
        ['Via', `SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bK${branch}`],
        ['Max-Forwards', '70'],
        ['From', '<sip:nia@example.com>;tag=same'],
        ['To', `<${tomas}>`],
        ['Call-ID', 'same@ua.example.com'],
        ['CSeq', `${cseq} MESSAGE`],
        text,
      ];
      const body = Buffer.from('hi');
      const bytes = serialiseRequest({ method: 'MESSAGE', uri: tomas, headers, body });
      peer.send({ transport: 'udp', address: '127.0.0.1', port: place.port }, bytes);
      return (await peer.nextResponse()).status;
    };
    expect(await send('a', 1)).toBe(202);
    await world.restart();
    expect(await send('b', 1)).toBe(202);
    expect(await count(scene)).toBe(1);
    expect(await send('c', 2)).toBe(202); // Another one.
    expect(await count(scene)).toBe(2);
  }));
