/** The focus of a retrieval and its virtual UAs, as its conference package and its SENDs show them. */

import { expect, test } from 'vitest';
import type { DeliveredMessage } from '../../src/client/im-client.js';
import { responseTo } from '../../src/testing/sip-peer.js';
import { parseConferenceInfo } from '../../src/wire/xml/conference-info.js';
import {
  bind,
  confirm,
  entry,
  listOf,
  listType,
  retrieve,
  storeMessages,
  withLists,
} from './retrieval-scene.js';
import { contactOf, withServer } from './sip-scene.js';
import { WireLog } from './wire-log.js';
import { startWorld } from './world.js';

const stages = ['pending', 'dialing-out', 'connected', 'departed'];
const list = listOf([entry(1), entry(3)].join(''));

test('S3-FOCUS-LIST, S3-VUA-SEND, D-67: each of the list is invited, sends, and departs', () =>
  conference([1, 3], { body: withLists(list), type: listType }));

test('S3-FOCUS-ALL, S3-VUA-SEND, D-67: every one is without a list', () => conference([1, 2, 3]));

test('S3-RELAY, D-05, D-49: what a retrieval relays has the form of a push, octet by octet', async () => {
  const world = await startWorld({ push: { after: 'keep' } });
  try {
    const alice = await world.client('alice');
    const bodies = [Buffer.from('Grüße'), Buffer.from([0, 1, 255]), Buffer.alloc(0)];
    for (const body of bodies) {
      const contentType = 'application/octet-stream';
      await alice.send('sip:bob@example.org', body, { contentType, subject: 'Keys' });
    }
    const wire = new WireLog();
    const bob = await world.client('bob', { trace: wire });
    const deliveries = bob.deliveries();
    await bob.register();
    const pushed: DeliveredMessage[] = [];
    while (pushed.length < bodies.length) pushed.push((await deliveries.next()).value!);
    const { messages } = await bob.retrieve();
    expect(messages.map(({ payload }) => payload.toString('hex'))).toEqual(
      pushed.map(({ payload }) => payload.toString('hex')),
    );
    const heads = wire.frames('in', 'SEND').map(ofMessage);
    expect(heads).toHaveLength(2 * bodies.length);
    expect(heads.slice(bodies.length)).toEqual(heads.slice(0, bodies.length));
    for (const head of heads) {
      expect(head.join('\n')).toMatch(/^Content-Type: message\/sipfrag;version=2\.0$/m);
      expect(head.join('\n')).toMatch(/^Content-Disposition: render;creation-date="/m);
    }
  } finally {
    await world.end();
  }
});

/** A retrieval of these of three messages, which a subscription to its conference watches. */
function conference(
  serials: readonly number[],
  invitation: { readonly body?: string; readonly type?: string } = {},
): Promise<void> {
  return withServer(
    async (scene) => {
      await storeMessages(scene, 3);
      const retrieval = await retrieve(scene, invitation);
      scene.send({
        method: 'SUBSCRIBE',
        uri: retrieval.inside.uri,
        callId: 'watch',
        headers: [contactOf(scene), ['Event', 'conference'], ['Expires', '600']],
      });
      expect((await scene.arrival()).message).toMatchObject({ status: 200 });
      const lives = new Map<string, string[]>();
      let isOver = false;
      const note = async (): Promise<void> => {
        const { request, reply } = await scene.request();
        reply(responseTo(request, 200));
        if (request.method !== 'NOTIFY') return;
        isOver = request.header('Subscription-State')!.startsWith('terminated');
        for (const { entity, status, disconnection } of parseConferenceInfo(request.body).users) {
          lives.set(entity, [...(lives.get(entity) ?? []), disconnection ?? status]);
        }
      };
      await note();
      const msrp = await bind(retrieval);
      for (const [index, serial] of serials.entries()) {
        expect(await confirm(msrp, index)).toContain(`message ${serial}`);
      }
      while (!isOver) await note();
      const uris = serials.map((serial) => `sip:${serial}@store.example.org`);
      expect([...lives.keys()].sort()).toEqual([...uris, 'sip:tomas@example.org']);
      for (const uri of uris) {
        // Changes that come fast are told together.
        const life = lives.get(uri)!;
        expect(life).toEqual(stages.filter((stage) => life.includes(stage)));
        expect(life).toEqual(expect.arrayContaining(['pending', 'dialing-out', 'departed']));
      }
      msrp.socket.destroy();
    },
    { push: { default: false }, conference: { throttleMs: 1 } },
  );
}

/** What a SEND says of its message: neither transaction nor paths. */
function ofMessage(frame: string): string[] {
  return frame.split('\r\n').filter((line) => /^(?!To-Path|From-Path)[\w-]+: /.test(line));
}
