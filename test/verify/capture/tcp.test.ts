import { expect, test } from 'vitest';
import type { Capture } from '../../../src/verify/capture/observed.js';
import { readCapture } from '../../../src/verify/capture/read.js';
import { writePcap } from '../../../src/verify/capture/write.js';
import { ackFlag, finFlag, framesOf, msrpSend, observed, pcapOf, rstFlag } from './scene.js';
import { segment, sipMessage, synFlag, tcpMessages } from './scene.js';

test('messages over TCP are read as they were written, however long', () => {
  const messages = tcpMessages();
  const { messages: seen, remarks } = readCapture(writePcap(messages));
  expect(remarks).toEqual([]);
  const known = messages.map(({ number: _, ...message }) => message);
  expect(seen.map(({ number: _, ...message }) => message)).toEqual(known);
});

test('a message has the number and the time of the frame in which it ends', () => {
  const [one, two] = halves(sipMessage('split', 'body'));
  const capture = readCapture(
    pcapOf([
      ...opening(),
      { ...segment(1001, one), at: 10 },
      { ...segment(1001 + one.length, two), at: 20 },
    ]),
  );
  expect(capture.messages).toMatchObject([{ number: 4, at: 20, cut: false }]);
});

test('segments that come late, twice or overlapping make the same messages', () => {
  const stream = Buffer.concat([sipMessage('one', 'a'), sipMessage('two', 'b'), msrpless('three')]);
  const pieces = [0, 100, 130, 300, 500, 700].map((from, index, all) => {
    const to = all[index + 1] ?? stream.length;
    // Each reaches back into the one before it.
    const start = Math.max(0, from - 20);
    return segment(1001 + start, stream.subarray(start, to));
  });
  const shuffled = [3, 1, 0, 0, 5, 2, 4, 4, 1].map((index) => pieces[index]!);
  const { messages, remarks } = readCapture(pcapOf([...opening(), ...shuffled]));
  expect(Buffer.concat(messages.map(({ bytes }) => bytes))).toEqual(stream);
  expect(messages.map(({ number }) => number)).toEqual([8, 8, 9]);
  expect(remarks).toEqual([]);
});

test('sequence numbers pass over the end of their range', () => {
  const bytes = sipMessage('wrap', 'x'.repeat(3_000));
  const first = 2 ** 32 - 1_000;
  const frames = [
    segment(first - 1, Buffer.alloc(0), { flags: synFlag }),
    segment(first, bytes.subarray(0, 1_400)),
    segment((first + 1_400) >>> 0, bytes.subarray(1_400, 2_800)),
    segment((first + 2_800) >>> 0, bytes.subarray(2_800)),
  ];
  expect(readCapture(pcapOf(frames)).messages).toMatchObject([{ bytes, cut: false }]);
});

test('a gap is told, what it cuts is told as cut, and reading goes on at the next message', () => {
  const one = sipMessage('one', 'x'.repeat(50));
  const two = sipMessage('two', 'y'.repeat(300));
  const three = sipMessage('three', 'MESSAGE sip:a@b SIP/2.0\r\n');
  const behind = 1001 + one.length + two.length;
  const capture = readCapture(
    pcapOf([
      ...opening(),
      segment(1001, Buffer.concat([one, two.subarray(0, 350)])),
      // Its last octets are lost, and so are the first ones of the third.
      segment(behind + 30, Buffer.concat([three.subarray(30), sipMessage('four')])),
    ]),
  );
  expect(callIds(capture)).toEqual(['one', 'two cut', 'four']);
  const missing = two.length - 350 + 30;
  expect(capture.remarks).toEqual([
    `192.0.2.1:5060 > 192.0.2.2:5062: ${missing} octets before frame 4 were not captured`,
    `192.0.2.1:5060 > 192.0.2.2:5062: ${three.length - 30} octets before frame 4 are no message`,
  ]);
});

test('a gap within a body costs nothing but that body', () => {
  const one = sipMessage('one', 'x'.repeat(1_000));
  const stream = Buffer.concat([one, sipMessage('two')]);
  const capture = readCapture(
    pcapOf([
      ...opening(),
      segment(1001, stream.subarray(0, 700)),
      segment(1001 + 900, stream.subarray(900)),
    ]),
  );
  expect(callIds(capture)).toEqual(['one cut', 'two']);
});

test('what the receiver has acknowledged and nobody has seen is given up before the end', () => {
  const stream = Buffer.concat([sipMessage('lost'), sipMessage('seen')]);
  const from = sipMessage('lost').length;
  const later = Array.from({ length: 20 }, () =>
    segment(2001, Buffer.alloc(0), { isBack: true, acknowledged: 1001 + stream.length }),
  );
  const next = segment(1001 + stream.length, sipMessage('next'));
  const capture = readCapture(
    pcapOf([...opening(), segment(1001 + from, stream.subarray(from)), ...later, next]),
  );
  expect(callIds(capture)).toEqual(['seen', 'next']);
  expect(capture.messages.map(({ number }) => number)).toEqual([3, 24]);
});

test('a connection that was open before is told, and read from the first message that begins', () => {
  const body = 'SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\nrest of a fragment\r\n';
  const one = sipMessage('one', body);
  const stream = Buffer.concat([one.subarray(one.length - body.length - 9), sipMessage('two')]);
  const capture = readCapture(pcapOf([segment(5_000, stream)]));
  expect(callIds(capture)).toEqual(['two']);
  expect(capture.remarks).toEqual([
    '192.0.2.1:5060 > 192.0.2.2:5062: was open before frame 1',
    `192.0.2.1:5060 > 192.0.2.2:5062: ${body.length + 9} octets before frame 1 are no message`,
  ]);
});

test('MSRP is read from the middle of a message, whose body has SIP in it', () => {
  const sip = sipMessage('inside');
  const one = msrpSend('aaaa', sip);
  const stream = Buffer.concat([one.subarray(40), msrpSend('bbbb', sip), msrpSend('cccc')]);
  const { messages } = readCapture(pcapOf([segment(7, stream)]));
  expect(messages.map(({ protocol, cut }) => `${protocol} ${cut}`)).toEqual([
    'msrp false',
    'msrp false',
  ]);
  expect(messages[0]!.bytes).toEqual(msrpSend('bbbb', sip));
});

test('what has no end is told as cut: by RST, by FIN, by the end of the file', () => {
  const half = sipMessage('half', 'body').subarray(0, -2);
  for (const flags of [rstFlag, finFlag | ackFlag, undefined]) {
    const close = segment(1001 + half.length, Buffer.alloc(0), { flags: flags ?? ackFlag });
    const frames = [...opening(), segment(1001, half), close];
    expect(callIds(readCapture(pcapOf(frames)))).toEqual(['half cut']);
  }
  const frame = msrpSend('dddd', Buffer.alloc(3_000, 'x')).subarray(0, 1_400);
  const { messages } = readCapture(pcapOf([...opening(), segment(1001, frame)]));
  expect(messages).toMatchObject([{ protocol: 'msrp', cut: true, bytes: frame }]);
});

test('ports that are in use again belong to another connection', () => {
  const half = sipMessage('first', 'body').subarray(0, -2);
  const frames = [
    ...opening(),
    segment(1001, half),
    segment(900_000, Buffer.alloc(0), { flags: synFlag }),
    segment(900_001, sipMessage('second')),
  ];
  const capture = readCapture(pcapOf(frames));
  expect(callIds(capture)).toEqual(['first cut', 'second']);
  expect(capture.remarks).toEqual([]);
});

test('line ends between messages are no messages, and cost none', () => {
  const crlf = Buffer.from('\r\n\r\n');
  const stream = Buffer.concat([crlf, sipMessage('one'), crlf, crlf, sipMessage('two'), crlf]);
  const frames = [...stream].map((octet, at) => segment(1001 + at, Buffer.from([octet])));
  const capture = readCapture(pcapOf([...opening(), ...frames]));
  expect(callIds(capture)).toEqual(['one', 'two']);
  expect(capture.remarks).toEqual([]);
});

test('octets that no message has begun with are told, once there are messages', () => {
  const stream = Buffer.concat([sipMessage('one'), Buffer.from('junk\r\n'), sipMessage('two')]);
  const capture = readCapture(pcapOf([...opening(), segment(1001, stream)]));
  expect(callIds(capture)).toEqual(['one', 'two']);
  expect(capture.remarks).toEqual([
    '192.0.2.1:5060 > 192.0.2.2:5062: 6 octets before frame 3 are no message',
  ]);
  const other = segment(1001, Buffer.from('220 mail.example.org\r\nMAIL\r\n'));
  expect(readCapture(pcapOf([...opening(), other]))).toEqual({ messages: [], remarks: [] });
});

test('encrypted connections are told and passed over', () => {
  const hello = Buffer.from('16030100a5010000a10303aabbccdd', 'hex');
  const data = Buffer.from('1703030020' + '00'.repeat(32), 'hex');
  const frames = [
    ...opening(),
    segment(1001, hello),
    segment(2001, data, { isBack: true }),
    segment(50, data, { port: 7_000 }),
  ];
  const { messages, remarks } = readCapture(pcapOf(frames));
  expect(messages).toEqual([]);
  expect(remarks).toEqual(['encrypted connections (TLS), which cannot be read: 2, the first at 3']);
});

test('bounds: connections, octets ahead, octets of a message', () => {
  const many = Array.from({ length: 50 }, (_, index) =>
    segment(1, sipMessage(`c${index}`, 'x').subarray(0, -1), { port: 10_000 + index }),
  );
  const few = readCapture(pcapOf(many), { connections: 10 });
  expect(few.messages).toHaveLength(50);
  expect(few.remarks.at(-1)).toBe(
    'connections beyond the bound were given up: 40, the first at 11',
  );
  const ahead = Array.from({ length: 40 }, (_, index) =>
    segment(5_000 + index * 1_400, Buffer.alloc(1_400, 'x')),
  );
  const held = readCapture(pcapOf([...opening(), ...ahead]), { aheadBytes: 10_000 });
  expect(held.remarks).toEqual([]);
  const long = readCapture(writePcap(tcpMessages()), { messageBytes: 1_000 });
  expect(long.messages.map(({ cut }) => cut)).toEqual(tcpMessages().map(isLong));
  expect(Math.max(...long.messages.map(({ bytes }) => bytes.length))).toBeLessThanOrEqual(1_000);
});

test('every cut of a capture of TCP gives what was whole before it', () => {
  const file = writePcap(tcpMessages().slice(0, 3));
  const whole = readCapture(file).messages;
  for (let length = 24; length < file.length; length += 101) {
    const { messages } = readCapture(file.subarray(0, length));
    const ended = messages.filter(({ cut }) => !cut);
    expect(ended.every(({ bytes }, at) => bytes.equals(whole[at]!.bytes))).toBe(true);
  }
  expect(framesOf(file)).toBeGreaterThan(10);
});

function isLong({ bytes }: { readonly bytes: Buffer }): boolean {
  return bytes.length > 1_000;
}

function opening() {
  return [
    segment(1000, Buffer.alloc(0), { flags: synFlag }),
    segment(2000, Buffer.alloc(0), { flags: synFlag | ackFlag, isBack: true }),
  ];
}

function halves(bytes: Buffer): [Buffer, Buffer] {
  return [bytes.subarray(0, 100), bytes.subarray(100)];
}

function msrpless(callId: string): Buffer {
  return observed({ bytes: sipMessage(callId) }).bytes;
}

function callIds({ messages }: Capture): string[] {
  return messages.map(({ bytes, cut }) => {
    const [, callId] = /Call-ID: (\S+)/.exec(bytes.toString('latin1')) ?? [];
    return cut ? `${callId} cut` : callId!;
  });
}
