import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DeliveredMessage } from '../../src/client/im-client.js';
import { msrpMedia, parseSdp } from '../../src/wire/sdp.js';
import { parseSip } from '../../src/wire/sip/parse.js';
import { WireLog } from './wire-log.js';
import { hostname, startWorld, type World } from './world.js';

let world: World;
let wire: WireLog;
afterEach(() => world.end());
beforeEach(() => {
  wire = new WireLog();
});

/** Stores messages for bob, registers him, and waits until the push has ended. */
async function pushed(
  texts: readonly string[],
  options: { readonly acceptTypes?: readonly string[] } = {},
): Promise<{ readonly callIds: readonly string[]; readonly messages: DeliveredMessage[] }> {
  const alice = await world.client('alice');
  const callIds: string[] = [];
  for (const text of texts) {
    const subject = `of ${text.slice(0, 20)}`;
    const { callId, status } = await alice.send('sip:bob@example.org', text, { subject });
    expect(status).toBe(202);
    callIds.push(callId);
  }
  let ended = (): void => undefined;
  const isOver = new Promise<void>((resolve) => (ended = resolve));
  const trace = {
    record: (entry: WireLog['entries'][number]) => {
      wire.record(entry);
      if (wire.responses('out', 'BYE').length > 0) ended();
    },
  };
  const messages: DeliveredMessage[] = [];
  const onDelivery = (message: DeliveredMessage): void => void messages.push(message);
  const bob = await world.client('bob', { trace, onDelivery, ...options });
  await bob.register();
  await isOver;
  return { callIds, messages };
}

test('S2-PUSH-FLOW, IMSpec-DMT-S-004, D-47, CAP-05, MSRP-11: the sequence of a push, message by message', async () => {
  world = await startWorld({ push: { window: 1 } });
  const { messages } = await pushed(['one', 'two', 'three']);
  expect(messages.map(({ body }) => body.toString())).toEqual(['one', 'two', 'three']);
  const delivery = ['< MSRP SEND', '> MSRP 200 OK', '> MSRP REPORT'];
  // Client and server reach for MSRP when the 200 is sent and received; ACK may come beside it.
  const lines = wire.lines();
  expect(lines.filter((line) => !line.includes('MSRP'))).toEqual([
    ...['> REGISTER', '< 200 REGISTER'],
    ...['< INVITE', '> 200 INVITE', '< ACK'],
    ...['< BYE', '> 200 BYE'],
  ]);
  expect(lines.filter((line) => line.includes('MSRP'))).toEqual([
    ...['> MSRP SEND', '< MSRP 200 OK'],
    ...[...delivery, ...delivery, ...delivery],
  ]);
  expect(lines.indexOf('> MSRP SEND')).toBeGreaterThan(lines.indexOf('> 200 INVITE'));
  expect(lines.indexOf('< BYE')).toBeGreaterThan(lines.lastIndexOf('> MSRP REPORT'));

  const [invite] = wire.requests('in', 'INVITE');
  expect(invite!.header('From')).toContain(`<sip:Deferred@${hostname}>`);
  expect(invite!.header('P-Asserted-Identity')).toBe(`<sip:Deferred@${hostname}>`);
  expect(invite!.header('Accept-Contact')).toBe('*;+g.oma.sip-im;require;explicit');
  const contact = invite!.header('Contact')!;
  expect(contact).toMatch(/;automata;\+g\.oma\.sip-im$/);
  expect(contact).not.toContain('isfocus');
  const offer = msrpMedia(parseSdp(invite!.body))!;
  expect(offer).toMatchObject({ direction: 'sendonly', setup: 'actpass' });
  const [answer] = wire.responses('out', 'INVITE');
  expect(msrpMedia(parseSdp(answer!.body))).toMatchObject({
    direction: 'recvonly',
    setup: 'active',
  });
  // The client binds the session with a SEND without content (MSRP-11).
  expect(wire.frames('out', 'SEND')[0]).not.toContain('Content-Type');
  const sends = wire.frames('in', 'SEND');
  for (const send of sends) {
    expect(send).toContain('Success-Report: yes');
    expect(send).toMatch(/Content-Disposition: render;creation-date="[A-Z][a-z]{2}, .* \+0000"/);
  }
  const ids = sends.map(idOf);
  expect(new Set(ids).size).toBe(3);
  expect(messages.map(({ messageId }) => messageId)).toEqual(ids);
});

test('S2-ENCAP-SIP: a push of message/sip has the whole request inside', async () => {
  world = await startWorld();
  const { callIds, messages } = await pushed(['one'], { acceptTypes: ['message/sip'] });
  expect(wire.frames('in', 'SEND')[0]).toMatch(/^Content-Type: message\/sip\r$/m);
  const inside = parseSip(messages[0]!.payload);
  expect(inside).toMatchObject({ kind: 'request', method: 'MESSAGE', uri: 'sip:bob@example.org' });
  expect(inside.header('Call-ID')).toBe(callIds[0]);
  expect(inside.header('From')).toContain('<sip:alice@example.org>');
  expect(inside.header('To')).toContain('<sip:bob@example.org>');
  expect(inside.header('P-Asserted-Identity')).toBe('<sip:alice@example.org>');
  expect(inside.header('Via')).toBeDefined();
  expect(inside.header('Date')).toBeDefined();
  expect(inside.body.toString()).toBe('one');
});

test('S2-ENCAP-SIPFRAG: a push of message/sipfrag has what concerns the recipient', async () => {
  world = await startWorld();
  const { callIds, messages } = await pushed(['one']);
  expect(wire.frames('in', 'SEND')[0]).toMatch(/^Content-Type: message\/sipfrag;version=2\.0\r$/m);
  const [head, ...content] = messages[0]!.payload.toString().split('\r\n\r\n');
  const fields = new Map(
    head!.split('\r\n').map((line) => line.split(': ', 2) as [string, string]),
  );
  expect(fields.get('Call-ID')).toBe(callIds[0]);
  expect(fields.get('From')).toContain('<sip:alice@example.org>');
  expect(fields.get('To')).toContain('<sip:bob@example.org>');
  expect(fields.get('P-Asserted-Identity')).toBe('<sip:alice@example.org>');
  expect(fields.get('CSeq')).toMatch(/^\d+ MESSAGE$/);
  expect(fields.get('Subject')).toBe('of one');
  expect(fields.get('Content-Length')).toBe('3');
  for (const hop of ['Via', 'Route', 'Max-Forwards', 'Accept-Contact']) {
    expect(fields.has(hop)).toBe(false);
  }
  expect(content.join('\r\n\r\n')).toBe('one');
});

test('MSRP-06, MSRP-08: every chunk of a message asks for the same reports, under one id', async () => {
  world = await startWorld();
  const text = 'x'.repeat(300_000);
  const { messages } = await pushed([text]);
  expect(messages[0]!.body.toString()).toBe(text);
  const sends = wire.frames('in', 'SEND');
  expect(sends.length).toBeGreaterThan(1);
  const [first] = sends.map(idOf);
  for (const send of sends) {
    expect(send).toContain('Success-Report: yes');
    expect(idOf(send)).toBe(first);
    // Interruptible: the end is open.
    expect(send).toMatch(/^Byte-Range: \d+-\*\/\d+\r$/m);
  }
});

function idOf(send: string): string {
  return /^Message-ID: (.*)\r$/m.exec(send)![1]!;
}
