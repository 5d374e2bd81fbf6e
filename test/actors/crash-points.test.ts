/**
 * A crash behind each commit of the life of a message, from its store to the end of its deletion:
 * whatever the process had done of it by then, the next one ends up where an unbroken life does.
 */

import { expect, test } from 'vitest';
import type { SipOutgoing, StorePort } from '../../src/ports.js';
import { createMemoryStore } from '../../src/store/memory.js';
import { StoreError } from '../../src/store/store-error.js';
import { ManualClock } from '../../src/testing/clock.js';
import { SimulatedXdms } from '../../src/testing/simulated-ports.js';
import { createWorld, messageTo, settle, storedFor } from './world.js';
import type { World } from './world.js';

const account = 'tomas@example.net';
/** A process that has ended takes the rest of its block of serials along. */
const anySerial = Array.from({ length: 500 }, (_, serial) => serial + 1);

const cpim = [
  'From: <sip:nia@example.net>',
  'To: <sip:tomas@example.net>',
  'DateTime: 2026-11-20T09:00:00Z',
  'NS: imdn <urn:ietf:params:imdn>',
  'imdn.Message-ID: Qm8x2LrT0d9K',
  'imdn.Disposition-Notification: processing, negative-delivery',
  '',
  'Content-Type: text/plain',
  '',
  'hi',
].join('\r\n');

const submission = messageTo('tomas', 1, {})
  .replace('Content-Type: text/plain', 'Content-Type: message/cpim')
  .replace(/Content-Length: 2\r\n\r\nhi$/, `Content-Length: ${cpim.length}\r\n\r\n${cpim}`);

/** The process ends behind that many commits: `told` whether it still heard of the last one. */
interface Death {
  readonly commits: number;
  readonly told: boolean;
}

interface Life {
  readonly world: World;
  commits(): number;
  isDead(): boolean;
  /** What the next process finds. */
  end(): Promise<World['store']>;
}

async function begin(parts: {
  readonly xdms: SimulatedXdms;
  readonly clock: ManualClock;
  readonly store?: World['store'];
  readonly death?: Death;
}): Promise<Life> {
  const { xdms, clock, death } = parts;
  let commits = 0;
  let isDead = false;
  let close: (error: StoreError) => void = () => undefined;
  const never = new Promise<never>((_resolve, reject) => (close = reject));
  never.catch(() => undefined);
  const wrap = (store: StorePort): StorePort => ({
    ...store,
    commit: async (...change) => {
      if (isDead) return never;
      if (death?.commits === 0) {
        isDead = true;
        return never;
      }
      const version = await store.commit(...change);
      if (isDead) return never;
      commits++;
      isDead = commits === death?.commits;
      return isDead && !death!.told ? never : version;
    },
  });
  const { store = createMemoryStore({ clock }) } = parts;
  const world = await createWorld({ store, clock, wrap, options: { xdms } });
  const end = async (): Promise<World['store']> => {
    const remains = world.store.crash();
    close(new StoreError('STORE_CLOSED', 'the process has ended'));
    await world.actors.stop(0);
    await settle();
    return remains;
  };
  return { world, commits: () => commits, isDead: () => isDead, end };
}

const reportsOf = (world: World): SipOutgoing[] =>
  world.requests('MESSAGE').filter(({ id }) => id === 'report');

/** Time goes on, and whoever is asked answers; the sender repeats what was not answered. */
async function live({ world, isDead }: Life, submitted: string | undefined): Promise<void> {
  const answered = new Set<SipOutgoing>();
  let isAsked = false;
  for (let round = 0; round < 60 && !isDead(); round++) {
    await settle();
    for (const report of reportsOf(world)) {
      if (answered.has(report) || isDead()) continue;
      answered.add(report);
      world.sip.answer(report.owner, 'report', 200);
    }
    await settle();
    const isStored = submitted === undefined || world.status(submitted) === 202;
    if (isStored && !isAsked && round > 5) {
      isAsked = true;
      world.actors.accounts.deleteMessages(account, anySerial).catch(() => 0);
    }
    if (!isDead()) world.clock.advance(1_000);
  }
}

async function rows(world: World): Promise<Record<string, number>> {
  const kinds = ['ua', 'timer', 'outbox'] as const;
  const found = kinds.map(async (kind) => {
    const some = await world.store.scan(account, { kind, limit: 100 });
    return [kind, some.length] as const;
  });
  return Object.fromEntries(await Promise.all(found));
}

/** How the reports of both processes differ: what is sent again is the same to the letter. */
function distinct(reports: readonly SipOutgoing[]): Map<string, Set<string>> {
  const byKind = new Map<string, Set<string>>();
  for (const { body, callId } of reports) {
    const text = body!.toString();
    const kind = text.includes('<failed/>') ? 'failed' : 'stored';
    byKind.set(kind, (byKind.get(kind) ?? new Set()).add(`${callId} ${text}`));
  }
  return byKind;
}

const whole = await (async () => {
  const life = await begin({ xdms: new SimulatedXdms(), clock: new ManualClock() });
  await live(life, life.world.sip.receive(submission));
  return life;
})();

const points = Array.from({ length: whole.commits() + 1 }, (_, commits) => commits);
const deaths = points.flatMap((commits): Death[] =>
  commits === 0 ? [{ commits, told: false }] : [false, true].map((told) => ({ commits, told })),
);

test('an unbroken life leaves nothing, and has told its sender of both ends', async () => {
  // Stored, its history put, reported, deleted, reported, its history taken away.
  expect(whole.commits()).toBeGreaterThanOrEqual(5);
  expect(await rows(whole.world)).toEqual({ ua: 0, timer: 0, outbox: 0 });
  expect([...distinct(reportsOf(whole.world)).keys()].sort()).toEqual(['failed', 'stored']);
});

test.each(deaths)(
  'S1-DEL-ORDER, D-29: a crash behind commit $commits (heard of: $told) ends where an unbroken life does',
  async (death) => {
    const xdms = new SimulatedXdms();
    const clock = new ManualClock();
    const first = await begin({ xdms, clock, death });
    await live(first, first.world.sip.receive(submission));
    expect(first.isDead()).toBe(true);
    const before = reportsOf(first.world);
    const store = await first.end();

    const next = await begin({ xdms, clock, store });
    // Woken for what it owes; the sender repeats what he has heard no answer to (D-18).
    const repeated = death.commits <= 1 ? next.world.sip.receive(submission) : undefined;
    await live(next, repeated);
    expect(await storedFor(next.world, 'tomas')).toBe(0);
    expect(await rows(next.world)).toEqual({ ua: 0, timer: 0, outbox: 0 });
    expect([...xdms.histories.keys()]).toEqual([]);
    const all = distinct([...before, ...reportsOf(next.world)]);
    expect([...all.keys()].sort()).toEqual(['failed', 'stored']);
    for (const [kind, texts] of all) expect([kind, texts.size]).toEqual([kind, 1]);
    // What was confirmed for good is not sent again.
    expect(reportsOf(next.world).length).toBeLessThanOrEqual(2);
  },
);
