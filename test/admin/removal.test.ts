/** What is left of an account that was taken away: nothing, on the wire and in the store. */

import { expect, test } from 'vitest';
import { expectRequest, storeMessages, tomas } from '../e2e/retrieval-scene.js';
import { contactOf, withServer, type SipScene } from '../e2e/sip-scene.js';
import { account, token } from './scene.js';

const aor = 'tomas@example.org';
const path = account(aor);

type Settings = Parameters<typeof withServer>[3];

const settings: Settings = {
  admin: { port: 0, tokens: [{ name: 'tests', token }] },
  identity: { accounts: 'provisioned', registrar: true },
};

async function ask({ world }: SipScene, method: string, at = path, body?: object) {
  const answer = await fetch(`http://127.0.0.1:${world.server.admin!.port}${at}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

/** Subscribed, registered, provisioned and with messages. */
async function lived(scene: SipScene): Promise<void> {
  expect((await ask(scene, 'PUT', path, {})).status).toBe(201);
  await storeMessages(scene, 3);
  await ask(scene, 'PUT', `${path}/settings`, { offlineDelivery: false });
  const registered = await scene.ask({
    method: 'REGISTER',
    uri: 'sip:example.org',
    to: `<${tomas}>`,
    headers: [contactOf(scene)],
  });
  expect(registered.status).toBe(200);
  const headers = [contactOf(scene), ['Event', 'message-summary']] as const;
  const subscribed = await scene.ask({ method: 'SUBSCRIBE', uri: tomas, headers });
  expect(subscribed.status).toBe(200);
  const first = await expectRequest(scene, 'NOTIFY');
  expect(first.header('Subscription-State')).toMatch(/^active/);
}

/** Nothing is kept: no actor, no digest, no timer that would ever wake it. */
async function nothingKept(scene: SipScene): Promise<void> {
  await expect.poll(() => scene.world.server.accounts.accounts({ limit: 10 })).toEqual([]);
}

test('EVT-04, U14: who is taken away is unsubscribed, and leaves no row behind', () =>
  withServer(
    async (scene) => {
      await lived(scene);
      expect(await ask(scene, 'DELETE')).toEqual({ status: 200, body: { deleted: 3 } });
      const last = await expectRequest(scene, 'NOTIFY');
      expect(last.header('Subscription-State')).toBe('terminated;reason=noresource');
      await nothingKept(scene);
      const next = await ask(scene, 'PUT', path, {});
      expect(next.body).toMatchObject({ messages: 0, settings: {}, available: false });
    },
    { push: { default: false } },
    'udp',
    settings,
  ));

test('U14: a removal that was accepted is carried through by the next process', () =>
  withServer(
    async (scene) => {
      await lived(scene);
      const { deleted } = (await ask(scene, 'DELETE')).body;
      expect(deleted).toBe(3);
      const last = await expectRequest(scene, 'NOTIFY');
      expect(last.header('Subscription-State')).toBe('terminated;reason=noresource');
      await scene.world.restart();
      await nothingKept(scene);
      const next = await ask(scene, 'PUT', path, {});
      expect(next.body).toMatchObject({ messages: 0, settings: {}, available: false });
      await storeMessages(scene, 1);
      expect((await ask(scene, 'GET')).body).toMatchObject({ messages: 1, settings: {} });
    },
    { push: { default: false } },
    'udp',
    settings,
  ));
