/** What is stored of a message comes back as it was: bodies, and who has sent it (U20, D-19). */

import { expect, test } from 'vitest';
import type { ImClient } from '../../src/client/im-client.js';
import type { HeaderField } from '../../src/wire/sip/message.js';
import { parseHistoryList } from '../../src/wire/xml/history.js';
import { RawHttp } from '../transport/xcap/raw-http.js';
import { withForward } from './forward-scene.js';
import { tomas } from './retrieval-scene.js';
import { hostname, withServer, type SipScene } from './sip-scene.js';

const octets = Buffer.from(Array.from({ length: 1_024 }, (_, n) => (n * 31) % 256));

/** A part with a URI list, one of arbitrary octets with boundaries and line ends in it, an empty one. */
const multipart = Buffer.concat([
  Buffer.from('preamble\r\n--edge\r\nContent-Type: application/resource-lists+xml\r\n'),
  Buffer.from('Content-Disposition: recipient-list\r\n\r\n<resource-lists xmlns="urn:x"/>\r\n'),
  Buffer.from('--edge\r\nContent-Type: application/octet-stream\r\n\r\n--edg\r\n\n\r\0'),
  octets,
  Buffer.from('\r\n--edge\r\n\r\n\r\n--edge--\r\nepilogue'),
]);

const bodies: readonly (readonly [string, Buffer])[] = [
  ['application/octet-stream', octets],
  ['multipart/mixed;boundary=edge', multipart],
  ['multipart/related; boundary="never there"', octets],
  ['message/sip', Buffer.from('MESSAGE sip:x SIP/2.0\r\nContent-Length: 99\r\n\r\n')],
];

test.each([['message/sip'], ['message/sipfrag'], ['message/cpim']])(
  'U20, U4: binary and multipart bodies are retrieved as %s, octet by octet',
  (form) =>
    withServer(async (scene) => {
      for (const [type, body] of bodies) {
        const headers: HeaderField[] = [['Content-Type', type]];
        const answer = await scene.ask({ method: 'MESSAGE', uri: tomas, headers, body });
        expect(answer.status).toBe(202);
      }
      const client = await scene.world.client('tomas', { acceptTypes: [form] });
      const { messages } = await client.retrieve();
      expect(messages.map(({ fault }) => fault)).toEqual(bodies.map(() => undefined));
      expect(messages.map(({ body }) => body.toString('hex'))).toEqual(
        bodies.map(([, body]) => body.toString('hex')),
      );
    }),
);

test('U20: they are passed on to a user who is available, octet by octet', () =>
  withForward(async ({ register, send, asked, reply, answer }) => {
    await register();
    for (const [type, body] of bodies) {
      send({ headers: [['Content-Type', type]], body });
      const request = await asked('MESSAGE');
      expect(request.header('Content-Type')).toBe(type);
      expect(request.body.equals(body)).toBe(true);
      reply(request, 200);
      expect((await answer()).status).toBe(200);
    }
  }));

/** `auth-id` of every stored message, as the owner reads it over XCAP. */
async function authIds({ world }: Pick<SipScene, 'world'>): Promise<(string | undefined)[]> {
  const connection = new RawHttp(world.server.xcap!.port);
  const document = `/xcap/org.openmobilealliance.deferred-list/users/${tomas}/deferred-list`;
  const owner = `X-3GPP-Asserted-Identity: "${tomas}"`;
  connection.write(`GET ${document} HTTP/1.1\r\nHost: xdms\r\n${owner}\r\n\r\n`);
  const { body } = await connection.response('GET');
  connection.end();
  return parseHistoryList(Buffer.from(body)).map(({ pager }) => pager.authId);
}

async function payloads(client: ImClient): Promise<string[]> {
  const { messages } = await client.retrieve();
  return messages.map(({ payload }) => payload.toString());
}

test('D-19: an asserted identity is kept, and a message of nobody is stored without one', () =>
  withServer(
    async (scene) => {
      const nia = '"Nia" <sip:nia@example.com>';
      for (const identity of [nia, undefined]) {
        const headers = [['Content-Type', 'text/plain']] as const;
        const sketch = { method: 'MESSAGE', uri: tomas, headers, body: 'hi', identity };
        expect((await scene.ask(sketch)).status).toBe(202);
      }
      expect(await authIds(scene)).toEqual(['sip:nia@example.com', undefined]);
      const [first, second] = await payloads(await scene.world.client('tomas'));
      expect(first).toContain(`\r\nP-Asserted-Identity: ${nia}\r\n`);
      expect(second).not.toContain('P-Asserted-Identity');
    },
    {},
    'udp',
    { xcap: { port: 0 } },
  ));

test('D-19: who has proven to be somebody is that, whatever From says or asserts', () =>
  withServer(
    async (scene) => {
      const credentials = { username: 'nia', password: 'secret' };
      for (const user of ['nia', 'otto']) {
        const sender = await scene.world.client(user, { credentials, identity: 'asserted' });
        expect((await sender.send(tomas, `as ${user}`)).status).toBe(202);
      }
      const nobody = await scene.world.client('otto');
      expect((await nobody.send(tomas, 'of nobody')).status).toBe(401);
      expect(await authIds(scene)).toEqual(['sip:nia@example.org', 'sip:nia@example.org']);
    },
    {},
    'udp',
    {
      xcap: { port: 0 },
      identity: {
        ...{ hostname, domains: ['example.org'], trustedPeers: [] },
        digest: { messages: 'required' },
        credentials: {
          'sip:nia@example.org': { password: 'secret' },
          [tomas]: { password: 'mine' },
        },
      },
    },
  ));
