import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TraceEntry } from '../../../src/ports.js';
import { ManualClock } from '../../../src/testing/clock.js';
import { outgoing, patternBytes } from '../../../src/testing/msrp-recorder.js';
import type { MsrpEndpointOptions } from '../../../src/transport/msrp/options.js';
import { isInstalled } from '../../server-process.js';
import { tlsOptions } from '../../transport/msrp/certificates.js';
import { startEndpoint } from '../../transport/msrp/raw-peer.js';
import type { Running } from '../../transport/msrp/raw-peer.js';
import { startRelay } from './kamailio.js';
import type { Kamailio } from '../kamailio.js';

const running: Running[] = [];
let relay: Kamailio;

async function start(options: Partial<MsrpEndpointOptions> = {}): Promise<Running> {
  // Kamailio takes frames whole, and none of 64 kB.
  const started = await startEndpoint({ chunkMax: 8_192, ...options });
  running.push(started);
  return started;
}

interface Session {
  readonly owner: string;
  readonly active: Running;
  readonly passive: Running;
}

/** Binds a session whose descriptions are exchanged as SDP would. */
async function bind({ owner, active, passive }: Session): Promise<void> {
  const paths = [];
  for (const { endpoint } of [active, passive]) {
    endpoint.reserve(owner);
    paths.push(await endpoint.path(owner));
  }
  passive.endpoint.connect(owner, { path: paths[0]!, active: false });
  active.endpoint.connect(owner, { path: paths[1]!, active: true });
  await active.recorder.hears('connected', owner);
  await passive.recorder.hears('connected', owner);
}

async function exchange({ owner, active, passive }: Session): Promise<void> {
  const bytes = patternBytes(1_000_000);
  for (const [sender, receiver] of [
    [active, passive],
    [passive, active],
  ] as const) {
    sender.endpoint.send(outgoing(owner, 'msga', 'small', { successReport: true }));
    sender.endpoint.send(outgoing(owner, 'msgb', bytes, { successReport: true }));
    await sender.recorder.hears('reported', `${owner}/sender msga 200`);
    await sender.recorder.hears('reported', `${owner}/sender msgb 200`);
    const [small, large] = receiver.recorder.bodies;
    expect(small?.toString()).toBe('small');
    expect(large?.equals(bytes)).toBe(true);
  }
}

afterEach(async () => {
  await Promise.all(running.splice(0).map(({ endpoint }) => endpoint.stop(0)));
});

describe.skipIf(!isInstalled('kamailio')).each(['tcp', 'tls'] as const)(
  'Kamailio as relay over %s (skipped where kamailio is not installed)',
  (transport) => {
    const scheme = transport === 'tls' ? 'msrps' : 'msrp';

    function credentials(password = 'open sesame'): Partial<MsrpEndpointOptions> {
      const uri = `${scheme}://127.0.0.1:${relay.port};tcp`;
      return { ...secure(), relay: { uri, username: 'alice', password } };
    }

    function secure(): Partial<MsrpEndpointOptions> {
      return transport === 'tls' ? { tls: tlsOptions('server') } : {};
    }

    beforeEach(async () => {
      relay = await startRelay(transport);
      return () => relay.stop();
    });

    test('RLY-01: AUTH is challenged and answered; the path begins with the relay', async () => {
      const alice = await start(credentials());
      const uri = alice.endpoint.reserve('one');
      const path = await alice.endpoint.path('one');
      expect(path).toHaveLength(2);
      expect(path[0]).toMatch(new RegExp(`^${scheme}://127.0.0.1:${relay.port}/[0-9a-f]{32};tcp$`));
      expect(path[1]).toBe(uri);
    });

    test('RLY-01: a wrong password is refused', async () => {
      const alice = await start(credentials('open barley'));
      alice.endpoint.reserve('one');
      const code = 'MSRP_RELAY_REFUSED';
      await expect(alice.endpoint.path('one')).rejects.toMatchObject({ code });
    });

    test('RLY-01: one side behind the relay, messages both ways with reports', async () => {
      for (const isActive of [true, false]) {
        const [alice, bob] = [await start(credentials()), await start(secure())];
        const [active, passive] = isActive ? [alice, bob] : [bob, alice];
        const session = { owner: 'one', active, passive };
        await bind(session);
        await exchange(session);
      }
    });

    test('RLY-01: both sides behind the relay, messages both ways with reports', async () => {
      const session = {
        owner: 'one',
        active: await start(credentials()),
        passive: await start(credentials()),
      };
      await bind(session);
      await exchange(session);
      await bind({ ...session, owner: 'two' });
    });

    test('RLY-01: the path is refreshed in time', async () => {
      const clock = new ManualClock();
      const sent: string[] = [];
      const record = ({ bytes, direction }: TraceEntry): void => {
        if (direction === 'out') sent.push(bytes.toString('latin1').split('\r\n')[0]!);
      };
      const alice = await start({ ...credentials(), clock, trace: { record } });
      alice.endpoint.reserve('one');
      const path = await alice.endpoint.path('one');
      const auths = (): number => sent.filter((line) => line.endsWith(' AUTH')).length;
      expect(auths()).toBe(2);
      clock.advance(479_999);
      expect(auths()).toBe(2);
      clock.advance(1);
      const bob = await start(credentials());
      await bind({ owner: 'one', active: alice, passive: bob });
      expect(auths()).toBe(4);
      expect(await alice.endpoint.path('one')).toEqual(path);
    });

    test('RLY-01: the end of the relay ends the session', async () => {
      const session = {
        owner: 'one',
        active: await start(credentials()),
        passive: await start(credentials()),
      };
      await bind(session);
      await relay.stop();
      await session.active.recorder.hears('lost', 'one closed');
      await session.passive.recorder.hears('lost', 'one closed');
    });
  },
);
