/** What an endpoint does with the requests of a peer (RFC 4975 5.4, 7.2, 7.3). */

import { afterEach, beforeEach, expect, test } from 'vitest';
import type { MsrpSink } from '../../../src/ports.js';
import { ManualClock } from '../../../src/testing/clock.js';
import { patternBytes } from '../../../src/testing/msrp-recorder.js';
import { RawPeer, startEndpoint } from './raw-peer.js';
import type { Running } from './raw-peer.js';

const from = 'msrp://127.0.0.1:9/peer;tcp';
const clock = new ManualClock();
let running: Running;
let peer: RawPeer;
let to: string;

beforeEach(async () => {
  running = await startEndpoint({
    clock,
    limits: { messageBytes: 100_000, incomingMessages: 3, fragments: 4, completions: 4 },
  });
  to = running.endpoint.reserve('one');
  running.endpoint.connect('one', { path: [from], active: false });
  peer = await RawPeer.to(running.endpoint);
});

afterEach(async () => {
  peer.socket.destroy();
  await running.endpoint.stop(0);
});

interface Chunk {
  readonly id: string;
  readonly message?: string;
  readonly range?: string;
  readonly body?: string;
  readonly flag?: string;
  readonly more?: readonly string[];
  readonly to?: string;
}

function chunk(fields: Chunk): string {
  const { id, message = 'msg1', range, body, flag = '$', more = [] } = fields;
  const lines = [`MSRP ${id} SEND`, `To-Path: ${fields.to ?? to}`, `From-Path: ${from}`];
  lines.push(`Message-ID: ${message}`, ...more);
  if (range !== undefined) lines.push(`Byte-Range: ${range}`);
  if (body !== undefined) lines.push('Content-Type: text/plain', '', body);
  return `${lines.join('\r\n')}\r\n-------${id}${flag}\r\n`;
}

async function exchange(fields: Chunk): Promise<number | undefined> {
  peer.write(chunk(fields));
  return peer.status(fields.id);
}

const yes = ['Success-Report: yes'];

test('MSRP-11: a bodiless SEND binds the session and is no message', async () => {
  expect(await exchange({ id: 'tx01' })).toBe(200);
  expect(running.recorder.of('connected')).toEqual(['one']);
  expect(running.recorder.heard).toHaveLength(1);
});

test('MSRP-11: an empty body without a Content-Type is no message, an octet makes it one', async () => {
  const head = chunk({ id: 'tx01' }).split('-------')[0]!;
  peer.write(`${head}\r\n\r\n-------tx01$\r\n`);
  expect(await peer.status('tx01')).toBe(200);
  expect(running.recorder.heard).toHaveLength(1);
  peer.write(`${head.replace('tx01', 'tx02')}\r\nx\r\n-------tx02$\r\n`);
  expect(await peer.status('tx02')).toBe(200);
  expect(running.recorder.of('received')).toEqual(['one msg1']);
});

test('MSRP-25: a receiver is asked once, whatever status it answers with', async () => {
  let asked = 0;
  running.recorder.onReceive = () => {
    asked += 1;
    return 200;
  };
  const body = 'x'.repeat(90_000);
  expect(await exchange({ id: 'tx01', range: '1-*/90000', body })).toBe(200);
  expect(asked).toBe(1);
});

test('MSRP-12: an unknown session is answered 481', async () => {
  expect(await exchange({ id: 'tx01', to: `${to.replace(';tcp', '')}x;tcp` })).toBe(481);
  expect(running.recorder.heard).toEqual([]);
});

test('MSRP-12: a session bound to another connection is answered 506 and stays there', async () => {
  expect(await exchange({ id: 'tx01' })).toBe(200);
  const thief = await RawPeer.to(running.endpoint);
  thief.write(chunk({ id: 'tx02', range: '1-5/5', body: 'hello' }));
  expect(await thief.status('tx02')).toBe(506);
  expect(await exchange({ id: 'tx03', range: '1-5/5', body: 'hello' })).toBe(200);
  expect(running.recorder.of('received')).toEqual(['one msg1']);
  thief.socket.destroy();
});

test('MSRP-12: the session-id is compared with case', async () => {
  const flipped = to.replace(/\/([^/;]+);/, (_match, id: string) => `/${swapCase(id)};`);
  expect(await exchange({ id: 'tx01', to: flipped })).toBe(481);
});

test('SDP-09: the session is found by its session-id whatever the authority is', async () => {
  const other = to.replace(/\/\/[^/]+\//, '//nat.example.org:7777/');
  expect(await exchange({ id: 'tx01', to: other, range: '1-5/5', body: 'hello' })).toBe(200);
  const [answer] = peer.frames;
  expect(answer?.head.fromPath).toEqual([other]);
});

test('MSRP-20: the response echoes the transaction id and turns the paths round', async () => {
  const hops = `${from} msrp://relay.example.org:2855/r;tcp`;
  peer.write(chunk({ id: 'tx01' }).replace(from, hops));
  await peer.status('tx01');
  const { head, flag } = peer.frames[0]!;
  expect(head.toPath).toEqual([from]);
  expect(head.fromPath).toEqual([to]);
  expect(flag).toBe('$');
});

test('MSRP-20: Failure-Report partial is answered only on errors, no is never answered', async () => {
  const partial = ['Failure-Report: partial'];
  const no = ['Failure-Report: no'];
  peer.write(chunk({ id: 'tx01', message: 'mp01', range: '1-1/1', body: 'a', more: partial }));
  peer.write(chunk({ id: 'tx02', message: 'mp02', range: '5-1/9', body: 'a', more: partial }));
  peer.write(chunk({ id: 'tx03', message: 'mp03', range: '1-1/1', body: 'a', more: no }));
  peer.write(chunk({ id: 'tx04', message: 'mp04', more: no, to: to.replace(';tcp', 'x;tcp') }));
  expect(await exchange({ id: 'tx05' })).toBe(200);
  expect(peer.frames.map(({ head }) => head.transactionId)).toEqual(['tx02', 'tx05']);
  expect(running.recorder.of('received')).toEqual(['one mp01', 'one mp03']);
});

test('MSRP-21: a Success REPORT covers the message and comes even without responses', async () => {
  peer.write(chunk({ id: 'tx01', range: '1-3/6', body: 'abc', flag: '+', more: yes }));
  const more = [...yes, 'Failure-Report: no'];
  peer.write(chunk({ id: 'tx02', range: '4-6/6', body: 'def', more }));
  const { head } = await peer.request(0);
  expect(head.method).toBe('REPORT');
  expect(head.toPath).toEqual([from]);
  expect(head.fromPath).toEqual([to]);
  expect(head.messageId).toBe('msg1');
  expect(head.byteRange).toEqual({ start: 1, end: 6, total: 6 });
  expect(head.status).toMatchObject({ namespace: 0, code: 200 });
  expect(head.headers.map(([name]) => name)).not.toContain('Success-Report');
  expect(peer.statusNow('tx02')).toBeUndefined();
});

test('MSRP-07: chunks in any order, overlapping and repeated, make one message', async () => {
  const parts = [
    { id: 'tx01', range: '7-9/9', body: 'ghi', flag: '$' },
    { id: 'tx02', range: '1-4/9', body: 'abcX', flag: '+' },
    { id: 'tx03', range: '1-4/9', body: 'abcX', flag: '+' },
    { id: 'tx04', range: '4-*/9', body: 'def', flag: '+' },
  ];
  for (const part of parts) {
    expect(running.recorder.bodies).toHaveLength(0);
    expect(await exchange(part)).toBe(200);
  }
  expect(running.recorder.bodies.map(String)).toEqual(['abcdefghi']);
});

test('MSRP-07: without a total the last chunk fixes it, and gaps before it stay gaps', async () => {
  expect(await exchange({ id: 'tx01', range: '4-*/*', body: 'def' })).toBe(200);
  expect(running.recorder.bodies).toHaveLength(0);
  expect(await exchange({ id: 'tx02', range: '1-*/*', body: 'abc', flag: '+' })).toBe(200);
  expect(running.recorder.bodies.map(String)).toEqual(['abcdef']);
});

test('MSRP-07: a last chunk that contradicts the total ends the message with 400', async () => {
  expect(await exchange({ id: 'tx01', range: '1-*/9', body: 'abc' })).toBe(400);
  expect(running.recorder.of('aborted')).toEqual(['one msg1 aborted']);
  expect(await exchange({ id: 'tx02', range: '4-9/9', body: 'defghi' })).toBe(400);
  expect(running.recorder.of('received')).toEqual([]);
});

test('MSRP-04: a chunk that ends with # drops the message', async () => {
  await exchange({ id: 'tx01', range: '1-*/9', body: 'abc', flag: '+' });
  expect(await exchange({ id: 'tx02', range: '4-*/9', body: 'd', flag: '#' })).toBe(200);
  expect(running.recorder.of('aborted')).toEqual(['one msg1 aborted']);
});

test('MSRP-04: octets that look like an end-line of another transaction are body', async () => {
  const body = 'a\r\n-------tx99$\r\n\u0000\u00ff';
  const octets = Buffer.byteLength(body);
  expect(await exchange({ id: 'tx01', range: `1-${octets}/${octets}`, body })).toBe(200);
  expect(running.recorder.bodies[0]?.toString()).toBe(body);
});

test('MSRP-23: more than max-size is answered 413, before its body is there', async () => {
  const head = chunk({ id: 'tx01', range: '1-*/100001', body: 'abc' }).split('abc')[0]!;
  peer.write(head);
  expect(await peer.status('tx01')).toBe(413);
  peer.write('abc\r\n-------tx01$\r\n');
  const far = '9000000000-9000000004/9000000004';
  expect(await exchange({ id: 'tx02', range: far, body: 'hello' })).toBe(413);
  expect(running.recorder.heard.map(({ type }) => type)).toEqual(['connected']);
  expect(peer.frames).toHaveLength(2);
});

test('MSRP-23: a body that outgrows max-size without a total is aborted with 413', async () => {
  const body = 'x'.repeat(60_000);
  expect(await exchange({ id: 'tx01', range: '1-*/*', body, flag: '+' })).toBe(200);
  expect(await exchange({ id: 'tx02', range: '60001-*/*', body, flag: '+' })).toBe(413);
  expect(running.recorder.of('aborted')).toEqual(['one msg1 overrun']);
});

test('MSRP-07: more octets than the range or the total say are an overrun', async () => {
  expect(await exchange({ id: 'tx01', range: '1-3/9', body: 'abcd', flag: '+' })).toBe(400);
  const other = { message: 'msg2', range: '1-*/3', body: 'abcd' };
  expect(await exchange({ id: 'tx02', ...other })).toBe(400);
  expect(running.recorder.of('aborted')).toEqual(['one msg1 overrun', 'one msg2 overrun']);
});

test('MSRP-07: too many unfinished messages and too many pieces are refused with 413', async () => {
  for (const id of ['msg1', 'msg2', 'msg3']) {
    const open = { id: `tx${id}`, message: id, range: '1-1/30', body: 'a', flag: '+' };
    expect(await exchange(open)).toBe(200);
  }
  const fourth = { id: 'tx04', message: 'msg4', range: '1-1/1', body: 'a' };
  expect(await exchange(fourth)).toBe(413);
  for (const start of [3, 5, 7]) {
    const piece = { range: `${start}-${start}/30`, body: 'a', flag: '+' };
    expect(await exchange({ id: `txp${start}`, ...piece })).toBe(200);
  }
  expect(await exchange({ id: 'txp9', range: '9-9/30', body: 'a', flag: '+' })).toBe(413);
  expect(running.recorder.of('aborted')).toEqual(['one msg1 overrun']);
  expect(await exchange({ ...fourth, id: 'tx05' })).toBe(200);
});

test('MSRP-24: a late chunk of a finished message is acknowledged and is no message', async () => {
  expect(await exchange({ id: 'tx01', range: '1-6/6', body: 'abcdef' })).toBe(200);
  expect(await exchange({ id: 'tx02', range: '4-6/6', body: 'def' })).toBe(200);
  expect(running.recorder.of('received')).toEqual(['one msg1']);
  expect(await exchange({ id: 'tx03', range: '1-6/6', body: 'abcdef' })).toBe(200);
  expect(running.recorder.of('received')).toEqual(['one msg1', 'one msg1']);
});

test('D-16: earlier chunks are answered at once, the completing one after complete()', async () => {
  let finish = (): void => undefined;
  running.recorder.onComplete = () =>
    new Promise((resolve) => {
      finish = () => resolve(200);
    });
  expect(await exchange({ id: 'tx01', range: '1-3/6', body: 'abc', flag: '+', more: yes })).toBe(
    200,
  );
  peer.write(chunk({ id: 'tx02', range: '4-6/6', body: 'def', more: yes }));
  peer.write(chunk({ id: 'tx03', range: '4-6/6', body: 'def', more: yes }));
  expect(await exchange({ id: 'tx04' })).toBe(200);
  expect(peer.statusNow('tx02')).toBeUndefined();
  expect(peer.statusNow('tx03')).toBeUndefined();
  finish();
  expect(await peer.status('tx03')).toBe(200);
  await peer.request(0);
  expect(peer.frames.slice(2).map(({ head }) => head.kind)).toEqual([
    'response',
    'request',
    'response',
  ]);
  expect(running.recorder.of('received')).toEqual(['one msg1']);
});

test('D-16: a sink that fails is answered 413 without a stack in the log', async () => {
  const sink = (fields: Partial<MsrpSink>): MsrpSink => ({
    write: () => undefined,
    complete: () => 200,
    abort: () => running.recorder.nudge(),
    ...fields,
  });
  const failures: MsrpSink[] = [
    sink({ complete: () => Promise.reject(new Error('disk')) }),
    sink({ write: () => Promise.reject(new Error('disk')) }),
    sink({
      write: () => {
        throw new Error('disk');
      },
    }),
    sink({
      complete: () => {
        throw new Error('disk');
      },
    }),
  ];
  for (const [index, failing] of failures.entries()) {
    running.recorder.onReceive = () => failing;
    const fields = { message: `msg${index}`, range: '1-3/3', body: 'abc', more: yes };
    expect(await exchange({ id: `tx0${index}`, ...fields })).toBe(413);
  }
  expect(peer.requests).toEqual([]);
  expect(running.log.lines.map(({ code }) => code)).toEqual(failures.map(() => 'MSRP_SINK_FAILED'));
  for (const { text } of running.log.lines) expect(text).not.toMatch(/\bat \S+ \(/);
});

test('D-75: a refusal of a payload leaves the session standing', async () => {
  running.recorder.onReceive = () => 403;
  expect(await exchange({ id: 'tx01', range: '1-3/6', body: 'abc', flag: '+' })).toBe(403);
  expect(await exchange({ id: 'tx02', range: '4-6/6', body: 'def' })).toBe(403);
  expect(await exchange({ id: 'tx03' })).toBe(200);
  expect(running.recorder.of('lost')).toEqual([]);
});

test('MSRP-13: loss of the connection aborts what is unfinished and loses the session', async () => {
  await exchange({ id: 'tx01', range: '1-3/6', body: 'abc', flag: '+' });
  peer.socket.destroy();
  await running.recorder.hears('lost', 'one closed');
  expect(running.recorder.of('aborted')).toEqual(['one msg1 lost']);
  expect(running.recorder.of('sent')).toEqual([]);
});

test('MSRP-13: release aborts what is unfinished without a word to the handler', async () => {
  await exchange({ id: 'tx01', range: '1-3/6', body: 'abc', flag: '+' });
  running.endpoint.release('one');
  expect(running.recorder.of('aborted')).toEqual(['one msg1 lost']);
  expect(await exchange({ id: 'tx02', range: '4-6/6', body: 'def' })).toBe(481);
  expect(running.recorder.of('lost')).toEqual([]);
});

test('MSRP-09: an unknown method is answered 501 and the session goes on', async () => {
  peer.write(chunk({ id: 'tx01' }).replace('SEND', 'AUTH'));
  expect(await peer.status('tx01')).toBe(501);
  expect(await exchange({ id: 'tx02', range: '1-3/3', body: 'abc' })).toBe(200);
});

test('MSRP-24: a REPORT or a response for nothing known is passed over', async () => {
  await exchange({ id: 'tx01' });
  const status = ['Status: 000 413 Stop', 'Byte-Range: 1-5/5'];
  peer.write(chunk({ id: 'tx02', message: 'nosuch', more: status }).replace('SEND', 'REPORT'));
  peer.write(`MSRP tx03 481 No\r\nTo-Path: ${to}\r\nFrom-Path: ${from}\r\n-------tx03$\r\n`);
  expect(await exchange({ id: 'tx04' })).toBe(200);
  expect(running.recorder.heard).toHaveLength(1);
  expect(peer.frames).toHaveLength(2);
});

test('D-16: reading stops while too many messages are being completed', async () => {
  const finish: (() => void)[] = [];
  running.recorder.onComplete = () =>
    new Promise((resolve) => {
      finish.push(() => resolve(200));
    });
  // Each in a segment of its own: what has been read is also taken in.
  for (let index = 0; index < 4; index++) {
    peer.write(chunk({ id: `tx0${index}`, message: `msg${index}`, range: '1-1/1', body: 'a' }));
    await running.recorder.hears('received', `one msg${index}`);
  }
  const bytes = patternBytes(40_000)
    .toString('latin1')
    .replace(/[^a-z]/g, 'x');
  const rest = { message: 'last', range: `1-*/${bytes.length}`, body: bytes };
  peer.write(chunk({ id: 'tx09', ...rest }));
  const other = await RawPeer.to(running.endpoint);
  other.write(chunk({ id: 'tx10', to: running.endpoint.reserve('two') }));
  expect(await other.status('tx10')).toBe(200);
  expect(running.recorder.of('received')).toHaveLength(4);
  for (const call of finish.splice(0)) call();
  await running.recorder.hears('received', 'one last');
  for (const call of finish) call();
  expect(await peer.status('tx09')).toBe(200);
  other.socket.destroy();
});

function swapCase(text: string): string {
  return text.replace(/[a-z]/gi, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  );
}
