/** Several listeners at once: port 0, advertised addresses, both families (RFC 3261 18, SIP-06). */

import { once } from 'node:events';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { openSipPeer, RecordingHandler } from '../../../src/testing/sip-peer.js';
import type { SipListener } from '../../../src/transport/sip/options.js';
import type { SipEndpoint } from '../../../src/transport/sip/endpoint.js';
import { certificate } from './certificates.js';
import { message, openEndpoint, toPeer } from './fixture.js';

const at = (transport: SipListener['transport'], more: Partial<SipListener> = {}): SipListener => ({
  ...{ transport, host: '127.0.0.1', port: 0 },
  ...more,
});

async function withListeners(
  listeners: readonly SipListener[],
  play: (endpoint: SipEndpoint, handler: RecordingHandler) => void | Promise<void>,
): Promise<void> {
  const { endpoint } = openEndpoint({ listeners, tls: certificate('server') });
  const handler = new RecordingHandler();
  await endpoint.start(handler);
  try {
    await play(endpoint, handler);
  } finally {
    await endpoint.stop(0);
  }
}

test.each([[['udp', 'tcp']], [['tcp', 'udp']], [['tls', 'udp', 'ws', 'tcp', 'wss']]] as const)(
  'port 0 for %j: UDP and TCP have the same number',
  (transports) =>
    withListeners(
      transports.map((transport) => at(transport)),
      ({ addresses }) => {
        expect(addresses.map(({ transport }) => transport)).toEqual(transports);
        const portOf = (wanted: string): number =>
          addresses.find(({ transport }) => transport === wanted)!.port;
        expect(portOf('udp')).toBe(portOf('tcp'));
        const ports = new Set(addresses.map(({ port }) => port));
        expect(ports.size).toBe(transports.length - 1);
      },
    ),
);

test('port 0 many times over, while others take and give back ports', async () => {
  for (let n = 0; n < 20; n++) {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    await withListeners([at('udp'), at('tcp')], ({ addresses }) => {
      expect(addresses[0]!.port).toBe(addresses[1]!.port);
    });
    other.close();
  }
});

test('several listeners of one transport, and the advertised host of each', () =>
  withListeners(
    [
      at('udp', { advertised: 'a.example.org' }),
      at('tcp', { host: '127.0.0.2', advertised: 'b.example.org' }),
      at('tls'),
      at('udp', { host: '127.0.0.3' }),
    ],
    async (endpoint, handler) => {
      const [a, b, c, d] = endpoint.addresses.map(({ port }) => port);
      expect(endpoint.contactUri('us')).toBe(`sip:us@a.example.org:${a}`);
      expect(endpoint.contactUri('us', 'tcp')).toBe(`sip:us@b.example.org:${b};transport=tcp`);
      expect(endpoint.contactUri('us', 'tls')).toBe(`sip:us@127.0.0.1:${c};transport=tls`);
      const peer = await openSipPeer('udp');
      const via = `SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bKl`;
      peer.send({ transport: 'udp', address: '127.0.0.3', port: d! }, Buffer.from(message(via)));
      const { received } = await handler.next('request');
      endpoint.respond(received.transaction, { status: 202, headers: [] });
      expect((await peer.nextResponse()).status).toBe(202);
      endpoint.request({ ...toPeer(peer), method: 'OPTIONS' });
      expect((await peer.nextRequest()).header('Via')).toMatch(`SIP/2.0/UDP a.example.org:${a};`);
      await peer.close();
    },
  ));

const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);

test.each(hasIpv6 ? ['tcp', 'tls', 'ws', 'wss'] : [])('IPv6 and IPv4 by %s', (transport) =>
  withListeners([at(transport as 'tls'), at(transport as 'tls', { host: '::1' })], (endpoint) => {
    expect(endpoint.addresses.map(({ address }) => address)).toEqual(['127.0.0.1', '::1']);
  }),
);
