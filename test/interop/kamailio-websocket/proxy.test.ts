import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { responseTo } from '../../../src/testing/sip-peer.js';
import type { SipMessage, SipRequest } from '../../../src/wire/sip/message.js';
import { startWorld, type World } from '../../e2e/world.js';
import { isInstalled } from '../../server-process.js';
import { hasModules, startKamailio, type Kamailio } from '../kamailio.js';
import { freePort } from '../../loopback-port.js';
import { openBrowser, type Browser } from './browser.js';

const configuration = fileURLToPath(new URL('proxy.cfg', import.meta.url));

describe.skipIf(!isInstalled('kamailio') || !hasModules(configuration))(
  'Kamailio for browsers (skipped where kamailio or its websocket module is not installed)',
  () => {
    let world: World;
    let proxy: Kamailio;
    let browsers: Browser[];
    beforeEach(async () => {
      world = await startWorld({ subscribe: { throttleMs: 1 } });
      const server = world.server.sip.find(({ transport }) => transport === 'tcp')!;
      const port = await freePort();
      proxy = await startKamailio({
        configuration,
        port,
        listen: [`tcp:127.0.0.1:${port}`],
        definitions: [`SERVER="sip:127.0.0.1:${server.port};transport=tcp"`],
      });
      browsers = [];
    });
    afterEach(async () => {
      await Promise.all(browsers.map((browser) => browser.close()));
      await proxy.stop();
      await world.end();
    });

    async function open(user: string): Promise<Browser> {
      const browser = await openBrowser(user, proxy.port);
      browsers.push(browser);
      return browser;
    }

    test('WS-01: what a browser sends is stored octet by octet, with a host that leads nowhere', async () => {
      const alice = await open('alice');
      const bodies = [
        Buffer.from('Grüße'),
        Buffer.from(Array.from({ length: 256 }, (_, octet) => octet)),
        Buffer.alloc(20_000, 'x'),
      ];
      for (const body of bodies) {
        const headers = [['Content-Type', 'application/octet-stream']] as const;
        alice.request({ method: 'MESSAGE', uri: 'sip:bob@example.org', headers, body });
        expect(await final(alice), proxy.log()).toMatchObject({ kind: 'response', status: 202 });
      }
      const bob = await world.client('bob');
      const { messages } = await bob.retrieve();
      expect(messages.map(({ body }) => body.toString('hex'))).toEqual(
        bodies.map((body) => body.toString('hex')),
      );
    });

    test('WS-01: message waiting and a push reach a browser on its connection', async () => {
      const bob = await open('bob');
      const contact = ['Contact', `${bob.contact};+g.oma.sip-im`] as const;
      bob.request({
        method: 'SUBSCRIBE',
        uri: 'sip:bob@example.org',
        headers: [contact, ['Event', 'message-summary'], ['Expires', '600']],
      });
      const both = [await final(bob), await final(bob)];
      expect(both.map(({ kind }) => kind).sort()).toEqual(['request', 'response']);
      expect(both.find(({ kind }) => kind === 'response')).toMatchObject({ status: 200 });
      const first = both.find((one): one is SipRequest => one.kind === 'request')!;
      expect(first.body.toString()).toMatch(/^Messages-Waiting: no\r\n/);
      bob.send(responseTo(first, 200));
      const alice = await open('alice');
      const headers = [['Content-Type', 'text/plain']] as const;
      const body = Buffer.from('hello');
      alice.request({ method: 'MESSAGE', uri: 'sip:bob@example.org', headers, body });
      expect(await final(alice), proxy.log()).toMatchObject({ status: 202 });
      const second = (await final(bob)) as SipRequest;
      expect(second).toMatchObject({ method: 'NOTIFY' });
      expect(second.body.toString()).toMatch(/^Messages-Waiting: yes\r\n/);
      bob.send(responseTo(second, 200));
      bob.request({
        method: 'REGISTER',
        uri: 'sip:example.org',
        to: '<sip:bob@example.org>',
        headers: [contact, ['Expires', '600']],
      });
      const told = [await final(bob), await final(bob)];
      expect(told.find(({ kind }) => kind === 'response')).toMatchObject({ status: 200 });
      const invite = told.find((one): one is SipRequest => one.kind === 'request')!;
      expect(invite).toMatchObject({ method: 'INVITE' });
      expect(invite.body.toString()).toContain('\r\na=sendonly\r\n');
      bob.send(responseTo(invite, 480, { tag: 'busy' }));
      expect(await final(bob)).toMatchObject({ kind: 'request', method: 'ACK' });
    });
  },
);

/** The next message that is no provisional response. */
async function final({ arrivals }: Browser): Promise<SipMessage> {
  for (;;) {
    const message = await arrivals.next();
    if (message.kind === 'request' || message.status >= 200) return message;
  }
}
