import { describe, expect, test } from 'vitest';
import { openMessage } from '../../src/client/encapsulation.js';
import { wrapCpim } from '../../src/wire/cpim.js';
import { writeMultipart } from '../../src/wire/multipart.js';
import { endLine, requestHead } from '../../src/wire/msrp/write.js';

const body = Buffer.from([0, 13, 10, 45, 45, 255, 13, 10]);
const disposition = 'render;creation-date="Fri, 20 Nov 2026 09:05:03 +0000"';

const opened = (contentType: string | undefined, payload: Buffer, headers = [disposition]) =>
  openMessage(
    {
      messageId: 'd70000001',
      contentType,
      headers: headers.map((value) => ['Content-Disposition', value] as const),
      payload,
    },
    false,
  );

const head = (start: string): Buffer =>
  Buffer.from(
    `${start}f: <sip:nia@example.com>;tag=n1a\r\nTo: "Bob" <sip:bob@example.org>\r\n` +
      'i: c5d1f@ua\r\ns: Keys\r\nc: application/octet-stream\r\n' +
      'Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\nMax-Forwards: 70\r\nCSeq: 3 MESSAGE\r\n' +
      `Content-Length: ${body.length}\r\n\r\n`,
  );

const send = Buffer.concat([
  requestHead({
    transactionId: 'i7Kd02ppQ9',
    method: 'SEND',
    toPath: ['msrp://192.0.2.20:2855/k3Zp9vQw1nH;tcp'],
    fromPath: ['msrp://192.0.2.10:7394/w3LmT0a9;tcp'],
    messageId: 'm4Pq90tB',
    byteRange: { start: 1, end: body.length, total: body.length },
    contentType: 'image/png',
  }),
  body,
  endLine('i7Kd02ppQ9', '$'),
]);

const about = {
  from: 'sip:nia@example.com',
  to: 'sip:bob@example.org',
  callId: 'c5d1f@ua',
  subject: 'Keys',
};

describe('D-48: the body leaves its encapsulation octet by octet', () => {
  test('message/sipfrag, with compact names', () => {
    const payload = Buffer.concat([head(''), body]);
    const message = opened('message/sipfrag;version=2.0', payload);
    expect(message).toMatchObject({ ...about, form: 'sipfrag' });
    expect(message.contentType).toBe('application/octet-stream');
    expect(message.receivedAt).toEqual(new Date('2026-11-20T09:05:03Z'));
    expect(message.body).toEqual(body);
    expect(message.payload).toBe(payload);
  });

  test('message/sip', () => {
    const start = 'MESSAGE sip:bob@example.org SIP/2.0\r\n';
    const message = opened('Message/SIP', Buffer.concat([head(start), body]));
    expect(message).toMatchObject({ ...about, form: 'sip' });
    expect(message.body).toEqual(body);
  });

  test('message/cpim', () => {
    const payload = wrapCpim({ from: about.from, to: about.to, contentType: 'image/png', body });
    const message = opened('message/cpim', payload);
    expect(message).toMatchObject({ form: 'cpim', from: about.from, contentType: 'image/png' });
    expect(message.body).toEqual(body);
  });

  test('FRAG-03: message/msrp', () => {
    const message = opened('message/msrp', send);
    expect(message).toMatchObject({ form: 'msrp', contentType: 'image/png' });
    expect(message.body).toEqual(body);
  });

  test('multipart/mixed of header fields and message/msrp', () => {
    const parts = [
      { headers: [['Content-Type', 'message/sipfrag'] as const], body: head('').subarray(0, -2) },
      { headers: [['Content-Type', 'message/msrp'] as const], body: send },
    ];
    const message = opened('multipart/mixed;boundary=b1', writeMultipart(parts, 'b1'));
    expect(message).toMatchObject({ ...about, form: 'mixed', contentType: 'image/png' });
    expect(message.body).toEqual(body);
  });

  test('anything else is the message itself', () => {
    expect(opened('image/png', body)).toMatchObject({ form: 'original', contentType: 'image/png' });
    expect(opened(undefined, body).body).toEqual(body);
  });
});

describe('what breaks the standard is handed over closed', () => {
  test.each([
    ['message/sip', 'neither request nor response'],
    ['message/cpim', 'no empty line'],
    ['message/msrp', 'MSRP i7Kd02ppQ9 SEND\r\n'],
    ['message/msrp', 'not MSRP at all\r\n'],
    ['multipart/mixed', 'no boundary'],
    ['a/b/c', 'no type'],
  ])('%s: %s', (type, text) => {
    const message = opened(type, Buffer.from(text));
    expect(message.form).toBe('original');
    expect(message.fault).toMatch(/^[A-Z]+_[A-Z_]+$/);
    expect(message.body.toString()).toBe(text);
  });

  test('an unreadable creation-date takes nothing but itself', () => {
    for (const value of ['render', 'render;creation-date="soon"', 'render;"', 'render;=;;=']) {
      const message = opened('text/plain', body, [value]);
      expect(message.receivedAt).toBeUndefined();
      expect(message.body).toEqual(body);
    }
  });
});
