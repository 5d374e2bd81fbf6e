/** Metadata and settings of a real server over HTTP, beside SIP. */

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createImClient } from '../../src/client/connect.js';
import type { ImClient } from '../../src/client/im-client.js';
import { settingsOf } from '../../src/config.js';
import type { SettingsInput } from '../../src/config.js';
import { startServer } from '../../src/server.js';
import type { Server } from '../../src/server.js';
import { parseHistoryList } from '../../src/wire/xml/history.js';
import { RawHttp } from '../transport/xcap/raw-http.js';

const hostname = 'store.example.org';
const document =
  '/xcap/org.openmobilealliance.deferred-list/users/sip:bob@example.org/deferred-list';
const settings =
  '/xcap/org.openmobilealliance.im-service-settings/users/sip:bob@example.org/im-settings';
const element = (reference: string) =>
  `${document}/~~/history-list/history%5b@history-reference=%22${reference}%22%5d`;
const bob = 'X-3GPP-Asserted-Identity: "sip:bob@example.org"';

let directory: string;
let server: Server;
const clients: ImClient[] = [];
const connections: RawHttp[] = [];

async function start(xcap: SettingsInput['xcap'] = {}, more: SettingsInput = {}): Promise<void> {
  server = await startServer(
    settingsOf({
      sip: { listen: [{ transport: 'udp', port: 0 }] },
      msrp: { port: 0 },
      store: { directory },
      xcap: { port: 0, ...xcap },
      log: { level: 'silent' },
      ...more,
      identity: { hostname, domains: ['example.org'], ...more.identity },
    }),
  );
}

async function clientOf(user: string): Promise<ImClient> {
  const client = createImClient({
    aor: `sip:${user}@example.org`,
    server: { host: '127.0.0.1', port: server.sip[0]!.port, transport: 'udp' },
    identity: 'asserted',
    deferredUri: `sip:Deferred@${hostname}`,
  });
  clients.push(client);
  await client.start();
  return client;
}

function request(method: string, target: string, headers: readonly string[] = [bob], body = '') {
  const connection = new RawHttp(server.xcap!.port);
  connections.push(connection);
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: xdms', ...headers, ...length, '', body];
  connection.write(lines.join('\r\n'));
  return connection.response(method);
}

const fieldOf = (headers: readonly string[], name: string): string[] =>
  headers
    .filter((field) => field.toLowerCase().startsWith(`${name}: `))
    .map((field) => field.slice(name.length + 2));

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'poste-xcap-'));
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.stop()));
  for (const connection of connections.splice(0)) connection.end();
  await server.stop(0);
  rmSync(directory, { recursive: true, force: true });
});

describe('the embedded XDMS', () => {
  test('S1-META-ADD, D-80, D-81, D-84: a stored message is one history more, whole and at once', async () => {
    await start();
    const alice = await clientOf('alice');
    const empty = await request('GET', document);
    await alice.send('sip:bob@example.org', Buffer.from('one'), { subject: 'Keys & <co>' });
    const one = await request('GET', document);
    await alice.send('sip:bob@example.org', Buffer.from('two'));
    const two = await request('GET', document);
    const tags = [empty, one, two].map(({ headers }) => fieldOf(headers, 'etag')[0]);
    expect(new Set(tags).size).toBe(3);
    const [history] = parseHistoryList(Buffer.from(one.body));
    expect(history).toMatchObject({
      reference: `sip:1@${hostname}`,
      subject: 'Keys & <co>',
      pager: { from: 'sip:alice@example.org', to: 'sip:bob@example.org' },
    });
    expect(history!.size).toBeGreaterThan(200);
    expect(history!.expiry).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    // Others byte-identical.
    expect(two.body.startsWith(one.body.replace('</history-list>', ''))).toBe(true);
    expect(parseHistoryList(Buffer.from(two.body))).toHaveLength(2);
    const unchanged = await request('GET', document, [bob, `If-None-Match: ${tags[2]!}`]);
    expect(unchanged.line).toBe('HTTP/1.1 304 Not Modified');
  });

  test('D-31, S1-DEL-USER, S1-META-DEL: DELETE of a history deletes the message for good', async () => {
    await start();
    const alice = await clientOf('alice');
    for (const body of ['one', 'two', 'three']) {
      await alice.send('sip:bob@example.org', Buffer.from(body));
    }
    const deleted = await request('DELETE', element(`sip:2@${hostname}`));
    expect(deleted.line).toBe('HTTP/1.1 200 OK');
    const left = await request('GET', document);
    expect(parseHistoryList(Buffer.from(left.body)).map(({ reference }) => reference)).toEqual([
      `sip:1@${hostname}`,
      `sip:3@${hostname}`,
    ]);
    expect(fieldOf(left.headers, 'etag')).toEqual(fieldOf(deleted.headers, 'etag'));
    expect((await request('DELETE', element(`sip:2@${hostname}`))).line).toContain('404');
    const client = await clientOf('bob');
    const taken = await client.retrieve();
    expect(taken.messages.map(({ body }) => body.toString())).toEqual(['one', 'three']);
  });

  test('XCAP-01: nobody learns who is served, nor which messages there are', async () => {
    await start({}, { identity: { users: ['sip:bob@example.org', 'sip:eve@example.org'] } });
    const alice = await clientOf('alice');
    await alice.send('sip:bob@example.org', Buffer.from('one'));
    const eve = 'X-3GPP-Asserted-Identity: "sip:eve@example.org"';
    const answers = [
      await request('GET', document, [eve]),
      await request('GET', document.replace('bob', 'nobody'), [eve]),
      await request('DELETE', element(`sip:1@${hostname}`), [eve]),
      await request('DELETE', element(`sip:9@${hostname}`), [eve]),
    ].map(({ line, body, headers }) => [line, body, fieldOf(headers, 'etag').length]);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toEqual(['HTTP/1.1 404 Not Found', '', 0]);
    expect((await request('GET', element(`sip:1@${hostname}`))).line).toContain('200');
  });

  test('IMSpec-DMT-S-008, D-41: the setting is put over XCAP and outlives a restart', async () => {
    await start();
    const type = 'Content-Type: application/im-settings+xml';
    const body =
      '<im-settings xmlns="urn:oma:xml:im:service-settings"><deferred-settings>' +
      '<offline-delivery active="false"/></deferred-settings></im-settings>';
    expect((await request('PUT', settings, [bob, type], body)).line).toContain('201');
    expect(await server.accounts.summary('bob@example.org')).toMatchObject({
      settings: { offlineDelivery: false },
    });
    await server.stop(0);
    await start();
    const active = `${settings}/~~/im-settings/deferred-settings/offline-delivery/@active`;
    expect((await request('GET', active)).body).toBe('false');
    expect((await request('DELETE', settings)).line).toContain('200');
    expect((await request('GET', settings)).line).toContain('404');
  });
});

describe('XCAP-01: digest authentication', () => {
  const identity = {
    trustedPeers: ['127.0.0.1'],
    credentials: { 'sip:bob@example.org': { password: 'zanzibar' } },
  };
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');

  /** By hand, as RFC 7616 3.4 has it. */
  function authorize(
    challenge: string,
    method: string,
    uri: string,
    password = 'zanzibar',
  ): string {
    const nonce = /nonce="([^"]+)"/.exec(challenge)![1]!;
    const ha1 = hash(`bob:example.org:${password}`);
    const response = hash(`${ha1}:${nonce}:00000001:c:auth:${hash(`${method}:${uri}`)}`);
    return (
      `Authorization: Digest username="bob", realm="example.org", nonce="${nonce}", ` +
      `uri="${uri}", response="${response}", algorithm=SHA-256, qop=auth, nc=00000001, cnonce="c"`
    );
  }

  test('who proves who he is gets in, others are asked again', async () => {
    await start({ trustedProxies: [] }, { identity });
    const asked = await request('GET', document, []);
    expect(asked.line).toBe('HTTP/1.1 401 Unauthorized');
    const [challenge] = fieldOf(asked.headers, 'www-authenticate');
    expect(challenge).toMatch(
      /^Digest realm="example.org", nonce="[^"]+", algorithm=SHA-256, qop=/,
    );
    const answer = authorize(challenge!, 'GET', document);
    expect((await request('GET', document, [answer])).line).toBe('HTTP/1.1 200 OK');
    // The same once more is a replay.
    expect((await request('GET', document, [answer])).line).toContain('401');
    const [next] = fieldOf((await request('GET', document, [])).headers, 'www-authenticate');
    const wrong = authorize(next!, 'GET', document, 'casablanca');
    expect((await request('GET', document, [wrong])).line).toContain('401');
    const other = authorize(next!, 'GET', `${document}x`);
    expect((await request('GET', document, [other])).line).toContain('400');
    // Nobody asserts anything who is not a proxy.
    expect((await request('GET', document, [bob])).line).toContain('401');
    const broken = 'Authorization: Digest username="bob';
    expect((await request('GET', document, [broken])).line).toContain('400');
  });
});
