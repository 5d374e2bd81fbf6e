/** A year of a server whose clock is moved by hand: nothing that it keeps grows. */

import { setImmediate as immediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createMemoryStore } from '../../src/store/memory.js';
import { ManualClock } from '../../src/testing/clock.js';
import { Answering } from './killed-process.js';
import { contactOf, withServer } from './sip-scene.js';

const account = 'tomas@example.org';
const uri = `sip:${account}`;
const weekMs = 7 * 86_400_000;
const kinds = ['actor', 'ua', 'timer', 'outbox', 'seen'] as const;

/** What is held in memory at this moment. */
const gauges = [
  ...['actors.accounts', 'actors.queue', 'actors.sessions', 'actors.uploads', 'dialogs'],
  ...['serverTransactions', 'clientTransactions', 'pendingInvites', 'connections', 'timers'],
];

test('U13: a year of messages, subscriptions and registrations leaves no table larger', () => {
  const clock = new ManualClock();
  const memory = createMemoryStore({ clock });
  const rows = async (): Promise<Record<string, number>> => {
    const found = kinds.map(async (kind) => {
      return [kind, (await memory.scan(account, { kind, limit: 1_000 })).length] as const;
    });
    return Object.fromEntries(await Promise.all(found));
  };
  return withServer(
    async (scene) => {
      const peer = new Answering(scene);
      const counters = () => scene.world.server.counters();
      const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
        while (!(await isSo())) {
          clock.advance(0);
          await immediate();
        }
      };
      const asked = async (sketch: Parameters<typeof peer.ask>[0]): Promise<number> => {
        let status = 0;
        void peer.ask(sketch).then((response) => (status = response.status));
        await until(() => status > 0);
        return status;
      };
      const levels: Record<string, number>[] = [];
      let gone = 0;
      for (let week = 0; week < 52; week++) {
        const contact = [contactOf(scene), ['Expires', '600']] as const;
        const subscription = [...contact, ['Event', 'message-summary']] as const;
        expect(await asked({ method: 'SUBSCRIBE', uri, headers: subscription })).toBe(200);
        const registration = { method: 'REGISTER', uri: 'sip:example.org', to: `<${uri}>` };
        expect(await asked({ ...registration, headers: contact })).toBe(200);
        for (let n = 0; n < 5; n++) {
          const headers = [['Content-Type', 'text/plain'] as const, ['Expires', '10'] as const];
          const body = `${week} ${n}`;
          expect(await asked({ method: 'MESSAGE', uri, headers, body })).toBe(202);
        }
        gone += 5;
        const during = await rows();
        expect(during).toMatchObject({ ua: 5 });
        expect(during['actor']).toBeGreaterThan(1);
        clock.advance(11_000);
        await until(() => counters()['actors.messages.gone'] === gone);
        // A message that is gone is known for a while, should it be sent again; of no other week.
        expect(await rows()).toMatchObject({ ua: 0, seen: 5 });
        for (let day = 0; day < 8; day++) {
          clock.advance(weekMs / 8);
          await until(() => counters()['actors.queue'] === 0);
        }
        await until(async () => (await rows())['timer'] === 0);
        const now = counters();
        levels.push({
          ...(await rows()),
          ...Object.fromEntries(gauges.map((name) => [name, now[name]!])),
        });
      }
      expect(levels[0]).toMatchObject({ actor: 1, ua: 0, timer: 0, outbox: 0, seen: 0 });
      expect(new Set(levels.map((level) => JSON.stringify(level))).size).toBe(1);
      expect(Object.values(levels[0]!)).not.toContain(undefined);
    },
    { push: { default: false }, forward: { mode: 'off' } },
    'udp',
    {},
    { clock, store: memory },
  );
});
