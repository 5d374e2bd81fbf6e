/** When messages expire, seen by the reports that leave then and by what can be retrieved. */

import { expect, test } from 'vitest';
import { ManualClock } from '../../src/testing/clock.js';
import { formatSipDate } from '../../src/wire/sip/date.js';
import type { HeaderField } from '../../src/wire/sip/message.js';
import { asking, expectNothing, nextReport } from './imdn-scene.js';
import { hostname, withServer } from './sip-scene.js';
import type { SipScene } from './sip-scene.js';

const account = 'tomas@example.org';
const limits = { expiry: { default: 1_000, max: 2_000, large: 500 } };

async function ids({ world }: SipScene): Promise<string[]> {
  const histories = await world.server.accounts.histories(account, { limit: 100 });
  return histories.map(({ reference }) => reference);
}

function withClock(
  play: (scene: SipScene, clock: ManualClock) => Promise<void>,
  given: Parameters<typeof withServer>[1] = limits,
): Promise<void> {
  const clock = new ManualClock();
  return withServer((scene) => play(scene, clock), given, 'udp', {}, { clock });
}

/** The messages that expire after `ms` and not a millisecond before, in the order of the reports. */
async function expiringAfter(
  scene: SipScene,
  clock: ManualClock,
  ms: number,
  count: number,
): Promise<string[]> {
  clock.advance(ms - 1);
  await expectNothing(scene, clock);
  clock.advance(1);
  const expired: string[] = [];
  for (let i = 0; i < count; i++) {
    const { imdn } = await nextReport(scene, { clock });
    expect(imdn).toMatchObject({ notification: 'delivery', status: 'failed' });
    expired.push(imdn.messageId);
  }
  await expectNothing(scene, clock);
  return expired;
}

test('S1-EXP-KEEP, S1-EXP-EQUAL, S1-EXP-ABOVE, S1-EXP-ABSENT, D-20, D-21, D-22, D-24, D-27, MSG-05, MSG-06', () =>
  withClock(async (scene, clock) => {
    const now = clock.now();
    const date = (ago: number): HeaderField => ['Date', formatSipDate(now - ago * 1_000)];
    const sent: [string, HeaderField[]][] = [
      ['keep', [['Expires', '600']]],
      ['dated', [['Expires', '700'], date(100)]],
      ['equal', [['Expires', '2000']]],
      ['above', [['Expires', '2001']]],
      ['absent', []],
      ['malformed', [['Expires', 'soon']]],
      // Far from our clock, Date is no base.
      ['skewed', [['Expires', '600'], date(100_000)]],
    ];
    for (const [id, headers] of sent) {
      expect((await scene.ask(asking(scene, { id, headers }))).status).toBe(202);
    }
    expect(await expiringAfter(scene, clock, 600_000, 3)).toEqual(['keep', 'dated', 'skewed']);
    expect(await expiringAfter(scene, clock, 400_000, 3)).toEqual(['above', 'absent', 'malformed']);
    expect(await ids(scene)).toHaveLength(1);
    expect(await expiringAfter(scene, clock, 1_000_000, 1)).toEqual(['equal']);
    expect(await ids(scene)).toEqual([]);
  }));

test('S1-EXP-ZERO, D-23: what has expired on arrival is declined, not stored, and not reported', () =>
  withClock(async (scene, clock) => {
    const past: HeaderField = ['Date', formatSipDate(clock.now() - 61_000)];
    const zero = await scene.ask(asking(scene, { id: 'zero', headers: [['Expires', '0']] }));
    expect(zero.status).toBe(603);
    const headers: HeaderField[] = [['Expires', '60'], past];
    expect((await scene.ask(asking(scene, { id: 'past', headers }))).status).toBe(603);
    expect(await ids(scene)).toEqual([]);
    clock.advance(3_000_000);
    await expectNothing(scene, clock); // IMDN-02: none after 603.
  }));

test('D-26: without expiry nothing expires, and metadata names no time', () =>
  withClock(
    async (scene, clock) => {
      const headers: HeaderField[] = [['Expires', '60']];
      expect((await scene.ask(asking(scene, { id: 'kept', headers }))).status).toBe(202);
      clock.advance(10 * 365 * 86_400_000);
      await expectNothing(scene, clock);
      const [history] = await scene.world.server.accounts.histories(account, { limit: 2 });
      expect(history).toBeDefined();
      expect(history).not.toHaveProperty('expiry');
    },
    { expiry: { enabled: false } },
  ));

test('S1-DEL-EXPIRY, U12, U29: messages that expire while the server is down go when it is back', () =>
  withClock(async (scene, clock) => {
    const headers: HeaderField[] = [['Expires', '60']];
    for (const id of ['a', 'b', 'c']) await scene.ask(asking(scene, { id, headers }));
    await scene.world.server.stop(0);
    clock.advance(61_000);
    await scene.world.restart();
    const gone = [];
    for (let i = 0; i < 3; i++) gone.push((await nextReport(scene, { clock })).imdn.messageId);
    expect(gone).toEqual(['a', 'b', 'c']);
    expect(await ids(scene)).toEqual([]);
  }));

test('S1-DEL-EXPIRY: by the real clock as well', () =>
  withServer(async (scene) => {
    const before = Date.now();
    await scene.ask(asking(scene, { id: 'brief', headers: [['Expires', '1']] }));
    const { imdn } = await nextReport(scene);
    expect(imdn.messageId).toBe('brief');
    expect(Date.now() - before).toBeGreaterThanOrEqual(1_000);
    expect(await ids(scene)).toEqual([]);
  }));

test('S1-MSGID-FORM, S1-MSGID-NEXT, D-01, D-02, D-04: ids are SIP URIs of the host, one after the other', () =>
  withServer(async (scene) => {
    const submit = (id: string) => scene.ask(asking(scene, { id }));
    for (const id of ['a', 'b', 'c']) expect((await submit(id)).status).toBe(202);
    const before = await ids(scene);
    const numbers = before.map((id) => Number(/^sip:(\d+)@(.*)$/.exec(id)![1]));
    expect(before.every((id) => id.endsWith(`@${hostname}`))).toBe(true);
    expect(numbers).toEqual([numbers[0], numbers[0]! + 1, numbers[0]! + 2]);
    await scene.world.restart();
    expect((await submit('d')).status).toBe(202);
    const after = await ids(scene);
    expect(after.slice(0, 3)).toEqual(before);
    expect(new Set(after).size).toBe(4); // Never used again, not even after a restart.
  }));

test('D-05, D-06: the store is Deferred@ exactly, at its hosts, by aliases of the settings', () =>
  withServer(
    async (scene) => {
      const options = async (uri: string) => (await scene.ask({ method: 'OPTIONS', uri })).status;
      expect(await options(`sip:Deferred@${hostname}`)).toBe(200);
      expect(await options(`sip:Deferred@${hostname.toUpperCase()};transport=udp`)).toBe(200);
      expect(await options(`sip:deferred@${hostname}`)).toBe(404);
      expect(await options(`sip:later@${hostname}`)).toBe(200);
      expect(await options(`sip:1@${hostname}`)).toBe(200);
    },
    {},
    'udp',
    { identity: { deferredAliases: ['later'] } },
  ));
