import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contentOf, readExactly, spliced } from '../../src/actors/payload-stream.js';
import { payloadOf } from '../../src/actors/payload.js';
import { keptFields, SendHeaders } from '../../src/actors/recording-headers.js';
import type { PayloadForm } from '../../src/machines/effects.js';
import type { Content } from '../../src/ports.js';
import { formatRecordedHeaders } from '../../src/wire/recorded-headers.js';
import type { HeaderField } from '../../src/wire/sip/message.js';
import { large, noon } from '../machines/facts.js';

/** The short large message of STANDARDS 5.5. */
const body = Buffer.from('Door 4 opens inward; plan attached tomorrow.');
const send: readonly HeaderField[] = [
  ['To-Path', 'msrp://192.0.2.20:2855/k3Zp9vQw1nH;tcp'],
  ['From-Path', 'msrp://192.0.2.10:7394/w3LmT0a9;tcp'],
  ['Message-ID', 'm4Pq90tB'],
  ['Success-Report', 'yes'],
  ['Byte-Range', '1-44/44'],
  ['Content-Type', 'text/plain;charset=utf-8'],
];
const invite: readonly HeaderField[] = [
  ['From', '<sip:nia@example.com>;tag=n1b'],
  ['To', '<sip:tomas@example.net>'],
  ['Call-ID', 'c5d20@ua.example.com'],
  ['P-Asserted-Identity', '<sip:nia@example.com>'],
  ['Date', 'Fri, 20 Nov 2026 09:05:00 GMT'],
  ['Subject', 'Floor plan'],
  ['Content-Type', 'application/sdp'],
  ['Authorization', 'Digest secret'],
];

async function payload(form: PayloadForm, sends = [send], chunks = 1): Promise<string> {
  const headers = formatRecordedHeaders({
    ...{ invite, answer: [], sends, chunks, token: 'drawnToken' },
    ...(chunks === 1 && { transactionId: 'i7Kd02ppQ9' }),
  });
  const content = contentOf(Buffer.concat([body, headers]));
  const message = { ...large, size: body.length, contentType: 'text/plain;charset=utf-8' };
  const wish = { form, receivedAt: noon, privacy: true, untrusted: false };
  const made = await payloadOf(content, message, wish, 1024);
  return (await readExactly(made!.content, 0, made!.content.size)).toString('latin1');
}

describe('S2-ENCAP-MSRP, FRAG-03', () => {
  test('one SEND leaves octet by octet as it came: 291 octets in the example of 5.5', async () => {
    const text = await payload('message/msrp');
    expect(text).toHaveLength(291);
    expect(text.startsWith('MSRP i7Kd02ppQ9 SEND\r\nTo-Path: ')).toBe(true);
    expect(text.endsWith(`\r\n\r\n${body.toString()}\r\n-------i7Kd02ppQ9$\r\n`)).toBe(true);
  });

  test('several SENDs are one, which ends with a token their sender did not know', async () => {
    const text = await payload('message/msrp', [send], 3);
    expect(text.startsWith('MSRP drawnToken SEND\r\n')).toBe(true);
    expect(text).toContain('\r\nByte-Range: 1-44/44\r\n');
    expect(text.endsWith('\r\n-------drawnToken$\r\n')).toBe(true);
  });

  test('D-48: multipart/mixed shows neither credentials nor the offer', async () => {
    const text = await payload('multipart/mixed');
    expect(text).not.toContain('Digest');
    expect(text).not.toContain('application/sdp');
    expect(text.match(/^--drawnToken(?:--)?\r$/gm)).toHaveLength(3);
  });

  test('a message without its header sets has no such form', async () => {
    const message = { ...large, size: body.length };
    const wish = {
      form: 'message/msrp' as const,
      receivedAt: noon,
      privacy: true,
      untrusted: false,
    };
    await expect(payloadOf(contentOf(body), message, wish, 1024)).rejects.toMatchObject({
      code: 'RECORDED_HEADERS',
    });
  });
});

describe('D-14: what is kept of header fields', () => {
  test('no credentials, and those that S1 names before all others', () => {
    expect(keptFields(invite, 10_000).map(([name]) => name)).not.toContain('Authorization');
    const many: HeaderField[] = [['X-Long', 'x'.repeat(500)], ...invite];
    expect(keptFields(many, 300).map(([name]) => name)).toEqual([
      ...['From', 'To', 'Call-ID', 'P-Asserted-Identity', 'Date', 'Subject', 'Content-Type'],
    ]);
  });

  test('SENDs that differ in their Byte-Range alone are one set', () => {
    const sends = new SendHeaders(10_000);
    for (let n = 1; n <= 1000; n++) {
      const headers = send.map(([name, value]): HeaderField =>
        name === 'Byte-Range' ? [name, `${n}-*/5000`] : [name, value],
      );
      sends.add({ transactionId: `t${n}`, headers });
    }
    expect(sends.sets()).toMatchObject({ chunks: 1000, sends: [expect.anything()] });
    expect(sends.sets().transactionId).toBeUndefined();
  });

  test('sets that all differ are bounded in number and octets', () => {
    const sends = new SendHeaders(10_000);
    for (let n = 0; n < 100; n++) sends.add({ transactionId: 't', headers: [['X', `${n}`]] });
    expect(sends.sets().sends).toHaveLength(8);
    const long = new SendHeaders(1000);
    for (let n = 0; n < 8; n++) {
      long.add({ transactionId: 't', headers: [['X', `${n}`.repeat(400)]] });
    }
    expect(long.sets().sends).toHaveLength(2);
  });
});

test('spliced octets are those of the parts, wherever they are read', async () => {
  const part = fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    fc
      .tuple(fc.uint8Array({ maxLength: 60 }), fc.nat(20), fc.nat(20))
      .map(([bytes, before, after]) => ({ bytes: Buffer.from(bytes), before, after })),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(part), fc.nat(200), fc.nat(200), async (parts, offset, length) => {
      const whole = Buffer.concat(parts.map((one) => (Buffer.isBuffer(one) ? one : one.bytes)));
      // Large enough not to be joined in memory.
      const padding = Buffer.alloc(70_000);
      const stream = await spliced([
        ...parts.map((one) => (Buffer.isBuffer(one) ? one : sliceOf(one))),
        padding,
      ]);
      expect(stream.size).toBe(whole.length + padding.length);
      const read = await stream.read(offset, length);
      const expected = Buffer.concat([whole, padding]).subarray(offset, offset + length);
      expect(read.equals(expected)).toBe(true);
    }),
  );
});

test('STORE_CONTENT_SHORT: a content that ends too early is no content', async () => {
  const content: Content = { size: 10, read: () => Buffer.alloc(0) };
  await expect(readExactly(content, 0, 10)).rejects.toMatchObject({ code: 'STORE_CONTENT_SHORT' });
});

/** A slice in the middle of a content that is read a few octets at a time. */
function sliceOf({ bytes, before, after }: { bytes: Buffer; before: number; after: number }) {
  const all = Buffer.concat([Buffer.alloc(before, 1), bytes, Buffer.alloc(after, 2)]);
  const content: Content = {
    size: all.length,
    read: (offset, length) => all.subarray(offset, offset + Math.min(length, 7)),
  };
  return { content, offset: before, size: bytes.length };
}
