/** A simulated network under the production endpoint and client. */

import { expect, test } from 'vitest';
import { createImClient } from '../../src/client/connect.js';
import { settingsOf } from '../../src/config.js';
import { startServer } from '../../src/server.js';
import { createMemoryStore } from '../../src/store/memory.js';
import { SimulatedHost } from '../../src/verify/simulation/host.js';
import { SimulatedNetwork } from '../../src/verify/simulation/network.js';
import { Weather } from '../../src/verify/simulation/weather.js';
import { SeededRandom, VirtualClock } from '../../src/verify/virtual-clock.js';

const log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

async function oneMessage(seed: number) {
  const clock = new VirtualClock(Date.UTC(2026, 10, 20, 9));
  const random = new SeededRandom(seed);
  const fails = (kind: string, probability: number) =>
    kind !== 'reset' && random.chance(probability * 8);
  const weather = new Weather(random, fails, () => clock.now());
  const network = new SimulatedNetwork(clock, weather);
  const server = await startServer(
    settingsOf({
      sip: { listen: [{ transport: 'udp', host: '192.0.2.20', port: 5060 }] },
      msrp: { host: '192.0.2.20', port: 2855 },
      store: { directory: '/nowhere' },
      identity: {
        hostname: 'store.example.org',
        domains: ['example.org'],
        trustedPeers: ['0.0.0.0/0'],
      },
    }),
    {
      ...{ clock, random, log, store: createMemoryStore({ clock }) },
      sockets: new SimulatedHost(network, '192.0.2.20'),
    },
  );
  const client = createImClient({
    aor: 'sip:alice@example.org',
    server: { host: '192.0.2.20', port: 5060, transport: 'udp' },
    local: { host: '198.51.100.1', port: 5060 },
    identity: 'asserted',
    ...{ clock, random, log, sockets: new SimulatedHost(network, '198.51.100.1') },
  });
  await client.start();
  let status: number | undefined;
  void client.send('sip:bob@example.org', 'good night').then(
    (outcome) => (status = outcome.status),
    () => (status = 408),
  );
  await clock.runUntil(clock.now() + 60_000, () => undefined);
  const counters = server.counters();
  return { status, counters, traffic: network.traffic, digest: network.digest() };
}

test('a MESSAGE over lossy UDP is stored: 202, and no transaction is left', async () => {
  let lost = 0;
  let repeated = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const { status, counters, traffic } = await oneMessage(seed);
    expect(status).toBe(202);
    expect(counters).toMatchObject({ serverTransactions: 0, timers: 0, malformed: 0 });
    lost += traffic.lost;
    repeated += counters['absorbed']!;
  }
  expect(lost).toBeGreaterThan(0);
  expect(repeated).toBeGreaterThan(0);
});

test('the same seed is the same run, octet for octet', async () => {
  const [one, other, third] = [await oneMessage(3), await oneMessage(3), await oneMessage(4)];
  expect(other.digest).toBe(one.digest);
  expect(third.digest).not.toBe(one.digest);
});
