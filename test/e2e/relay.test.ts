/** The server's own MSRP sessions through a relay that a test plays (RFC 4976). */

import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseSdp, sdpAttribute } from '../../src/wire/sdp.js';
import { until } from '../transport/sip/fixture.js';
import { ScriptedRelay } from '../transport/msrp/scripted-relay.js';
import { accepted, described, ended, mediaLines, pushed } from './media-scene.js';
import { retrievalOf, storeText, withMedia } from './media-scene.js';
import type { MediaScene } from './media-scene.js';

let relay: ScriptedRelay;

beforeEach(async () => {
  relay = new ScriptedRelay();
  await relay.open();
  relay.script = () => [200, `Use-Path: ${relay.uri('far')}`, 'Expires: 1000'];
});

afterEach(() => relay.close());

const passive = mediaLines({ uri: 'msrp://127.0.0.1:7/client;tcp', setup: 'passive' });

function behindRelay(play: (scene: MediaScene) => Promise<void>, waitMs = 5_000): Promise<void> {
  const credentials = { username: 'store', password: 'open sesame' };
  return withMedia({ msrp: { relay: { uri: relay.uri(), waitMs, ...credentials } } }, play);
}

function pathOf(body: Buffer): string[] {
  return sdpAttribute(parseSdp(body).media[0]!, 'path')!.split(' ');
}

test('RLY-01: an answer waits for the relay, and its path leads through it', () =>
  behindRelay(async (scene) => {
    await storeText(scene, 'The keys');
    const { answer } = await accepted(scene, described(passive));
    const [first, own, ...others] = pathOf(answer.body);
    expect(first).toBe(relay.uri('far'));
    expect(own).toMatch(/^msrp:\/\/127\.0\.0\.1:\d+\/\w{22};tcp$/);
    expect(others).toEqual([]);
    // SDP-01: c= and m= are those of the leftmost URI.
    expect(parseSdp(answer.body).media[0]!.port).toBe(relay.port);
    await relay.until(({ sends }) => sends.some(({ fields }) => fields.has('Content-Type')));
    const { fields } = relay.sends.find((send) => send.fields.has('Content-Type'))!;
    expect(fields.get('To-Path')).toBe(`${relay.uri('far')} msrp://127.0.0.1:7/client;tcp`);
    expect(fields.get('From-Path')).toBe(own);
  }));

test('RLY-01: the INVITE of a push waits for the relay, and messages go through it', () =>
  behindRelay(async (scene) => {
    await storeText(scene, 'The keys');
    const { invite, answer } = await pushed(scene);
    expect(pathOf(invite.body)[0]).toBe(relay.uri('far'));
    await answer(described(passive));
    await relay.until(({ sends }) => sends.some(({ fields }) => fields.has('Content-Type')));
  }));

test.each([
  ['that refuses', () => [403] as const],
  ['that answers nonsense', () => [200, 'Use-Path: nowhere'] as const],
  ['that is silent', () => undefined],
])('RLY-01: with a relay %s a retrieval is 503, and the next one asks again', (_what, script) =>
  behindRelay(async (scene) => {
    await storeText(scene, 'The keys');
    relay.script = script;
    const refused = await scene.ask(retrievalOf(scene, described(passive), 'one'));
    expect(refused.status).toBe(503);
    expect(refused.header('Retry-After')).toMatch(/^\d+$/);
    relay.script = () => [200, `Use-Path: ${relay.uri('far')}`];
    await accepted(scene, described(passive), 'two');
  }, 1_000),
);

test('RLY-01: a push that gets no path is tried again', () =>
  withMedia(
    {
      msrp: { relay: { uri: relay.uri(), username: 'store', password: 'x', waitMs: 1_000 } },
      limits: { push: { retryMs: 10 } },
    },
    async (scene) => {
      await storeText(scene, 'The keys');
      relay.script = (_auth, count) =>
        count === 0 ? [403] : [200, `Use-Path: ${relay.uri('far')}`];
      const { invite } = await pushed(scene);
      expect(relay.auths).toHaveLength(2);
      expect(pathOf(invite.body)[0]).toBe(relay.uri('far'));
    },
  ));

test('SIP-07: CANCEL while the relay is asked ends the retrieval', () =>
  behindRelay(async (scene) => {
    await storeText(scene, 'The keys');
    relay.script = () => undefined;
    const invite = { ...retrievalOf(scene, described(passive), 'one'), branch: 'cancelled' };
    scene.send(invite);
    await relay.until(({ auths }) => auths.length === 1);
    const { method: _, body: _body, ...same } = invite;
    scene.send({ ...same, method: 'CANCEL', headers: [] });
    const statuses = new Map<string, number>();
    while (statuses.size < 2) {
      const { message } = await scene.arrival();
      if (message.kind === 'response') {
        statuses.set(message.header('CSeq')!.split(' ')[1]!, message.status);
      }
    }
    expect(Object.fromEntries(statuses)).toEqual({ CANCEL: 200, INVITE: 487 });
    relay.script = () => [200, `Use-Path: ${relay.uri('far')}`];
    await accepted(scene, described(passive), 'two');
  }, 2_000));

test('RLY-01: CANCEL ends what was begun at the relay at once, and no path is asked for', () => {
  const credentials = { username: 'store', password: 'open sesame' };
  const msrp = { idleMs: 20, relay: { uri: relay.uri(), waitMs: 60_000, ...credentials } };
  return withMedia({ msrp }, async (scene) => {
    await storeText(scene, 'The keys');
    relay.script = () => undefined;
    const invite = { ...retrievalOf(scene, described(passive), 'one'), branch: 'cancelled' };
    scene.send(invite);
    await relay.until(({ auths }) => auths.length === 1);
    const closed = once(relay.sockets[0]!, 'close');
    const { method: _, body: _body, ...same } = invite;
    scene.send({ ...same, method: 'CANCEL', headers: [] });
    await until(() => scene.world.server.counters()['actors.sessions'] === 0);
    // The challenge comes for nobody: what it would lead to would stay at the relay.
    const challenge = 'Digest realm="relay", nonce="n", qop="auth"';
    relay.answerLast([401, `WWW-Authenticate: ${challenge}`]);
    await closed;
    expect(relay.auths).toHaveLength(1);
  });
});

test('RLY-01: an empty retrieval is answered however long the relay takes', () => {
  const credentials = { username: 'store', password: 'open sesame' };
  const limits = { retrieval: { emptyMs: 1 } };
  return withMedia(
    { msrp: { relay: { uri: relay.uri(), ...credentials } }, limits },
    async (scene) => {
      relay.script = () => undefined;
      scene.send(retrievalOf(scene, described(passive), 'one'));
      await relay.until(({ auths }) => auths.length === 1);
      // Meanwhile the time in which the session would have to be bound is over several times.
      for (let n = 0; n < 3; n++) await scene.ask({ method: 'OPTIONS', uri: 'sip:example.org' });
      relay.answerLast([200, `Use-Path: ${relay.uri('far')}`]);
      const { message } = await scene.arrival();
      expect(message.kind === 'response' && message.status).toBe(200);
      const to = message.header('To')!;
      const uri = /<([^>]+)>/.exec(message.header('Contact')!)![1]!;
      const from = '<sip:tomas@example.org>;tag=t';
      scene.send({ method: 'ACK', uri, callId: 'one', from, to });
      expect((await ended(scene)).header('Reason')).toContain('No deferred messages');
    },
  );
});
