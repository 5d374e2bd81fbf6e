/** The server's own sessions through Kamailio as relay: retrieval and push. */

import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { SettingsInput } from '../../../src/config.js';
import { parseSdp, sdpAttribute } from '../../../src/wire/sdp.js';
import { accepted, arrivedText, connectTo, described, ended } from '../../e2e/media-scene.js';
import { mediaLines, pushed, storeText, withMedia } from '../../e2e/media-scene.js';
import { isInstalled } from '../../server-process.js';
import { tlsOptions } from '../../transport/msrp/certificates.js';
import { startRelay } from './kamailio.js';
import type { Kamailio } from '../kamailio.js';

const file = (name: string): string =>
  fileURLToPath(new URL(`../../transport/msrp/certificates/${name}`, import.meta.url));

describe.skipIf(!isInstalled('kamailio')).each(['tcp', 'tls'] as const)(
  'sessions of the server behind Kamailio over %s (skipped where kamailio is not installed)',
  (transport) => {
    const isSecure = transport === 'tls';
    const scheme = isSecure ? 'msrps' : 'msrp';
    const text = 'k'.repeat(40_000);

    function settings(relay: Kamailio): NonNullable<SettingsInput['msrp']> {
      const uri = `${scheme}://127.0.0.1:${relay.port};tcp`;
      const tls = {
        ...{ port: 0, certificate: file('server.pem'), key: file('server.key') },
        ...{ authorities: [file('authority.pem')], preferred: true },
      };
      return {
        relay: { uri, username: 'store', password: 'open sesame' },
        // Kamailio takes frames whole, and none of 64 kB.
        chunkMax: 8_192,
        ...(isSecure && { tls }),
      };
    }

    async function withRelay(play: Parameters<typeof withMedia>[1]): Promise<void> {
      const relay = await startRelay(transport);
      const client = isSecure ? { tls: tlsOptions('server') } : {};
      try {
        await withMedia({ msrp: settings(relay), client }, play);
      } finally {
        await relay.stop();
      }
    }

    test('RLY-01: a push of the server goes through the relay, whoever connects', () =>
      withRelay(async (scene) => {
        await storeText(scene, text);
        const { invite, answer } = await pushed(scene);
        const offer = parseSdp(invite.body);
        const path = sdpAttribute(offer.media[0]!, 'path')!.split(' ');
        expect(path).toHaveLength(2);
        const uri = scene.client.endpoint.reserve('tomas', { secure: isSecure });
        // Before the answer: the relay refuses what comes before it knows the way to the client.
        connectTo(scene, offer, true);
        await answer(described(mediaLines({ uri, setup: 'active' })));
        expect(await arrivedText(scene)).toBe(text);
        await ended(scene);
      }));

    test('RLY-01: a retrieval goes through the relay, the server connects', () =>
      withRelay(async (scene) => {
        await storeText(scene, text);
        const uri = scene.client.endpoint.reserve('tomas', { secure: isSecure });
        const { sdp } = await accepted(scene, described(mediaLines({ uri, setup: 'passive' })));
        connectTo(scene, sdp, false);
        expect(await arrivedText(scene)).toBe(text);
        await ended(scene);
      }));
  },
);
