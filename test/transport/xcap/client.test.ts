import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { HistoryFacts } from '../../../src/ports.js';
import { CountingRandom, ManualClock } from '../../../src/testing/clock.js';
import { startXdmsPeer } from '../../../src/testing/xdms.js';
import type { XdmsPeer } from '../../../src/testing/xdms.js';
import { createXdmsClient } from '../../../src/transport/xcap/client.js';
import type { XdmsClient, XdmsClientOptions } from '../../../src/transport/xcap/client.js';
import { MemoryDocuments } from '../../../src/transport/xcap/memory-documents.js';
import { systemClock } from '../../../src/system.js';
import { freePort } from '../../loopback-port.js';

const store = 'sip:Deferred@s07.poste.example.net';
const tomas = 'tomas@example.net';
const xui = `sip:${tomas}`;

const facts = (serial: number): HistoryFacts => ({
  reference: `sip:${serial}@s07.poste.example.net`,
  size: 952,
  expiry: Date.UTC(2026, 10, 21, 9),
  subject: 'Keys',
  receivedAt: Date.UTC(2026, 10, 20, 9, 0, 1),
  date: Date.UTC(2026, 10, 20, 9),
  from: 'sip:nia@example.com',
  to: xui,
  authId: 'sip:nia@example.com',
});
const referenceOf = (serial: number): string => facts(serial).reference;

let ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.reverse()) await end();
  ends = [];
});

async function peerOf(documents?: MemoryDocuments, port?: number): Promise<XdmsPeer> {
  const peer = await startXdmsPeer({
    stores: [store],
    ...(documents && { documents }),
    ...(port !== undefined && { port }),
  });
  ends.push(() => peer.stop());
  return peer;
}

function clientOf(root: string, options: Partial<XdmsClientOptions> = {}): XdmsClient {
  const client = createXdmsClient({
    root,
    clock: systemClock,
    random: new CountingRandom(),
    product: 'XDM-serv/OMA1.0 PosteRestante/0.1',
    assertedIdentity: store,
    ...options,
  });
  ends.push(() => client.close());
  return client;
}

/** A server that answers as it is told and keeps what it was asked. */
async function scripted(
  answer: (request: IncomingMessage, body: string, response: ServerResponse) => void,
): Promise<{ root: string; server: Server; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked.push(`${request.method!} ${request.url!}`);
      answer(request, Buffer.concat(chunks).toString(), response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { root: `http://127.0.0.1:${(server.address() as AddressInfo).port}/xcap`, server, asked };
}

describe('the client of an external XDMS', () => {
  test('S1-META-ADD, D-81, D-82: the first PUT creates the document, the next ones add to it', async () => {
    const peer = await peerOf();
    const client = clientOf(peer.root);
    expect(await client.put(tomas, facts(1))).toBe('changed');
    expect(await client.put(tomas, facts(2))).toBe('done');
    expect(await client.put(tomas, facts(2))).toBe('done');
    expect(await peer.references(xui)).toEqual([referenceOf(1), referenceOf(2)]);
  });

  test('S1-META-DEL: DELETE by reference, as often as need be; an empty root remains', async () => {
    const peer = await peerOf();
    const client = clientOf(peer.root);
    for (const serial of [1, 2, 3]) await client.put(tomas, facts(serial));
    const before = (await peer.document(xui))!.content.toString();
    expect(await client.delete(tomas, referenceOf(2))).toBe('done');
    expect(await client.delete(tomas, referenceOf(2))).toBe('done');
    const after = (await peer.document(xui))!.content.toString();
    expect(after).toBe(before.replace(/<history [^>]*sip:2@[^]*?<\/history>/, ''));
    await client.delete(tomas, referenceOf(1));
    await client.delete(tomas, referenceOf(3));
    expect(await peer.references(xui)).toEqual([]);
    expect(await client.delete('nobody@example.net', referenceOf(1))).toBe('done');
  });

  test('5.8: the requests to the letter', async () => {
    const heads: string[][] = [];
    const bodies: string[] = [];
    const { root, asked } = await scripted((request, body, response) => {
      const { host: _, connection: _connection, ...headers } = request.headers;
      heads.push(Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`));
      bodies.push(body);
      response.setHeader('ETag', `"v${41 + heads.length}"`);
      response.statusCode = 200;
      response.end();
    });
    const client = clientOf(root);
    await client.put(tomas, facts(70_000_001));
    await client.delete(tomas, facts(70_000_001).reference);
    const path =
      '/xcap/org.openmobilealliance.deferred-list/users/sip:tomas@example.net/deferred-list/~~/' +
      'history-list/history%5B@history-reference=%22sip:70000001@s07.poste.example.net%22%5D';
    expect(asked).toEqual([`PUT ${path}`, `DELETE ${path}`]);
    const common = [
      'user-agent: XDM-serv/OMA1.0 PosteRestante/0.1',
      `x-3gpp-asserted-identity: "${store}"`,
    ];
    expect(heads).toEqual([
      [...common, 'content-type: application/xcap-el+xml', `content-length: ${bodies[0]!.length}`],
      [...common, 'if-match: "v42"'],
    ]);
    expect(bodies[0]).toBe(
      '<history xmlns="urn:oma:xml:im:history-list" ' +
        'history-reference="sip:70000001@s07.poste.example.net"><size>952</size>' +
        '<expiry>2026-11-21T09:00:00Z</expiry><subject>Keys</subject><pager>' +
        '<time-stamp>2026-11-20T09:00:01Z</time-stamp><from>sip:nia@example.com</from>' +
        '<to>sip:tomas@example.net</to><auth-id>sip:nia@example.com</auth-id></pager>' +
        '<date>2026-11-20T09:00:00Z</date></history>',
    );
  });

  test('XCAP-10, D-83: 412 is followed by a look, then by the change; it is told that others write', async () => {
    const peer = await peerOf();
    const client = clientOf(peer.root);
    await client.put(tomas, facts(1));
    const { content } = (await peer.document(xui))!;
    await peer.tamper(xui, Buffer.from(content.toString().replace('</history-list>', ' $&')));
    expect(await client.put(tomas, facts(2))).toBe('changed');
    expect(await client.put(tomas, facts(3))).toBe('done');
    await peer.tamper(xui, undefined);
    expect(await client.put(tomas, facts(4))).toBe('changed');
    expect(await peer.references(xui)).toEqual([referenceOf(4)]);
    await peer.tamper(xui, undefined);
    expect(await client.delete(tomas, referenceOf(4))).toBe('changed');
    expect(client.counters()).toMatchObject({ 'xdms.conflicts': 3, 'xdms.created': 2 });
  });

  test('XCAP-10: a race that is never won ends', async () => {
    const { root, asked } = await scripted((request, _body, response) => {
      response.statusCode = request.method === 'HEAD' ? 200 : 412;
      response.setHeader('ETag', `"${asked.length}"`);
      response.end();
    });
    await expect(clientOf(root).put(tomas, facts(1))).rejects.toMatchObject({ code: 'XDMS_RACED' });
    expect(asked).toHaveLength(16);
  });

  test('XCAP-10, D-83: a rebuild puts the whole document, in pieces, whatever was there', async () => {
    const peer = await peerOf();
    const client = clientOf(peer.root);
    await client.put(tomas, facts(9));
    async function* pages() {
      yield [facts(1), facts(2)];
      await Promise.resolve();
      yield [facts(3)];
    }
    await client.rebuild(tomas, pages);
    expect(await peer.references(xui)).toEqual([1, 2, 3].map(referenceOf));
    expect(await client.put(tomas, facts(4))).toBe('done');
    // A store that fails half-way leaves the document as it was.
    async function* broken() {
      yield await Promise.resolve([facts(5)]);
      throw Object.assign(new Error('gone'), { code: 'STORE_UNAVAILABLE' });
    }
    await expect(client.rebuild(tomas, broken)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    expect(await peer.references(xui)).toEqual([1, 2, 3, 4].map(referenceOf));
  });

  test('XCAP-10: what fails is told by its code', async () => {
    const codes: [number, string][] = [
      [503, 'XDMS_UNAVAILABLE'],
      [429, 'XDMS_UNAVAILABLE'],
      [401, 'XDMS_CREDENTIALS'],
      [403, 'XDMS_REFUSED'],
      [409, 'XDMS_REFUSED'],
      [404, 'XDMS_REFUSED'],
    ];
    for (const [status, code] of codes) {
      const { root } = await scripted((_request, _body, response) => {
        response.statusCode = status;
        response.end();
      });
      await expect(clientOf(root).put(tomas, facts(1))).rejects.toMatchObject({ code });
    }
    const long = await scripted((_request, _body, response) => response.end('x'.repeat(70_000)));
    await expect(clientOf(long.root).put(tomas, facts(1))).rejects.toMatchObject({
      code: 'XDMS_ANSWER',
    });
    const root = `http://127.0.0.1:${await freePort()}/xcap`;
    await expect(clientOf(root).put(tomas, facts(1))).rejects.toMatchObject({
      code: 'XDMS_UNREACHABLE',
    });
    expect(() => clientOf('ftp://xdms')).toThrow(expect.objectContaining({ code: 'XDMS_URI' }));
  });

  test('XCAP-10: no answer in time; no more requests than may wait; a peer that is down is spared', async () => {
    const clock = new ManualClock();
    const { root, asked } = await scripted(() => undefined);
    const limits = { pending: 2, timeoutMs: 1000, failures: 2, pauseMs: 5000 };
    const client = clientOf(root, { clock, limits });
    const pending = [client.put(tomas, facts(1)), client.put('klara@example.net', facts(2))];
    const outcomes = Promise.allSettled(pending);
    await expect(client.put(tomas, facts(3))).rejects.toMatchObject({ code: 'XDMS_BUSY' });
    clock.advance(1000);
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ reason: { code: 'XDMS_TIMEOUT' } });
    }
    const before = asked.length;
    await expect(client.put(tomas, facts(1))).rejects.toMatchObject({ code: 'XDMS_DOWN' });
    expect(asked).toHaveLength(before);
    clock.advance(5000);
    const probe = client.put(tomas, facts(1));
    await expect(client.put(tomas, facts(2))).rejects.toMatchObject({ code: 'XDMS_DOWN' });
    clock.advance(1000);
    await expect(probe).rejects.toMatchObject({ code: 'XDMS_TIMEOUT' });
    expect(client.counters()).toMatchObject({ 'xdms.down': 1, 'xdms.spared': 2 });
  });

  test('XCAP-10: an XDMS that was restarted is found again, idle connections and all', async () => {
    const documents = new MemoryDocuments();
    const first = await peerOf(documents, await freePort());
    const client = clientOf(first.root);
    await client.put(tomas, facts(1));
    await first.stop();
    await expect(client.put(tomas, facts(2))).rejects.toMatchObject({ code: 'XDMS_UNREACHABLE' });
    await peerOf(documents, first.port);
    expect(await client.put(tomas, facts(2))).toBe('done');
  });

  test('XCAP-09: who is not the store may not write', async () => {
    const peer = await peerOf();
    await clientOf(peer.root).put(tomas, facts(1));
    const owner = clientOf(peer.root, { assertedIdentity: xui });
    await expect(owner.put(tomas, facts(2))).rejects.toMatchObject({ code: 'XDMS_REFUSED' });
    await expect(owner.delete(tomas, referenceOf(1))).rejects.toMatchObject({
      code: 'XDMS_REFUSED',
    });
    expect(await peer.references(xui)).toEqual([referenceOf(1)]);
  });
});
