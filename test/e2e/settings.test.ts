/** Settings by PUBLISH and by provisioning, seen on the wire (RFC 3903, D-41, D-42). */

import { expect, test } from 'vitest';
import { ManualClock } from '../../src/testing/clock.js';
import type { HeaderField, SipResponse } from '../../src/wire/sip/message.js';
import { writeSettings } from '../../src/wire/xml/settings.js';
import { contactOf, description, hostname, sdpType, store, withServer } from './sip-scene.js';
import type { SipScene, Sketch } from './sip-scene.js';

const tomas = 'sip:tomas@example.org';
const account = 'tomas@example.org';
const event: HeaderField = ['Event', 'im-settings'];
const settingsType: HeaderField = ['Content-Type', 'application/im-settings+xml'];

function publish(
  { ask }: SipScene,
  active: boolean | undefined,
  headers: readonly HeaderField[] = [],
  more: Partial<Sketch> = {},
): Promise<SipResponse> {
  const body = active === undefined ? '' : writeSettings({ offlineDelivery: active }).toString();
  const type = active === undefined ? [] : [settingsType];
  const fields = [event, ...type, ...headers];
  return ask({ method: 'PUBLISH', uri: tomas, headers: fields, body, ...more });
}

function registered(scene: SipScene, expires = '600') {
  const headers = [contactOf(scene), ['Expires', expires]] as const;
  const uri = 'sip:example.org';
  return scene.ask({ method: 'REGISTER', uri, to: `<${tomas}>`, headers });
}

/** Whether a registration is followed by a push; it is refused, so that the message stays. */
async function isPushed(scene: SipScene): Promise<boolean> {
  expect((await registered(scene, '0')).status).toBe(200);
  expect((await registered(scene)).status).toBe(200);
  // What the server says at once comes before its answer to the next request.
  scene.send({ method: 'OPTIONS', uri: tomas, callId: 'fence' });
  const came = new Set<string>();
  while (!came.has('fence') || came.has('INVITE') !== came.has('ACK')) {
    const { message, reply } = await scene.arrival();
    came.add(message.kind === 'request' ? message.method : message.header('Call-ID')!);
    if (message.kind === 'request' && message.method === 'INVITE') reply(refused(message.bytes));
  }
  return came.has('INVITE');
}

function refused(invite: Buffer): Buffer {
  const lines = invite.toString('latin1').split('\r\n');
  const kept = lines.filter((line) => /^(?:Via|From|To|Call-ID|CSeq):/.test(line));
  const to = kept.findIndex((line) => line.startsWith('To:'));
  kept[to] = `${kept[to]};tag=busy`;
  return Buffer.from(['SIP/2.0 486 Busy Here', ...kept, 'Content-Length: 0', '', ''].join('\r\n'));
}

test('PUB-01: initial, refresh, modification, removal; each with a new SIP-ETag', () =>
  withServer(async (scene) => {
    const initial = await publish(scene, false, [['Expires', '600']]);
    expect([initial.status, initial.header('Expires')]).toEqual([200, '600']);
    const first = initial.header('SIP-ETag')!;
    expect(initial.fields('Record-Route')).toEqual([]);
    const refresh = await publish(scene, undefined, [
      ['SIP-If-Match', first],
      ['Expires', '900'],
    ]);
    expect([refresh.status, refresh.header('Expires')]).toEqual([200, '900']);
    const second = refresh.header('SIP-ETag')!;
    expect((await publish(scene, undefined, [['SIP-If-Match', first]])).status).toBe(412);
    const modified = await publish(scene, true, [['SIP-If-Match', second]]);
    const third = modified.header('SIP-ETag')!;
    expect([modified.status, modified.header('Expires')]).toEqual([200, '3600']);
    expect(new Set([first, second, third]).size).toBe(3);
    const removal: HeaderField[] = [['SIP-If-Match', third]];
    const removed = await publish(scene, undefined, [...removal, ['Expires', '0']]);
    expect([removed.status, removed.header('Expires')]).toEqual([200, '0']);
    expect((await publish(scene, undefined, removal)).status).toBe(412);
  }));

test('PUB-01: what a PUBLISH must look like', () =>
  withServer(
    async (scene) => {
      const { ask } = scene;
      const sketch = { method: 'PUBLISH', uri: tomas };
      const body = writeSettings({ offlineDelivery: false }).toString();
      const other = await ask({ ...sketch, headers: [['Event', 'presence'], settingsType], body });
      expect([other.status, other.header('Allow-Events')]).toEqual([489, 'im-settings']);
      expect((await ask({ ...sketch, headers: [settingsType], body })).status).toBe(489);
      const type = ['Content-Type', 'application/pidf+xml'] as const;
      const unsupported = await ask({ ...sketch, headers: [event, type], body });
      expect(unsupported.status).toBe(415);
      expect(unsupported.header('Accept')).toBe('application/im-settings+xml');
      const brief = await publish(scene, false, [['Expires', '10']]);
      expect([brief.status, brief.header('Min-Expires')]).toEqual([423, '60']);
      expect((await publish(scene, undefined)).status).toBe(400);
      const bad = await ask({ ...sketch, headers: [event, settingsType], body: '<a>' });
      expect([bad.status, bad.header('Warning')]).toEqual([400, expect.stringContaining('XML_')]);
      expect((await publish(scene, false, [['Require', 'foo']])).status).toBe(420);
      const nia = { identity: '<sip:nia@example.org>' };
      const foreign = await publish(scene, false, [], nia);
      expect(foreign.status).toBe(403);
      expect(foreign.header('Warning')).toContain('127 Service not authorised');
      const nowhere = { uri: 'sip:x@elsewhere.example' };
      expect((await publish(scene, false, [], nowhere)).status).toBe(404);
      const message = { uri: `sip:1@${hostname}` };
      expect((await publish(scene, false, [], message)).status).toBe(405);
      // Beyond the bound nothing is kept; removal makes room.
      const kept = await publish(scene, false);
      expect((await publish(scene, false)).status).toBe(503);
      const removal: HeaderField[] = [['SIP-If-Match', kept.header('SIP-ETag')!]];
      await publish(scene, undefined, [...removal, ['Expires', '0']]);
      expect((await publish(scene, false)).status).toBe(200);
    },
    { publish: { count: 1 } },
  ));

test('IMSpec-DMT-S-008, D-41: published settings decide at the next registration, until they end', () => {
  const clock = new ManualClock();
  return withServer(
    async (scene) => {
      await store(scene);
      expect(await isPushed(scene)).toBe(true); // Absent: the default.
      const off = await publish(scene, false, [['Expires', '600']]);
      expect(off.status).toBe(200);
      expect(await isPushed(scene)).toBe(false);
      await scene.world.restart();
      expect(await isPushed(scene)).toBe(false); // It outlives the process.
      const refresh: HeaderField[] = [['SIP-If-Match', off.header('SIP-ETag')!]];
      const again = await publish(scene, undefined, [...refresh, ['Expires', '600']]);
      expect(again.status).toBe(200);
      clock.advance(599_000);
      expect(await isPushed(scene)).toBe(false);
      clock.advance(1_000);
      expect(await isPushed(scene)).toBe(true);
    },
    {},
    'udp',
    {},
    { clock },
  );
});

test('IMSpec-DMT-S-008, D-41: published wins over provisioned, provisioned over the default', () =>
  withServer(async (scene) => {
    const { accounts } = scene.world.server;
    await store(scene);
    await accounts.configure(account, { offlineDelivery: false });
    expect(await isPushed(scene)).toBe(false);
    const on = await publish(scene, true);
    expect(await isPushed(scene)).toBe(true);
    const later = await publish(scene, false);
    expect(await isPushed(scene)).toBe(false); // The latest publication counts.
    const removal = (etag: string): HeaderField[] => [
      ['SIP-If-Match', etag],
      ['Expires', '0'],
    ];
    await publish(scene, undefined, removal(later.header('SIP-ETag')!));
    expect(await isPushed(scene)).toBe(true);
    await publish(scene, undefined, removal(on.header('SIP-ETag')!));
    expect(await isPushed(scene)).toBe(false);
    await scene.world.restart();
    expect(await isPushed(scene)).toBe(false);
    await scene.world.server.accounts.configure(account, {});
    expect(await isPushed(scene)).toBe(true);
  }));

test('D-42: whenPushActive forbids retrieval only while messages are pushed', () =>
  withServer(
    async (scene) => {
      await store(scene);
      const retrieve = () =>
        scene.ask({
          method: 'INVITE',
          uri: `sip:Deferred@${hostname}`,
          headers: [contactOf(scene), ['Accept-Contact', '*;+g.oma.sip-im'], sdpType],
          body: description({}),
        });
      const forbidden = await retrieve();
      expect(forbidden.status).toBe(403);
      expect(forbidden.header('Warning')).toContain('Policy: messages are pushed');
      expect((await publish(scene, false)).status).toBe(200);
      expect((await retrieve()).status).toBe(200);
    },
    { retrieval: { whenPushActive: 'forbid' } },
  ));
