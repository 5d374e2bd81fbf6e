/** U15: what Prometheus is told while messages come in. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { createMemoryStore } from '../../src/store/memory.js';
import { Survey } from '../../src/actors/survey.js';
import { ManualClock } from '../../src/testing/clock.js';
import { silent } from '../store/silent.js';
import { account, startAdmin } from './scene.js';
import type { AdminWorld } from './scene.js';

let world: AdminWorld | undefined;

afterEach(async () => {
  await world?.end();
  world = undefined;
});

type Samples = ReadonlyMap<string, number>;

async function scrape(): Promise<Samples> {
  const { text } = await world!.ask('GET', '/metrics');
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    const found = /^([a-z_]+(?:\{[^}]*\})?) (\S+)$/.exec(line);
    if (found) samples.set(found[1]!, Number(found[2]));
  }
  return samples;
}

async function until(holds: (samples: Samples) => boolean): Promise<Samples> {
  for (;;) {
    const samples = await scrape();
    if (holds(samples)) return samples;
  }
}

const busy = { requestsPerMinute: 100_000 };

test('U15: scraped while messages come in, counts rise, and levels come back to nothing', async () => {
  world = await startAdmin({ admin: busy, bounds: { surveyMs: 20, surveyPauseMs: 0 } });
  const alice = await world.client('alice');
  const users = Array.from({ length: 10 }, (_, index) => `sip:user${index}@example.org`);
  let done = false;
  const load = Promise.all(
    users.flatMap((user) => Array.from({ length: 20 }, (_, n) => alice.send(user, `message ${n}`))),
  ).finally(() => (done = true));
  let before: Samples = new Map();
  let scrapes = 0;
  while (!done) {
    const samples = await scrape();
    scrapes++;
    for (const [name, value] of samples) {
      const rises = /_total$|_bucket\{|_count$|_sum$/.test(name);
      if (rises) expect([name, value >= (before.get(name) ?? 0)]).toEqual([name, true]);
    }
    before = samples;
  }
  await load;
  expect(scrapes).toBeGreaterThan(1);
  const after = await until((samples) => samples.get('poste_restante_survey_messages') === 200);
  expect(Object.fromEntries(after)).toMatchObject({
    poste_restante_survey_accounts: 10,
    poste_restante_survey_unread: 200,
    poste_restante_survey_largest: 20,
    poste_restante_survey_outbox: 0,
    poste_restante_actors_messages_stored_total: 200,
    poste_restante_actors_queue: 0,
    poste_restante_store_pending_commits: 0,
    poste_restante_store_unsorted_files: 0,
  });
  expect(after.get('poste_restante_survey_octets')).toBeGreaterThan(200 * 100);
  const count = after.get('poste_restante_store_commit_seconds_count')!;
  expect(count).toBeGreaterThanOrEqual(10);
  expect(after.get('poste_restante_store_commit_seconds_bucket{le="+Inf"}')).toBe(count);
  expect(after.get('poste_restante_store_commit_seconds_sum')).toBeGreaterThan(0);
});

test('U15: nothing is labelled by a user, and the names on the page for operators are there', async () => {
  world = await startAdmin({ admin: busy, bounds: { surveyMs: 20, surveyPauseMs: 0 } });
  const alice = await world.client('alice');
  for (let n = 0; n < 30; n++) await alice.send(`sip:user${n}@example.org`, 'x');
  const few = await until((samples) => samples.get('poste_restante_survey_accounts') === 30);
  const labels = [...few.keys()].flatMap((name) => name.match(/(?<=[{,])[a-z]+(?==)/g) ?? []);
  expect(new Set(labels)).toEqual(new Set(['le', 'version']));
  for (let n = 30; n < 60; n++) await alice.send(`sip:user${n}@example.org`, 'x');
  const more = await until((samples) => samples.get('poste_restante_survey_accounts') === 60);
  expect([...more.keys()]).toEqual([...few.keys()]);
  const page = readFileSync(
    fileURLToPath(new URL('../../docs/operating.md', import.meta.url)),
    'utf8',
  );
  const named = [...page.matchAll(/`((?:poste_restante|process)_[a-z_]+)`/g)].map(
    ([, name]) => name!,
  );
  expect(named.length).toBeGreaterThan(20);
  const known = new Set([...few.keys()].map((name) => name.replace(/\{.*$/, '')));
  expect(named.filter((name) => !known.has(name) && !known.has(`${name}_count`))).toEqual([]);
});

test('U15: how long the oldest message and the oldest effect wait is told, and a pause is seen', async () => {
  const clock = new ManualClock();
  const store = createMemoryStore({ clock });
  const { version } = await store.load('bob@example.org');
  const at = clock.now();
  await store.commit('bob@example.org', version, {
    puts: [{ key: ['outbox', 1], value: { effect: { type: 'history.rebuild' }, at, token: 't' } }],
    ...{ deletes: [], keeps: [], drops: [] },
  });
  clock.advance(90_000);
  const bounds = { surveyMs: 60_000, surveyPauseMs: 10 };
  const survey = new Survey({ store, clock, log: silent, bounds });
  expect(survey.counters()).toEqual({});
  survey.start();
  while (!('survey.ageSeconds' in survey.counters())) await new Promise(setImmediate);
  expect(survey.counters()).toMatchObject({
    ...{ 'survey.accounts': 1, 'survey.outbox': 1, 'survey.messages': 0 },
    ...{ 'survey.oldestOutboxSeconds': 90, 'survey.oldestUnreadSeconds': 0 },
  });
  clock.advance(30_000);
  expect(survey.counters()).toMatchObject({
    ...{ 'survey.oldestOutboxSeconds': 120, 'survey.ageSeconds': 30 },
  });
  survey.stop();
  await store.close();

  world = await startAdmin({ admin: busy, bounds: { surveyMs: 20 } });
  const alice = await world.client('alice');
  await alice.send('sip:bob@example.org', 'x');
  await world.ask('POST', `${account('bob@example.org')}/pause`);
  const samples = await until((found) => found.get('poste_restante_survey_paused') === 1);
  expect(samples.get('poste_restante_survey_oldest_unread_seconds')).toBeLessThan(60);
});
