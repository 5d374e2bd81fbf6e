/** U26: a mailbox stream however it is cut into pieces, damaged, altered or cut off. */

import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { MailboxStreamReader, MailboxStreamWriter } from '../../src/wire/mailbox-stream/frame.js';
import type { MailboxFrame } from '../../src/wire/mailbox-stream/frame.js';
import type { AccountRecord, MessageRecord } from '../../src/wire/mailbox-stream/record.js';

const account: AccountRecord = {
  account: 'bob@example.org',
  exportedAt: 1_795_000_000_000,
  settings: { offlineDelivery: false },
  paused: true,
  provisioned: {
    identities: ['+12025550147'],
    disabled: false,
    limits: { messages: 5, push: true },
  },
};

const message: MessageRecord = {
  serial: 7,
  receivedAt: 1_795_000_000_000,
  expiresAt: 1_795_600_000_000,
  read: true,
  content: 5,
  bye: [['Reason', 'SIP;cause=200']],
  message: {
    class: 'Pager-Message',
    size: 5,
    urgent: false,
    from: 'sip:alice@example.org',
    to: 'sip:bob@example.org',
    callId: 'a',
    digest: 'd',
    subject: 'Grüße',
    transient: false,
    imdn: {
      id: 'i',
      dateTime: 't',
      from: 'a',
      to: 'b',
      negativeDelivery: true,
      processing: false,
    },
  },
};

const octets = Buffer.from([0, 255, 10, 13, 65]);

function written(): Buffer[] {
  const writer = new MailboxStreamWriter(crc32);
  return [
    writer.begin(),
    writer.account(account),
    writer.message(message),
    writer.data(octets.subarray(0, 2)),
    writer.data(octets.subarray(2)),
    writer.message({ ...message, content: 0 }),
    writer.end(),
  ];
}

const whole = Buffer.concat(written());

function read(...pieces: readonly Buffer[]): MailboxFrame[] {
  const reader = new MailboxStreamReader(crc32);
  const frames = pieces.flatMap((piece) => [...reader.feed(piece)]);
  reader.finish();
  return frames;
}

function codeOf(...pieces: readonly Buffer[]): string {
  try {
    read(...pieces);
    return 'none';
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
}

/** The checksums of frames that were altered on purpose are made right again. */
function forged(make: (writer: MailboxStreamWriter) => readonly Buffer[]): Buffer {
  const writer = new MailboxStreamWriter(crc32);
  return Buffer.concat([writer.begin(), ...make(writer)]);
}

test('U26: what is written is read, whole and split at each octet', () => {
  const frames = read(whole);
  expect(frames.map(({ kind }) => kind)).toEqual([
    ...['account', 'message', 'data', 'data', 'message', 'end'],
  ]);
  expect(frames[0]).toEqual({ kind: 'account', record: account });
  expect(frames[1]).toEqual({ kind: 'message', record: message });
  const data = frames.flatMap((frame) => (frame.kind === 'data' ? [frame.octets] : []));
  expect(Buffer.concat(data).equals(octets)).toBe(true);
  for (let at = 0; at <= whole.length; at++) {
    expect(read(whole.subarray(0, at), whole.subarray(at))).toEqual(frames);
  }
  expect(read(...[...whole].map((octet) => Buffer.from([octet])))).toEqual(frames);
});

describe('U26: what is not whole is refused', () => {
  test('cut off at each octet', () => {
    for (let at = 0; at < whole.length; at++) {
      expect([at, codeOf(whole.subarray(0, at))]).toEqual([at, 'MAILBOX_TRUNCATED']);
    }
  });

  test('with any octet altered', () => {
    for (let at = 0; at < whole.length; at++) {
      const altered = Buffer.from(whole);
      altered[at]! ^= 0x21;
      expect([at, codeOf(altered)]).toEqual([at, expect.stringMatching(/^MAILBOX_/)]);
    }
  });

  test('with a frame left out, repeated, or in another place', () => {
    const frames = written();
    for (let at = 1; at < frames.length - 1; at++) {
      const without = frames.filter((_, index) => index !== at);
      expect(codeOf(Buffer.concat(without))).toBe('MAILBOX_DAMAGED');
      const twice = [...frames.slice(0, at), frames[at]!, ...frames.slice(at)];
      expect(codeOf(Buffer.concat(twice))).toBe('MAILBOX_DAMAGED');
      const swapped = [...frames];
      [swapped[at], swapped[at + 1]] = [swapped[at + 1]!, swapped[at]!];
      expect(codeOf(Buffer.concat(swapped))).toBe('MAILBOX_DAMAGED');
    }
  });

  test('with anything behind the end', () => {
    expect(codeOf(whole, Buffer.from([0]))).toBe('MAILBOX_DAMAGED');
    expect(codeOf(Buffer.concat([whole, whole]))).toBe('MAILBOX_DAMAGED');
  });
});

test('U26: another format and another version are told apart', () => {
  expect(codeOf(Buffer.from('poste-restante backup 1\n....'))).toBe('MAILBOX_FORMAT');
  expect(codeOf(Buffer.from('poste-restante mailbox 2\n'))).toBe('MAILBOX_VERSION');
  expect(codeOf(Buffer.alloc(0))).toBe('MAILBOX_TRUNCATED');
});

describe('U26: records that would be half understood are refused', () => {
  const bad = (over: object): Buffer =>
    forged((writer) => [
      writer.account(account),
      writer.message({ ...message, ...over }),
      writer.end(),
    ]);

  test.each([
    ['a field of another version', { colour: 'red' }],
    ['a field that is missing', { receivedAt: undefined }],
    ['a number that is none', { receivedAt: '1' }],
    ['a negative length', { content: -1 }],
    ['a class that is none', { message: { ...message.message, class: 'Voice-Message' } }],
    ['a prototype', { message: JSON.parse('{"__proto__":{"size":1}}') as object }],
    ['a header field that is none', { bye: [['Reason']] }],
    ['no message', { message: null }],
  ])('%s', (_name, over) => expect(codeOf(bad(over))).toBe('MAILBOX_RECORD'));

  test('a message of no account, and one without its octets', () => {
    expect(codeOf(forged((writer) => [writer.message(message)]))).toBe('MAILBOX_DAMAGED');
    const short = (writer: MailboxStreamWriter) => [
      writer.account(account),
      writer.message(message),
      writer.data(octets.subarray(1)),
      writer.end(),
    ];
    expect(codeOf(forged(short))).toBe('MAILBOX_DAMAGED');
    const long = (writer: MailboxStreamWriter) => [
      writer.account(account),
      writer.message(message),
      writer.data(Buffer.alloc(6)),
    ];
    expect(codeOf(forged(long))).toBe('MAILBOX_DAMAGED');
  });

  test('a frame that claims more than any frame has', () => {
    const claim = Buffer.from([0x4d, 0xff, 0xff, 0xff, 0xff]);
    expect(codeOf(Buffer.concat([whole.subarray(0, 25), claim]))).toBe('MAILBOX_DAMAGED');
  });
});
