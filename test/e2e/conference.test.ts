/** The conference package of a retrieval at the wire (RFC 4575, RFC 4579, CNF-01). */

import { expect, test } from 'vitest';
import type { SettingsInput } from '../../src/config.js';
import { responseTo } from '../../src/testing/sip-peer.js';
import type { HeaderField, SipRequest } from '../../src/wire/sip/message.js';
import { parseConferenceInfo } from '../../src/wire/xml/conference-info.js';
import {
  bind,
  confirm,
  entry,
  expectRequest,
  listOf,
  listType,
  retrieve,
  storeMessages,
  withLists,
  type Retrieving,
} from './retrieval-scene.js';
import { contactOf, withServer, type Sketch, type SipScene } from './sip-scene.js';
import { serialsOf } from './world.js';

const quick: SettingsInput['limits'] = {
  push: { default: false },
  conference: { throttleMs: 1 },
};

function subscription(
  scene: SipScene,
  { inside }: Retrieving,
  more: Partial<Sketch> & { readonly given?: readonly HeaderField[] } = {},
): Sketch {
  const { given = [['Expires', '600']], ...rest } = more;
  return {
    method: 'SUBSCRIBE',
    uri: inside.uri,
    callId: 'watch',
    headers: [contactOf(scene), ['Event', 'conference'], ...given],
    ...rest,
  };
}

function infoOf(notify: SipRequest) {
  expect(notify.header('Event')).toBe('conference');
  expect(notify.header('Content-Type')).toBe('application/conference-info+xml');
  return parseConferenceInfo(notify.body);
}

test('CNF-01, CONF-02: full state first, then what has changed, then the end of the conference', () =>
  withServer(async (scene) => {
    await storeMessages(scene, 2);
    const ids = (await serialsOf(scene.world)).map((serial) => `sip:${serial}@store.example.org`);
    const retrieval = await retrieve(scene);
    const accepted = await scene.ask(subscription(scene, retrieval));
    expect(accepted.status).toBe(200);
    expect(accepted.header('Expires')).toBe('600');
    const conference = retrieval.inside.uri.replace(/;.*/, '');
    expect(accepted.header('Contact')).toContain(conference);

    const first = await expectRequest(scene, 'NOTIFY');
    expect(first.header('Subscription-State')).toBe('active;expires=600');
    const full = infoOf(first);
    expect(full).toMatchObject({ entity: conference, state: 'full', version: 1, userCount: 3 });
    expect(full.users).toEqual([
      { entity: 'sip:tomas@example.org', status: 'dialing-in', joining: 'dialed-in' },
      ...ids.map((entity) => ({ entity, status: 'pending' })),
    ]);

    const msrp = await bind(retrieval);
    const statuses = new Map<string, string[]>();
    let version = 1;
    const note = (notify: SipRequest): void => {
      const info = infoOf(notify);
      expect(info).toMatchObject({ state: 'partial', version: ++version });
      for (const { entity, status, disconnection } of info.users) {
        statuses.set(entity, [...(statuses.get(entity) ?? []), disconnection ?? status]);
      }
    };
    for (let told = 0; told < 2; told++) note(await expectRequest(scene, 'NOTIFY'));
    expect(await confirm(msrp, 0)).toContain('message 1');
    note(await expectRequest(scene, 'NOTIFY'));
    expect(await confirm(msrp, 1)).toContain('message 2');
    for (let isOver = false; !isOver;) {
      const { request, reply } = await scene.request();
      reply(responseTo(request, 200));
      if (request.method !== 'NOTIFY') continue;
      note(request);
      isOver = request.header('Subscription-State') === 'terminated;reason=noresource';
    }
    expect(ids).toHaveLength(2);
    for (const id of ids) {
      expect(statuses.get(id)).toEqual(['dialing-out', 'connected', 'departed']);
    }
    msrp.socket.destroy();
  }, quick));

test('CNF-01, LIST-03: no such message, a foreign URI and a message refused by the client', () =>
  withServer(async (scene) => {
    await storeMessages(scene, 1);
    const [serial] = await serialsOf(scene.world);
    const list = listOf([entry(serial!), entry(99), entry('sip:mallory@example.net')].join(''));
    const retrieval = await retrieve(scene, { body: withLists(list), type: listType });
    scene.send(subscription(scene, retrieval));
    expect((await scene.arrival()).message).toMatchObject({ status: 200 });
    const full = infoOf(await expectRequest(scene, 'NOTIFY'));
    const gone = { status: 'disconnected', disconnection: 'failed', reason: 'SIP;cause=404' };
    expect(full.userCount).toBe(4);
    expect(full.users).toContainEqual(
      expect.objectContaining({ entity: 'sip:99@store.example.org', ...gone }),
    );
    expect(full.users).toContainEqual(
      expect.objectContaining({ entity: 'sip:mallory@example.net', ...gone }),
    );
    const msrp = await bind(retrieval);
    await confirm(msrp, 0, 403);
    for (;;) {
      const { request, reply } = await scene.request();
      reply(responseTo(request, 200));
      if (request.method !== 'NOTIFY') continue;
      const user = infoOf(request).users.find(({ entity: uri }) =>
        uri.startsWith(`sip:${serial}@`),
      );
      if (user?.disconnection === 'booted') break;
    }
    msrp.socket.destroy();
  }, quick));

test('CNF-01, RFC 5057: in the dialog of the INVITE, whose CSeq NOTIFY and BYE share', () =>
  withServer(async (scene) => {
    await storeMessages(scene, 1);
    const retrieval = await retrieve(scene);
    const { inside } = retrieval;
    const shared = subscription(scene, retrieval, { ...inside, cseq: 2 });
    expect((await scene.ask(shared)).status).toBe(200);
    const first = await expectRequest(scene, 'NOTIFY');
    expect(first.header('Call-ID')).toBe(inside.callId);
    expect(infoOf(first)).toMatchObject({ state: 'full', version: 1 });
    const again = await scene.ask({ ...shared, cseq: 3 });
    expect(again.status).toBe(200);
    expect(infoOf(await expectRequest(scene, 'NOTIFY'))).toMatchObject({ state: 'full' });
    const msrp = await bind(retrieval);
    await confirm(msrp, 0);
    const cseqs: number[] = [];
    const methods: string[] = [];
    let isFinal = false;
    while (!methods.includes('BYE') || !isFinal) {
      const { request, reply } = await scene.request();
      reply(responseTo(request, 200));
      cseqs.push(Number.parseInt(request.header('CSeq')!, 10));
      methods.push(request.method);
      const state = request.header('Subscription-State');
      isFinal ||= state === 'terminated;reason=noresource';
    }
    expect([...cseqs].sort((one, other) => one - other)).toEqual(cseqs);
    expect(new Set(cseqs).size).toBe(cseqs.length);
    msrp.socket.destroy();
  }, quick));

test('LIST-06, EVT-02: nobody but the owner watches, and learns of no conference', () =>
  withServer(async (scene) => {
    await storeMessages(scene, 1);
    const retrieval = await retrieve(scene);
    const stranger = { identity: '<sip:nia@example.org>' };
    const uri = retrieval.inside.uri;
    const uris = [uri, uri.replace('conf-1', 'conf-9'), uri.replace('tomas', 'nobody')];
    for (const [number, asked] of uris.entries()) {
      const callId = `stranger-${number}`;
      const more = { ...stranger, uri: asked, callId };
      const refused = await scene.ask(subscription(scene, retrieval, more));
      expect(refused.status).toBe(403);
      expect(refused.header('Warning')).toContain('127 Service not authorised');
    }
    const missing = { uri: uri.replace('conf-1', 'conf-9') };
    expect((await scene.ask(subscription(scene, retrieval, missing))).status).toBe(404);
  }, quick));

test.each([
  [
    'EVT-02: another package at a focus',
    [['Event', 'presence']],
    489,
    'Allow-Events',
    'conference',
  ],
  [
    'a body that is not conference-info',
    [['Accept', 'text/plain']],
    406,
    'Accept',
    'application/conference-info+xml',
  ],
  ['EVT-03: too brief', [['Expires', '5']], 423, 'Min-Expires', '60'],
] as const)('CNF-01: %s is refused', (_name, given, status, name, value) =>
  withServer(async (scene) => {
    await storeMessages(scene, 1);
    const retrieval = await retrieve(scene);
    const headers = [contactOf(scene), ['Event', 'conference'] as const].filter(
      ([field]) => !given.some(([other]) => other === field),
    );
    const refused = await scene.ask(
      subscription(scene, retrieval, { headers: [...headers, ...given] }),
    );
    expect(refused.status).toBe(status);
    expect(refused.header(name)).toBe(value);
  }, quick),
);

test('CNF-01: subscriptions to one conference are bounded; Expires: 0 asks once', () =>
  withServer(
    async (scene) => {
      await storeMessages(scene, 1);
      const retrieval = await retrieve(scene);
      const poll = subscription(scene, retrieval, { callId: 'poll', given: [['Expires', '0']] });
      expect((await scene.ask(poll)).status).toBe(200);
      const only = await expectRequest(scene, 'NOTIFY');
      expect(only.header('Subscription-State')).toBe('terminated;reason=timeout');
      expect(infoOf(only)).toMatchObject({ state: 'full', version: 1 });
      expect((await scene.ask(subscription(scene, retrieval))).status).toBe(200);
      await expectRequest(scene, 'NOTIFY');
      const second = subscription(scene, retrieval, { callId: 'second' });
      expect((await scene.ask(second)).status).toBe(503);
    },
    { ...quick, conference: { count: 1 } },
  ));

test('CNF-01: of a large retrieval one NOTIFY names no more users than the bound', () =>
  withServer(
    async (scene) => {
      await storeMessages(scene, 12);
      const retrieval = await retrieve(scene);
      expect((await scene.ask(subscription(scene, retrieval))).status).toBe(200);
      const full = infoOf(await expectRequest(scene, 'NOTIFY'));
      expect(full.userCount).toBe(13);
      expect(full.users).toHaveLength(3);
    },
    { ...quick, conference: { users: 2 } },
  ));

test('SIP-08, CONF-01: OPTIONS to the focus says that it is one, and what it notifies', () =>
  withServer(async (scene) => {
    await storeMessages(scene, 1);
    const { inside } = await retrieve(scene);
    const outside = await scene.ask({ method: 'OPTIONS', uri: inside.uri });
    const within = await scene.ask({ method: 'OPTIONS', ...inside, cseq: 2 });
    for (const answer of [outside, within]) {
      expect(answer.status).toBe(200);
      expect(answer.header('Contact')).toContain(';isfocus');
      expect(answer.header('Allow-Events')).toBe('conference');
      expect(answer.header('Allow')).toContain('SUBSCRIBE');
    }
  }, quick));
