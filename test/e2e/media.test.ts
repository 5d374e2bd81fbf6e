/** The server's own MSRP sessions: TLS with fingerprints, several lines, addresses of ALGs. */

import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { SettingsInput } from '../../src/config.js';
import { formatFingerprint } from '../../src/wire/msrp/fingerprint.js';
import { parseSdp, sdpAttribute } from '../../src/wire/sdp.js';
import type { Sdp } from '../../src/wire/sdp.js';
import { fingerprintOf, tlsOptions } from '../transport/msrp/certificates.js';
import {
  accepted,
  arrivedText,
  connectTo,
  described,
  ended,
  fingerprintLine,
  mediaLines,
  pushed,
  retrievalOf,
  storeText,
  withMedia,
} from './media-scene.js';
import type { MediaScene } from './media-scene.js';

const file = (name: string): string =>
  fileURLToPath(new URL(`../transport/msrp/certificates/${name}`, import.meta.url));
const tls = {
  ...{ port: 0, certificate: file('server.pem'), key: file('server.key') },
  authorities: [file('authority.pem')],
} satisfies NonNullable<SettingsInput['msrp']>['tls'];
/** No authority vouches for the client: its fingerprint does. */
const selfSigned = { tls: tlsOptions('self-signed') };
const wrong = `a=fingerprint:${formatFingerprint(fingerprintOf('renewed'))}`;

function protoOf(sdp: Sdp, line = 0): string {
  const { port, proto } = sdp.media[line]!;
  return port === 0 ? 'refused' : proto;
}

/** Reserved at the client: its URI, over TLS or not. */
function reserve({ client }: MediaScene, secure: boolean): string {
  return client.endpoint.reserve('tomas', { secure });
}

async function isStillStored(scene: MediaScene): Promise<void> {
  const again = scene.client.endpoint.reserve('again', { secure: false });
  const { sdp } = await accepted(scene, described(mediaLines({ uri: again })), 'again');
  const path = sdpAttribute(sdp.media[0]!, 'path')!.split(' ');
  scene.client.endpoint.connect('again', { path, active: true });
  expect(await arrivedText(scene)).toBe('The keys');
}

test.each([
  ['active', 'the client connects'],
  ['passive', 'the server connects'],
])('MSRP-14: retrieval over msrps with fingerprints, setup %s: %s', (setup) =>
  withMedia({ msrp: { tls }, client: selfSigned }, async (scene) => {
    await storeText(scene, 'The keys');
    const uri = reserve(scene, true);
    const more = [fingerprintLine(scene)];
    const { sdp } = await accepted(scene, described(mediaLines({ uri, setup, more })));
    expect(protoOf(sdp)).toBe('TCP/TLS/MSRP');
    const own = formatFingerprint(fingerprintOf('server'));
    expect(sdpAttribute(sdp.media[0]!, 'fingerprint')).toBe(own);
    expect(sdpAttribute(sdp.media[0]!, 'path')).toMatch(/^msrps:/);
    connectTo(scene, sdp, setup === 'active');
    expect(await arrivedText(scene)).toBe('The keys');
    await ended(scene);
  }),
);

test('MSRP-14: the server connects to no certificate but the one of the fingerprint', () =>
  withMedia({ msrp: { tls }, client: selfSigned }, async (scene) => {
    await storeText(scene, 'The keys');
    const uri = reserve(scene, true);
    const { sdp } = await accepted(
      scene,
      described(mediaLines({ uri, setup: 'passive', more: [wrong] })),
    );
    connectTo(scene, sdp, false);
    await ended(scene);
    expect(scene.client.recorder.heard).toEqual([]);
    await isStillStored(scene);
  }));

test('MSRP-14: a client that shows another certificate than it named is refused', () =>
  withMedia(
    { msrp: { tls: { ...tls, clientCertificate: 'require' } }, client: selfSigned },
    async (scene) => {
      await storeText(scene, 'The keys');
      const uri = reserve(scene, true);
      const { sdp } = await accepted(scene, described(mediaLines({ uri, more: [wrong] })));
      connectTo(scene, sdp, true);
      await scene.client.recorder.hears('lost', 'tomas refused');
      expect(scene.client.recorder.bodies).toEqual([]);
    },
  ));

test('MSRP-14: without a fingerprint a certificate has to have an authority', () =>
  withMedia({ msrp: { tls }, client: selfSigned }, async (scene) => {
    await storeText(scene, 'The keys');
    const uri = reserve(scene, true);
    const { sdp } = await accepted(scene, described(mediaLines({ uri, setup: 'passive' })));
    connectTo(scene, sdp, false);
    await ended(scene);
    await isStillStored(scene);
  }));

test('MSRP-14: a push is offered as preferred, and the fingerprint of the answer counts', () =>
  withMedia({ msrp: { tls: { ...tls, preferred: true } }, client: selfSigned }, async (scene) => {
    await storeText(scene, 'The keys');
    const { invite, answer } = await pushed(scene);
    const offer = parseSdp(invite.body);
    expect(protoOf(offer)).toBe('TCP/TLS/MSRP');
    expect(sdpAttribute(offer.media[0]!, 'setup')).toBe('actpass');
    const own = formatFingerprint(fingerprintOf('server'));
    expect(sdpAttribute(offer.media[0]!, 'fingerprint')).toBe(own);
    const uri = reserve(scene, true);
    connectTo(scene, offer, false);
    const more = [fingerprintLine(scene)];
    await answer(described(mediaLines({ uri, setup: 'passive', more })));
    expect(await arrivedText(scene)).toBe('The keys');
    await ended(scene);
  }));

test('MSRP-14: a push to a client with another certificate ends; the message stays', () =>
  withMedia({ msrp: { tls: { ...tls, preferred: true } }, client: selfSigned }, async (scene) => {
    await storeText(scene, 'The keys');
    const { invite, answer } = await pushed(scene);
    const uri = reserve(scene, true);
    connectTo(scene, parseSdp(invite.body), false);
    await answer(described(mediaLines({ uri, setup: 'passive', more: [wrong] })));
    await ended(scene);
    expect(scene.client.recorder.bodies).toEqual([]);
  }));

const secureLine = mediaLines({ uri: 'msrps://127.0.0.1:7/secure;tcp' });
const plainLine = mediaLines({ uri: 'msrp://127.0.0.1:7/plain;tcp' });
const audio = ['m=audio 4000 RTP/AVP 0'];

test.each([
  ['TLS first, with TLS', { tls }, [secureLine, plainLine], ['TCP/TLS/MSRP', 'refused']],
  ['TLS last, with TLS', { tls }, [plainLine, secureLine], ['TCP/MSRP', 'refused']],
  ['TLS first, without TLS', {}, [secureLine, plainLine], ['refused', 'TCP/MSRP']],
  ['audio between', { tls }, [audio, secureLine, audio], ['refused', 'TCP/TLS/MSRP', 'refused']],
])('SDP-03: the first usable line is taken: %s', (_case, msrp, media, taken) =>
  withMedia({ msrp }, async (scene) => {
    const { sdp } = await accepted(scene, described(...media));
    expect(media.map((_line, at) => protoOf(sdp, at))).toEqual(taken);
  }),
);

test('SDP-03: an offer for TLS only is 488 where the server has no TLS', () =>
  withMedia({}, async (scene) => {
    const answer = await scene.ask(retrievalOf(scene, described(secureLine), 'retrieval'));
    expect(answer.status).toBe(488);
  }));

test.each(['a=fingerprint:sha-256 nothing', 'a=fingerprint:'])(
  'MSRP-14: an offer with %j is refused with 4xx and the server lives',
  (line) =>
    withMedia({ msrp: { tls } }, async (scene) => {
      const offer = described([...secureLine, line]);
      const { status } = await scene.ask(retrievalOf(scene, offer, 'retrieval'));
      expect([400, 488]).toContain(status);
      await accepted(scene, described(plainLine), 'again');
    }),
);

/** A client behind an ALG: its path cannot be reached, c= and m= can. */
function behindAlg(scene: MediaScene, more: readonly string[]): string {
  const uri = reserve(scene, false);
  const port = Number(/:(\d+)\//.exec(uri)![1]);
  const hidden = uri.replace(/127\.0\.0\.1:\d+/, 'alg.invalid:1');
  const address = { host: '127.0.0.1', port };
  return described(mediaLines({ uri: hidden, setup: 'passive', address, more }));
}

test('SDP-07: with a=msrp-cema on both sides the server connects to c= and m=', () =>
  withMedia({ msrp: { cema: true } }, async (scene) => {
    await storeText(scene, 'The keys');
    const { sdp } = await accepted(scene, behindAlg(scene, ['a=msrp-cema']));
    expect(sdpAttribute(sdp.media[0]!, 'msrp-cema')).toBe('');
    connectTo(scene, sdp, false);
    expect(await arrivedText(scene)).toBe('The keys');
    await ended(scene);
  }));

test('SDP-07: addresses that differ without it are 488, after all other checks', () =>
  withMedia({ msrp: { cema: true } }, async (scene) => {
    const offer = behindAlg(scene, []);
    const invite = retrievalOf(scene, offer, 'retrieval');
    expect((await scene.ask(invite)).status).toBe(488);
    const tagless = (invite.headers ?? []).filter(([name]) => name !== 'Accept-Contact');
    expect((await scene.ask({ ...invite, headers: tagless, callId: 'two' })).status).toBe(403);
  }));

test('SDP-07: where CEMA is not enabled the path alone counts', () =>
  withMedia({}, async (scene) => {
    await storeText(scene, 'The keys');
    const { sdp } = await accepted(scene, behindAlg(scene, ['a=msrp-cema']));
    expect(sdpAttribute(sdp.media[0]!, 'msrp-cema')).toBeUndefined();
    await ended(scene);
    expect(scene.client.recorder.heard).toEqual([]);
  }));

test('SDP-07: a push says so in its offer, and goes to c= and m= of the answer', () =>
  withMedia({ msrp: { cema: true } }, async (scene) => {
    await storeText(scene, 'The keys');
    const { invite, answer } = await pushed(scene);
    const offer = parseSdp(invite.body);
    expect(sdpAttribute(offer.media[0]!, 'msrp-cema')).toBe('');
    const body = behindAlg(scene, ['a=msrp-cema']);
    connectTo(scene, offer, false);
    await answer(body);
    expect(await arrivedText(scene)).toBe('The keys');
    await ended(scene);
  }));

test('SDP-07: an answer with other addresses that does not agree ends the push', () =>
  withMedia({ msrp: { cema: true } }, async (scene) => {
    await storeText(scene, 'The keys');
    const { answer } = await pushed(scene);
    await answer(behindAlg(scene, []));
    await ended(scene);
    expect(scene.client.recorder.heard).toEqual([]);
  }));

test('SDP-05: holdconn in the offer of a retrieval is ignored: we wait', () =>
  withMedia({}, async (scene) => {
    await storeText(scene, 'The keys');
    const retrieving = scene.client.endpoint.reserve('tomas');
    const held = described(mediaLines({ uri: retrieving, setup: 'holdconn' }));
    const { sdp } = await accepted(scene, held);
    expect(sdpAttribute(sdp.media[0]!, 'setup')).toBe('passive');
    connectTo(scene, sdp, true);
    expect(await arrivedText(scene)).toBe('The keys');
    await ended(scene);
  }));

test('SDP-05: holdconn in the answer to a push is ignored: we connect', () =>
  withMedia({}, async (scene) => {
    await storeText(scene, 'The keys');
    const { invite, answer } = await pushed(scene);
    const uri = scene.client.endpoint.reserve('tomas');
    connectTo(scene, parseSdp(invite.body), false);
    await answer(described(mediaLines({ uri, setup: 'holdconn' })));
    expect(await arrivedText(scene)).toBe('The keys');
    await ended(scene);
  }));
