/** What a sink is told of the SENDs of a message, and how it ends one (RFC 4975 7.3.1). */

import { expect, test } from 'vitest';
import type { MsrpSink } from '../../../src/ports.js';
import { RawPeer, startEndpoint } from './raw-peer.js';

const from = 'msrp://127.0.0.1:9/peer;tcp';

async function withSink(sink: MsrpSink, play: (send: Send) => Promise<void>): Promise<void> {
  const { endpoint, recorder } = await startEndpoint();
  recorder.onReceive = () => sink;
  const to = endpoint.reserve('one');
  endpoint.connect('one', { path: [from], active: false });
  const peer = await RawPeer.to(endpoint);
  try {
    await play((id, range, body, flag) => {
      const head = `MSRP ${id} SEND\r\nTo-Path: ${to}\r\nFrom-Path: ${from}\r\nMessage-ID: msg1\r\n`;
      const type = `Byte-Range: ${range}\r\nContent-Type: text/plain\r\n\r\n`;
      peer.write(`${head}${type}${body}\r\n-------${id}${flag}\r\n`);
      return peer.status(id);
    });
  } finally {
    peer.socket.destroy();
    await endpoint.stop(0);
  }
}

type Send = (id: string, range: string, body: string, flag: string) => Promise<number | undefined>;

test('D-14: every SEND is told before its body, with its id and all its header fields', async () => {
  const told: string[] = [];
  const sink: MsrpSink = {
    chunk: ({ transactionId, headers }) => {
      told.push(`${transactionId} ${headers.map(([name]) => name).join(' ')}`);
    },
    write: (_offset, bytes) => void told.push(bytes.toString()),
    complete: () => 200,
    abort: () => undefined,
  };
  await withSink(sink, async (send) => {
    expect(await send('tx01', '1-5/10', 'hello', '+')).toBe(200);
    expect(await send('tx02', '6-10/10', 'world', '$')).toBe(200);
  });
  const names = 'To-Path From-Path Message-ID Byte-Range Content-Type';
  expect(told).toEqual([`tx01 ${names}`, 'hello', `tx02 ${names}`, 'world']);
});

test.each([
  ['at once', () => 413],
  ['later', () => Promise.resolve(413)],
])('MSRP-23: a status that `write` gives %s ends the message', async (_when, write) => {
  const causes: string[] = [];
  const sink: MsrpSink = {
    write,
    complete: () => 200,
    abort: (cause) => void causes.push(cause),
  };
  await withSink(sink, async (send) => {
    expect(await send('tx01', '1-5/10', 'hello', '+')).toBe(413);
    expect(await send('tx02', '6-10/10', 'world', '$')).toBe(413);
  });
  expect(causes).toEqual(['overrun']);
});
