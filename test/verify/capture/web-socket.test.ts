import { expect, test } from 'vitest';
import { readCapture } from '../../../src/verify/capture/read.js';
import { ackFlag, msrpAnswer, msrpSend, pcapOf } from './scene.js';
import { segment, sipMessage, synFlag, type SceneFrame } from './scene.js';

const asked = Buffer.from(
  'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
);
const answered = Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n');

test('SIP in WebSocket messages is read in both directions', () => {
  const long = sipMessage('long', 'x'.repeat(70_000));
  const withoutLength = Buffer.from(
    sipMessage('short').toString().replace('Content-Length: 0\r\n', ''),
  );
  const there = Buffer.concat([
    asked,
    frame(1, sipMessage('one', 'body'), { isMasked: true }),
    frame(9, Buffer.from('ping'), { isMasked: true }),
    frame(1, withoutLength, { isMasked: true }),
    frame(1, Buffer.from('\r\n\r\n'), { isMasked: true }),
    frame(8, Buffer.alloc(0), { isMasked: true }),
  ]);
  const back = Buffer.concat([
    answered,
    frame(1, long.subarray(0, 100), { isLast: false }),
    frame(10, Buffer.from('pong')),
    frame(0, long.subarray(100)),
    frame(1, sipMessage('two')),
  ]);
  const { messages, remarks } = readCapture(pcapOf(talk(there, back)));
  expect(remarks).toEqual([]);
  expect(new Set(messages.map(({ transport }) => transport))).toEqual(new Set(['ws']));
  expect(messages.map(({ bytes }) => bytes).sort(Buffer.compare)).toEqual(
    [...[sipMessage('one', 'body'), withoutLength, long, sipMessage('two')]].sort(Buffer.compare),
  );
});

test('MSRP in WebSocket messages is read, one message in several of them too', () => {
  const send = msrpSend('abcd', Buffer.alloc(300, 'x'));
  const parts = [send.subarray(0, 200), send.subarray(200)];
  const there = [asked, ...parts.map((part) => frame(2, part, { isMasked: true }))];
  const back = [answered, frame(2, msrpAnswer('abcd'))];
  const { messages } = readCapture(pcapOf(talk(Buffer.concat(there), Buffer.concat(back))));
  expect(messages).toMatchObject([
    { protocol: 'msrp', transport: 'ws', bytes: send },
    { protocol: 'msrp', transport: 'ws', bytes: msrpAnswer('abcd') },
  ]);
});

test('what is compressed, too long or behind a gap is told, and the other direction goes on', () => {
  const compressed = frame(1, Buffer.from('deflated'), { isCompressed: true });
  const there = Buffer.concat([asked, frame(1, sipMessage('one')), compressed]);
  const back = Buffer.concat([answered, frame(1, sipMessage('two'))]);
  const { messages, remarks } = readCapture(pcapOf(talk(there, back)));
  expect(messages).toHaveLength(2);
  expect(remarks).toEqual([
    '192.0.2.1:5060 > 192.0.2.2:5062: WebSocket messages from frame 3 are compressed; ' +
      'the rest was passed over',
  ]);
  const short = readCapture(pcapOf(talk(there, back)), { messageBytes: 100 });
  expect(short.remarks.map((line) => /are too long/.test(line))).toEqual([true, true]);
  const frames = talk(there, back).slice(0, 3);
  const gap = segment(1001 + there.length + 10, frame(1, sipMessage('three')));
  expect(readCapture(pcapOf([...frames, gap])).remarks.at(-1)).toMatch(
    /; the rest was passed over$/,
  );
});

test('HTTP that becomes no WebSocket is passed over', () => {
  const page = Buffer.from(`GET /x HTTP/1.1\r\nHost: a\r\n\r\n${sipMessage('body').toString()}`);
  const endless = Buffer.from(`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(4_000)}`);
  expect(readCapture(pcapOf(talk(page, endless)))).toEqual({ messages: [], remarks: [] });
});

interface FrameForm {
  readonly isMasked?: boolean;
  readonly isLast?: boolean;
  readonly isCompressed?: boolean;
}

function frame(opcode: number, payload: Buffer, form: FrameForm = {}): Buffer {
  const { isMasked = false, isLast = true, isCompressed = false } = form;
  const { length } = payload;
  const size = length < 126 ? length : length < 65_536 ? 126 : 127;
  const head = Buffer.from([
    (isLast ? 0x80 : 0) | (isCompressed ? 0x40 : 0) | opcode,
    (isMasked ? 0x80 : 0) | size,
  ]);
  const extended = Buffer.alloc(size === 126 ? 2 : size === 127 ? 8 : 0);
  if (size === 126) extended.writeUInt16BE(length);
  if (size === 127) extended.writeBigUInt64BE(BigInt(length));
  const mask = isMasked ? [1, 2, 3, 4] : [];
  const masked = payload.map((octet, at) => octet ^ (mask[at % 4] ?? 0));
  return Buffer.concat([head, extended, Buffer.from(mask), masked]);
}

/** A connection on which both sides say what they have to say, in short segments. */
function talk(there: Buffer, back: Buffer): SceneFrame[] {
  const frames = [
    segment(1000, Buffer.alloc(0), { flags: synFlag }),
    segment(2000, Buffer.alloc(0), { flags: synFlag | ackFlag, isBack: true }),
  ];
  for (let at = 0; at < there.length; at += 1_400) {
    frames.push(segment(1001 + at, there.subarray(at, at + 1_400)));
  }
  for (let at = 0; at < back.length; at += 1_400) {
    frames.push(segment(2001 + at, back.subarray(at, at + 1_400), { isBack: true }));
  }
  return frames;
}
