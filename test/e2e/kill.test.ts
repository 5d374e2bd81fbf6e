/** `kill -9` of the built server at moments that nobody chose: what it has said stays true. */

import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { SettingsInput } from '../../src/config.js';
import { parseCpim } from '../../src/wire/cpim.js';
import { parseImdn } from '../../src/wire/imdn.js';
import { parseMessageSummary } from '../../src/wire/message-summary.js';
import type { SipRequest } from '../../src/wire/sip/message.js';
import { writeUriList } from '../../src/wire/xml/resource-lists.js';
import { seeded } from '../fault/random.js';
import { asking } from './imdn-scene.js';
import { Answering, withProcess } from './killed-process.js';
import { bind, confirm, expectRequest, retrieve, storeMessages, tomas } from './retrieval-scene.js';
import { contactOf, type Sketch, type WireScene } from './sip-scene.js';

const limits = {
  push: { default: false },
  subscribe: { throttleMs: 1 },
} satisfies SettingsInput['limits'];
const text = [['Content-Type', 'text/plain']] as const;

function subscription(scene: WireScene, expires = '600'): Sketch {
  const headers = [
    contactOf(scene),
    ['Event', 'message-summary'] as const,
    ['Expires', expires] as const,
  ];
  return { method: 'SUBSCRIBE', uri: tomas, headers };
}

const newOf = (notify: SipRequest): number => parseMessageSummary(notify.body).classes[0]!.new;

test('U23, EVT-04: kill -9 leaves the subscription, and its CSeq rises behind every one used', () =>
  withProcess({ limits }, async ({ scene, kill }) => {
    const peer = new Answering(scene);
    expect((await peer.ask(subscription(scene))).status).toBe(200);
    await peer.until(({ length }) => length === 1);
    for (let stored = 1; stored <= 2; stored++) {
      const message = { method: 'MESSAGE', uri: tomas, headers: text, body: 'hi' };
      expect((await peer.ask(message)).status).toBe(202);
      if (stored < 2) await peer.until((all) => all.some((one) => newOf(one) === stored));
      // The last one is killed behind its 202: whether it was notified or not, it will be.
      await kill();
      const poke = { method: 'MESSAGE', uri: tomas, headers: text, body: '', identity: undefined };
      if (stored === 2) expect((await peer.ask(poke)).status).toBe(202);
    }
    await peer.until((all) => all.some((one) => newOf(one) === 3));
    const cseqs = peer.requests.map((one) => Number.parseInt(one.header('CSeq')!, 10));
    const callIds = new Set(peer.requests.map((one) => one.header('Call-ID')));
    expect(callIds.size).toBe(1);
    // Retransmissions of one NOTIFY are the same one.
    const distinct = cseqs.filter((cseq, index) => cseq !== cseqs[index - 1]);
    expect(distinct).toEqual([...new Set(distinct)].sort((one, two) => one - two));
  }));

/** `KILL_ROUNDS=100` for more of them. */
const rounds = Number(process.env['KILL_ROUNDS'] ?? 2);
/** `KILL_SEED` for other moments. */
const draw = seeded(Number(process.env['KILL_SEED'] ?? 20_261_121));
const count = 40;

const many = {
  ...limits,
  subscribe: { throttleMs: 1, headers: 100 },
  deletion: { batch: 2 },
};

/** Message-IDs that these NOTIFYs tell of, each once. */
function addedIn(requests: readonly SipRequest[]): string[] {
  const blocks = requests.filter(({ method }) => method === 'NOTIFY').flatMap(addedBy);
  return [...new Set(blocks)];
}

const addedBy = once(({ body }) =>
  parseMessageSummary(body).headers.map((block) => new Map(block).get('Message-ID')!),
);

/** What comes is looked through anew at each arrival, and each request read once. */
function once<Read>(read: (request: SipRequest) => Read): (request: SipRequest) => Read {
  const known = new WeakMap<SipRequest, Read>();
  return (request) => {
    const before = known.get(request);
    if (before !== undefined) return before;
    const now = read(request);
    known.set(request, now);
    return now;
  };
}

/** What the server says waits for tomas. */
async function waiting(peer: Answering, scene: WireScene): Promise<number> {
  const before = peer.requests.length;
  expect((await peer.ask(subscription(scene, '0'))).status).toBe(200);
  const isPoll = (one: SipRequest): boolean =>
    one.header('Subscription-State')?.startsWith('terminated') ?? false;
  await peer.until((all) => all.slice(before).some(isPoll));
  return newOf(peer.requests.slice(before).find(isPoll)!);
}

test(
  'U2, S1-DEL-ORDER, D-29, U29: a deletion that is killed goes on, and each report is one report',
  { timeout: 60_000 + rounds * 60_000 },
  () =>
    withProcess({ limits: many }, async ({ scene, kill }) => {
      const peer = new Answering(scene);
      // It outlives every kill, and tells the ids of what is added.
      expect((await peer.ask(subscription(scene))).status).toBe(200);
      for (let round = 0; round < rounds; round++) {
        const told = peer.requests.length;
        const ids = Array.from({ length: count }, (_, n) => `round${round}-${n}`);
        const answers = await Promise.all(ids.map((id) => peer.ask(asking(scene, { id }))));
        expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
        await peer.until((all) => addedIn(all.slice(told)).length === count);
        const list = addedIn(peer.requests.slice(told));
        let isAccepted = false;
        const remove = () => {
          const headers = [
            ['Content-Type', 'application/resource-lists+xml'],
            ['Content-Disposition', 'recipient-list'],
            ['Require', 'recipient-list-message'],
          ] as const;
          const body = writeUriList(list).toString();
          const uri = 'sip:Delete@store.example.org';
          return peer.ask({ method: 'MESSAGE', uri, headers, body });
        };
        void remove().then(({ status }) => (isAccepted = status === 202));
        // Anywhere between the request and well behind its last commit.
        await delay(draw(60));
        await kill();
        const left = await waiting(peer, scene);
        if (isAccepted) expect(left).toBeLessThan(count);
        if (left === count) expect((await remove()).status).toBe(202);
        await peer.until((all) => ids.every((id) => reportsOf(all, id).length > 0));
        while ((await waiting(peer, scene)) > 0) await delay(5);
        for (const id of ids) {
          const reports = reportsOf(peer.requests, id);
          // RFC 5438 7.1.1: sent again it is the same, so that its receiver knows it.
          const bodies = reports.map((one) => `${one.header('Call-ID')} ${one.body.toString()}`);
          expect(new Set(bodies).size, id).toBe(1);
          // It was answered before and behind the kill; what was known to be answered is over.
          const attempts = new Set(reports.map((one) => one.header('Via')));
          expect(attempts.size, id).toBeLessThanOrEqual(2);
        }
      }
    }),
);

function reportsOf(requests: readonly SipRequest[], id: string): SipRequest[] {
  return requests.filter((one) => one.method === 'MESSAGE' && reportedBy(one) === id);
}

const reportedBy = once(({ body }) => parseImdn(parseCpim(body).body).messageId);

test.each(['delete', 'keep'] as const)(
  'U1, D-32, D-33: what was confirmed before kill -9 is not delivered again (%s)',
  (after) =>
    withProcess({ limits: { ...limits, retrieval: { after } } }, async ({ scene, kill }) => {
      await storeMessages(scene, 3);
      const msrp = await bind(await retrieve(scene));
      for (const index of [0, 1, 2]) {
        expect(await confirm(msrp, index)).toContain(`message ${index + 1}`);
      }
      // The BYE leaves behind the commit of the last delivery.
      await expectRequest(scene, 'BYE');
      await kill();
      msrp.socket.destroy();
      const fetch = subscription(scene, '0');
      expect((await scene.ask(fetch)).status).toBe(200);
      const notify = await expectRequest(scene, 'NOTIFY');
      const { classes } = parseMessageSummary(notify.body);
      expect(classes[0]).toMatchObject({ new: 0, old: after === 'keep' ? 3 : 0 });
      if (after === 'keep') return;
      await retrieve(scene, { callId: 'again' });
      const bye = await expectRequest(scene, 'BYE');
      expect(bye.header('Reason')).toContain('No deferred messages');
    }),
);
