/** A connection that the server closes in the middle of a push, as a capture shows it. */

import { beforeAll, expect, test } from 'vitest';
import { readCapture } from '../../../src/verify/capture/read.js';
import type { Capture, Closing, Observed } from '../../../src/verify/capture/observed.js';
import { checkTrace } from '../../../src/verify/check/check.js';
import { bye, chunk, find } from './mutate.js';
import { plays } from './plays.js';
import { recorded } from './recorded.js';
import { ackFlag, finFlag, pcapOf, rstFlag, segment } from '../capture/scene.js';

let trace: readonly Observed[];

beforeAll(async () => {
  trace = await recorded(plays['push']!.play);
});

/** What was seen until the answer to a SEND; and that one end has closed the connection there. */
function broken(closer: 'server' | 'client', how: Closing['how'], place = 2): Closing[] {
  const { number, at, ...send } = find(trace, chunk, place);
  const ways = closer === 'server' ? send : { source: send.target, target: send.source };
  return [{ number, at, source: ways.source, target: ways.target, how }];
}

function judged(closings: readonly Closing[], more: readonly Observed[] = []) {
  const until = closings[0]!.number;
  const messages = [...trace.filter(({ number }) => number <= until), ...more];
  return checkTrace({ messages, remarks: [], closings }).violations;
}

test.each(['FIN', 'RST'] as const)('D-73: %s of the server before a SEND is answered', (how) => {
  const [violation, ...others] = judged(broken('server', how));
  expect([violation?.clause.id, violation?.number]).toEqual(['D-73', find(trace, chunk, 2).number]);
  expect(others).toEqual([]);
});

test('D-73: the client may close it, and the server after it, or after BYE', () => {
  expect(judged(broken('client', 'RST'))).toEqual([]);
  expect(judged([...broken('client', 'FIN'), ...broken('server', 'FIN')])).toEqual([]);
  const { number, at } = find(trace, bye);
  const [late] = broken('server', 'FIN');
  const closings = [{ ...late!, number, at }];
  expect(checkTrace({ messages: trace, remarks: [], closings }).violations).toEqual([]);
});

test('captures tell which end has closed a connection, and how; of HTTP they do not', () => {
  const closingsOf = (bytes: Buffer, flags: number): Capture['closings'] => {
    const last = segment(10 + bytes.length, Buffer.alloc(0), { flags: ackFlag | flags });
    return readCapture(pcapOf([segment(10, bytes), last])).closings;
  };
  const frame = find(trace, chunk).bytes;
  const ends = { source: '192.0.2.1:5060', target: '192.0.2.2:5062', number: 2 };
  expect(closingsOf(frame, finFlag)).toMatchObject([{ ...ends, how: 'FIN' }]);
  expect(closingsOf(frame, rstFlag)).toMatchObject([{ ...ends, how: 'RST' }]);
  expect(closingsOf(frame, 0)).toBeUndefined();
  expect(closingsOf(Buffer.from('GET /users/a HTTP/1.1\r\n\r\n'), finFlag)).toBeUndefined();
});
