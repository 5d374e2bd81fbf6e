import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createImClient, type ImClient } from '../../src/client/connect.js';
import type { SipPeer } from '../../src/testing/sip-peer.js';
import type { SipResponse } from '../../src/wire/sip/message.js';
import { startServerProcess, type ServerProcess } from '../server-process.js';
import { openUnrepeatedPeer } from './unrepeated-peer.js';

let directory: string;
let server: ServerProcess;
let peer: SipPeer;
let bob: ImClient | undefined;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'poste-pager-'));
  server = await startServerProcess({ directory });
  peer = await openUnrepeatedPeer();
});
afterEach(async () => {
  await bob?.stop();
  bob = undefined;
  await peer.close();
  await server.end('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

/** Every octet there is, after a line that could be taken for a boundary or an end. */
const body = Buffer.concat([
  Buffer.from('\r\n--b\r\n-------abc$\r\n\r\n'),
  Buffer.from(Array.from({ length: 256 }, (_, octet) => octet)),
]);

/** Lines of a request; what is `only` for the way to us is no part of what is handed on. */
function lines(
  number: number,
): readonly { readonly text: string; readonly is?: 'way' | 'credential' }[] {
  const branch = `z9hG4bKpager${number}`;
  return [
    { text: 'MESSAGE sip:bob@example.org SIP/2.0' },
    { text: `Via:  SIP/2.0/UDP 127.0.0.1:${peer.port};branch=${branch} ;rport` },
    { text: 'v: SIP/2.0/TCP ua.example.org;branch=z9hG4bKua;received=192.0.2.4' },
    { text: 'MAX-FORWARDS: 0067' },
    { text: 'f: "A. \\"Lice\\"" <sip:alice@example.org>;tag=a1;x=y' },
    { text: 't:<sip:bob@example.org>' },
    { text: `i: pager-${number}@ua.example.org` },
    { text: 'CSeq: 007 MESSAGE' },
    { text: 'P-Asserted-Identity: <sip:alice@example.org>' },
    { text: 'Route: <sip:127.0.0.1;lr>', is: 'way' },
    { text: 'Authorization: Digest username="alice", response="0123"', is: 'credential' },
    { text: 'Subject: Grüße,\r\n  folded\r\n\tonce more' },
    { text: 'X-Unknown: \t kept as it is \t' },
    { text: 'x-unknown:' },
    { text: 'Date: Fri, 20 Nov 2026 09:00:00 GMT' },
    { text: 'c: application/octet-stream;x="a;b"' },
    { text: `l: ${body.length}` },
  ];
}

function octets(texts: readonly string[]): Buffer {
  return Buffer.concat([Buffer.from(`${texts.join('\r\n')}\r\n\r\n`), body]);
}

async function send(number: number): Promise<SipResponse> {
  const to = { transport: 'udp' as const, address: '127.0.0.1', port: server.sipPort };
  peer.send(to, octets(lines(number).map(({ text }) => text)));
  return peer.nextResponse();
}

async function restart(): Promise<void> {
  const { sipPort, msrpPort } = server;
  await server.end('SIGKILL');
  server = await startServerProcess({ directory, sipPort, msrpPort });
}

test('S1-STORE-PM, IMSpec-DMT-S-001, S4-202, D-10, D-13, MSG-01, MSG-03: after 202 and kill -9 every octet is there', async () => {
  for (const number of [1, 2]) {
    const answer = await send(number);
    await restart();
    expect(answer.status).toBe(202);
    expect(answer.reason).toBe('Accepted');
    expect(answer.header('Contact')).toBeUndefined();
    expect(answer.body).toHaveLength(0);
    expect(answer.header('Server')).toMatch(/^IM-serv\/OMA1\.0 /);
  }
  bob = createImClient({
    aor: 'sip:bob@example.org',
    server: { host: '127.0.0.1', port: server.sipPort, transport: 'tcp' },
    identity: 'asserted',
    deferredUri: 'sip:Deferred@poste.localhost',
    acceptTypes: ['message/sip'],
  });
  await bob.start();
  const { messages } = await bob.retrieve();
  expect(messages.map(({ payload }) => payload.toString('latin1'))).toEqual(
    [1, 2].map((number) => handedOn(number).toString('latin1')),
  );
  expect(messages.map((message) => message.body.equals(body))).toEqual([true, true]);
});

test('D-18: what comes again after kill -9 gets its 202 again and is stored once', async () => {
  expect((await send(1)).status).toBe(202);
  await restart();
  expect((await send(1)).status).toBe(202);
  expect((await send(2)).status).toBe(202);
  bob = createImClient({
    aor: 'sip:bob@example.org',
    server: { host: '127.0.0.1', port: server.sipPort, transport: 'udp' },
    identity: 'asserted',
    deferredUri: 'sip:Deferred@poste.localhost',
  });
  await bob.start();
  const { messages } = await bob.retrieve();
  expect(messages.map(({ callId }) => callId)).toEqual([
    'pager-1@ua.example.org',
    'pager-2@ua.example.org',
  ]);
});

/** What the recipient gets: the same octets without the way to us, and without credentials. */
function handedOn(number: number): Buffer {
  return octets(
    lines(number)
      .filter(({ is }) => is !== 'way')
      .map(({ text, is }) =>
        is === 'credential' ? 'Authorization: Masked credentials="removed"' : text,
      ),
  );
}
