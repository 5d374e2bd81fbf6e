/** A retrieval as S3 draws it: the virtual INVITEs, the SENDs, and what is left when it ends early. */

import { expect, test } from 'vitest';
import type { SettingsInput } from '../../src/config.js';
import type { TurnEntry } from '../../src/ports.js';
import {
  bind,
  confirm,
  entry,
  expectRequest,
  invitation,
  listOf,
  listType,
  retrieve,
  storeMessages,
  withLists,
} from './retrieval-scene.js';
import { withServer, type SipScene } from './sip-scene.js';

const noPush: SettingsInput['limits'] = { push: { default: false } };

function recorder() {
  const told: string[] = [];
  const record = (turn: TurnEntry): void => {
    for (const { by, to, event } of turn.told) told.push(`${by ?? 'world'} ${to} ${event.type}`);
  };
  return { told, turns: { record } };
}

test.each([
  ['S3-FOCUS-LIST', [1, 3]],
  ['S3-FOCUS-ALL', undefined],
] as const)(
  '%s, S3-VUA-SEND, S3-RELAY: one virtual INVITE for each message, whose SEND the focus relays, then BYE',
  async (_name, ids) => {
    const { told, turns } = recorder();
    await withServer(
      async (scene) => {
        await storeMessages(scene, 3);
        const list = ids && withLists(listOf(ids.map((id) => entry(id)).join('')));
        const msrp = await bind(
          await retrieve(scene, list === undefined ? {} : { body: list, type: listType }),
        );
        const wanted = ids ?? [1, 2, 3];
        for (const [index, serial] of wanted.entries()) {
          expect(await confirm(msrp, index)).toContain(`message ${serial}`);
          expect((await msrp.request(index)).head.contentType).toContain('message/sipfrag');
        }
        await expectRequest(scene, 'BYE');
        msrp.socket.destroy();
        const invited = told.filter((line) => line.endsWith(' invite'));
        expect(invited).toEqual(wanted.map((serial) => `focus/1 ua/${serial} invite`));
        for (const serial of wanted) {
          const of = (type: string) => told.indexOf(`ua/${serial} focus/1 ua.${type}`);
          expect(of('answered')).toBeGreaterThan(told.indexOf(`focus/1 ua/${serial} invite`));
          expect(of('departed')).toBeGreaterThan(of('answered'));
        }
      },
      noPush,
      'udp',
      {},
      { turns },
    );
  },
);

/** What ends a retrieval, by the state of the focus in which it does. */
const ends: readonly (readonly [string, (scene: SipScene) => Promise<void>])[] = [
  [
    'BYE before the session is bound',
    async (scene) => {
      const { inside } = await retrieve(scene);
      expect((await scene.ask({ method: 'BYE', ...inside, cseq: 2 })).status).toBe(200);
    },
  ],
  [
    'BYE while messages are under way',
    async (scene) => {
      const retrieval = await retrieve(scene);
      const msrp = await bind(retrieval);
      await msrp.request(0);
      expect((await scene.ask({ method: 'BYE', ...retrieval.inside, cseq: 2 })).status).toBe(200);
      msrp.socket.destroy();
    },
  ],
  [
    'loss of the MSRP connection',
    async (scene) => {
      const msrp = await bind(await retrieve(scene));
      await msrp.request(0);
      msrp.socket.destroy();
      await expectRequest(scene, 'BYE');
    },
  ],
  [
    'a session that is never bound',
    async (scene) => {
      await retrieve(scene);
      await expectRequest(scene, 'BYE');
    },
  ],
  [
    'CANCEL behind the 200, which has no effect, then no ACK until BYE',
    async (scene) => {
      const sketch = { ...invitation(scene), callId: 'late', branch: 'late' };
      const accepted = await scene.ask(sketch);
      expect(accepted.status).toBe(200);
      const { headers: _, body: __, ...bare } = sketch;
      expect((await scene.ask({ ...bare, method: 'CANCEL' })).status).toBe(200);
      const uri = /<([^>]+)>/.exec(accepted.header('Contact')!)![1]!;
      const inside = { uri, callId: 'late', to: accepted.header('To')! };
      scene.send({ method: 'ACK', ...inside });
      expect((await scene.ask({ method: 'BYE', ...inside, cseq: 2 })).status).toBe(200);
    },
  ],
];

test.each(ends)(
  'SIP-07, DLG-03, D-73: %s releases every lease, and the message stays new',
  (_name, end) =>
    withServer(
      async (scene) => {
        await storeMessages(scene, 2);
        await end(scene);
        // Whatever was leased can be had again, and nothing was counted as read.
        const again = await bind(await retrieve(scene, { callId: 'again' }));
        expect(await confirm(again, 0)).toContain('message 1');
        expect(await confirm(again, 1)).toContain('message 2');
        await expectRequest(scene, 'BYE');
        again.socket.destroy();
        await scene.ask({ method: 'OPTIONS', uri: 'sip:Deferred@store.example.org' });
        expect((await scene.world.server.counted())['actors.sessions']).toBe(0);
      },
      { ...noPush, retrieval: { waitMs: 1_500 } },
    ),
);
