import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseMultipart, partHeader } from '../../src/wire/multipart.js';
import { writeHistoryList } from '../../src/wire/xml/history.js';
import { parseUriList } from '../../src/wire/xml/resource-lists.js';
import { parseSettings } from '../../src/wire/xml/settings.js';
import { useStage } from './stage.js';

const stage = useStage();

describe('deletion', () => {
  test('D-31: one message by REFER with method=BYE', async () => {
    const bob = await stage.client();
    const deleted = bob.delete(['70000001@s07.poste.example.net']);
    const received = await stage.peer.requests.take();
    const { request } = received;
    expect(request.method).toBe('REFER');
    expect(request.uri).toBe('sip:Deferred@s07.poste.example.net');
    expect(request.header('Refer-To')).toBe('<sip:70000001@s07.poste.example.net;method=BYE>');
    expect(request.header('Refer-Sub')).toBe('false');
    expect(request.header('Require')).toBe('norefersub');
    stage.peer.respond(received, { status: 202 });
    expect(await deleted).toMatchObject({ status: 202 });
  });

  test('LIST-09: several by REFER to a list in its body', async () => {
    const bob = await stage.client();
    const deleted = bob.delete(['1@h.example', 'sip:2@h.example']);
    const received = await stage.peer.requests.take();
    const { request } = received;
    expect(request.header('Require')).toBe('multiple-refer, norefersub');
    const [part] = parseMultipart(request.body, request.header('Content-Type')!);
    const cid = partHeader(part!, 'content-id')!.slice(1, -1);
    expect(request.header('Refer-To')).toBe(`<cid:${cid}>`);
    expect(partHeader(part!, 'content-disposition')).toBe('recipient-list');
    expect(parseUriList(part!.body)).toEqual([
      'sip:1@h.example;method=BYE',
      'sip:2@h.example;method=BYE',
    ]);
    stage.peer.respond(received, { status: 404 });
    expect(await deleted).toMatchObject({ status: 404 });
  });

  test('D-31: by MESSAGE with a list to the delete URI', async () => {
    const bob = await stage.client({ deleteUri: 'sip:Remove@h.example' });
    const deleted = bob.delete(['1@h.example'], { by: 'list' });
    const received = await stage.peer.requests.take();
    const { request } = received;
    expect(request.method).toBe('MESSAGE');
    expect(request.uri).toBe('sip:Remove@h.example');
    expect(request.header('Require')).toBe('recipient-list-message');
    expect(request.header('Content-Disposition')).toBe('recipient-list');
    expect(parseUriList(request.body)).toEqual(['sip:1@h.example']);
    stage.peer.respond(received, { status: 202 });
    expect(await deleted).toMatchObject({ status: 202 });
  });

  test('an empty list is wrong usage', async () => {
    const bob = await stage.client();
    await expect(bob.delete([])).rejects.toMatchObject({ code: 'CLIENT_USAGE' });
  });
});

describe('publication', () => {
  test('PUB-01: settings are published, changed with the entity-tag, and withdrawn', async () => {
    const bob = await stage.client();
    const published = bob.publish({ offlineDelivery: false }, { expires: 600 });
    const first = await stage.peer.requests.take();
    expect(first.request.method).toBe('PUBLISH');
    expect(first.request.uri).toBe('sip:bob@example.org');
    expect(first.request.header('Event')).toBe('im-settings');
    expect(first.request.header('SIP-If-Match')).toBeUndefined();
    expect(parseSettings(first.request.body)).toEqual({ offlineDelivery: false });
    const granted = (etag: string, expires: string) => ({
      status: 200,
      headers: [
        ['SIP-ETag', etag],
        ['Expires', expires],
      ] as const,
    });
    stage.peer.respond(first, granted('a1', '300'));
    expect(await published).toMatchObject({ status: 200, expires: 300 });
    const changed = bob.publish({ offlineDelivery: true });
    const second = await stage.peer.requests.take();
    expect(second.request.header('SIP-If-Match')).toBe('a1');
    expect(parseSettings(second.request.body)).toEqual({ offlineDelivery: true });
    stage.peer.respond(second, granted('a2', '3600'));
    await changed;
    const gone = bob.unpublish();
    const third = await stage.peer.requests.take();
    expect(third.request.header('SIP-If-Match')).toBe('a2');
    expect(third.request.header('Expires')).toBe('0');
    expect(third.request.body).toHaveLength(0);
    stage.peer.respond(third, granted('a3', '0'));
    expect(await gone).toMatchObject({ status: 200, expires: 0 });
    expect(await bob.unpublish()).toMatchObject({ status: 200 });
  });
});

describe('devices', () => {
  test('RFC 5626 4.1: each has its instance in Contact', async () => {
    const instance = 'urn:uuid:00000000-0000-1000-8000-00000000000a';
    const bob = await stage.client({ instance });
    const registered = bob.register();
    const received = await stage.peer.requests.take();
    expect(received.request.header('Contact')).toContain(`;+sip.instance="<${instance}>"`);
    stage.peer.respond(received, { status: 403 });
    await registered;
  });
});

describe('metadata', () => {
  let xdms: Server;
  let root: string;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  beforeEach(async () => {
    xdms = createServer((request, response) => answer(request, response));
    await new Promise<void>((resolve) => xdms.listen(0, '127.0.0.1', resolve));
    root = `http://127.0.0.1:${(xdms.address() as AddressInfo).port}/xcap`;
  });
  afterEach(() => {
    xdms.closeAllConnections();
    xdms.close();
  });

  const histories = writeHistoryList([
    {
      reference: 'sip:1@h.example',
      size: 952,
      expiry: '2026-11-21T09:00:00Z',
      subject: 'Keys',
      pager: {
        timeStamp: '2026-11-20T09:00:01Z',
        from: 'sip:nia@example.com',
        to: 'sip:bob@example.org',
      },
    },
  ]);

  test('MWI-07: Message-IDs are learnt from the deferred-list document', async () => {
    const bob = await stage.client({ xcap: { root, identity: 'asserted' } });
    const seen: IncomingMessage[] = [];
    answer = (request, response) => {
      seen.push(request);
      response.writeHead(200).end(histories);
    };
    expect(await bob.list()).toEqual([
      {
        id: 'sip:1@h.example',
        size: 952,
        from: 'sip:nia@example.com',
        to: 'sip:bob@example.org',
        subject: 'Keys',
        receivedAt: new Date('2026-11-20T09:00:01Z'),
        expiresAt: new Date('2026-11-21T09:00:00Z'),
      },
    ]);
    expect(seen[0]!.url).toBe(
      '/xcap/org.openmobilealliance.deferred-list/users/sip:bob@example.org/deferred-list',
    );
    expect(seen[0]!.headers['x-3gpp-asserted-identity']).toBe('"sip:bob@example.org"');
    expect(seen[0]!.headers['user-agent']).toMatch(/^XDM-client\/OMA1\.1 /);
  });

  test('a document that was never made is an empty list', async () => {
    const bob = await stage.client({ xcap: { root } });
    answer = (_, response) => response.writeHead(404).end();
    expect(await bob.list()).toEqual([]);
  });

  test('D-31: DELETE of the history by its reference; all unknown is 404', async () => {
    const bob = await stage.client({ xcap: { root } });
    const seen: (string | undefined)[] = [];
    let status = 200;
    answer = ({ method, url }, response) => {
      seen.push(`${method} ${decodeURIComponent(url!.split('~~')[1]!)}`);
      response.writeHead(status).end();
    };
    expect(await bob.delete(['1@h.example'], { by: 'xcap' })).toMatchObject({ status: 200 });
    expect(seen).toEqual(['DELETE /history-list/history[@history-reference="sip:1@h.example"]']);
    status = 404;
    expect(await bob.delete(['1@h', '2@h'], { by: 'xcap' })).toMatchObject({ status: 404 });
  });

  test('XCAP-01: a challenge is answered by digest', async () => {
    const credentials = { password: 'secret' };
    const bob = await stage.client({ xcap: { root }, credentials });
    const proofs: string[] = [];
    const challenge = 'Digest realm="x", nonce="n1", qop="auth", algorithm=';
    answer = ({ headers }, response) => {
      const proof = headers.authorization;
      if (proof !== undefined) {
        proofs.push(proof);
        response.writeHead(200).end(histories);
        return;
      }
      response
        .writeHead(401, { 'WWW-Authenticate': [`${challenge}SHA-256`, `${challenge}MD5`] })
        .end();
    };
    expect(await bob.list()).toHaveLength(1);
    expect(proofs[0]).toContain('algorithm=SHA-256');
    expect(proofs[0]).toContain('uri="/xcap/');
    await bob.list();
    expect(proofs[1]).toContain('nc=00000002');
  });

  test.each([
    ['refused', 403, Buffer.alloc(0), { code: 'CLIENT_REFUSED', status: 403 }],
    ['malformed', 200, Buffer.from('<a'), { code: 'CLIENT_MALFORMED' }],
    ['too large', 200, Buffer.alloc(2_000, 0x20), { code: 'CLIENT_OVERFLOW' }],
  ])('what cannot be used is an error: %s', async (_, status, body, error) => {
    const limits = { graceMs: 100, documentBytes: 1_000 };
    const bob = await stage.client({ xcap: { root }, limits });
    answer = (_request, response) => response.writeHead(status).end(body);
    await expect(bob.list()).rejects.toMatchObject(error);
  });

  test('an XDMS that is silent, or not there', async () => {
    const limits = { graceMs: 100, answerMs: 1_000 };
    const bob = await stage.client({ xcap: { root }, limits });
    answer = () => undefined;
    await expect(bob.list()).rejects.toMatchObject({ code: 'CLIENT_TIMEOUT' });
    xdms.closeAllConnections();
    await new Promise((resolve) => xdms.close(resolve));
    await expect(bob.list()).rejects.toMatchObject({ code: 'CLIENT_UNREACHABLE' });
  });
});
