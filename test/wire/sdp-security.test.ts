/** Fingerprints, TLS and CEMA in session descriptions. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatFingerprint, parseFingerprint } from '../../src/wire/msrp/fingerprint.js';
import { answer, msrpRemote, offer, parseSdp, sdpAttribute } from '../../src/wire/sdp.js';
import type { SdpSession } from '../../src/wire/sdp.js';
import { codeOf, textOf } from './vectors.js';

const fingerprint = { hash: 'sha-256', value: Array.from({ length: 32 }, () => '4A').join(':') };
const session: SdpSession = {
  ...{ sessionId: 1, sessionVersion: 1, direction: 'sendrecv', setup: 'actpass' },
  path: ['msrps://192.0.2.20:4443/abc;tcp'],
  acceptTypes: ['*'],
  fingerprint,
};
const plain: SdpSession = { ...session, path: ['msrp://192.0.2.20:2855/abc;tcp'] };

const described = (...lines: string[]) =>
  parseSdp(Buffer.from(textOf(['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 't=0 0', ...lines, ''])));
const secure = ['m=message 7394 TCP/TLS/MSRP *', 'a=path:msrps://192.0.2.1:7394/abc;tcp'];
const open = ['m=message 7394 TCP/MSRP *', 'a=path:msrp://192.0.2.1:7394/abc;tcp'];

describe('fingerprints', () => {
  test('MSRP-14: an msrps offer is TCP/TLS/MSRP and has the fingerprint', () => {
    const text = offer(session).toString();
    expect(text).toContain('\r\nm=message 4443 TCP/TLS/MSRP *\r\n');
    expect(text).toContain(`\r\na=fingerprint:sha-256 ${fingerprint.value}\r\n`);
    expect(msrpRemote(parseSdp(Buffer.from(text)))).toEqual({
      path: session.path,
      fingerprints: [fingerprint],
      secure: true,
    });
    expect(offer(plain).toString()).not.toContain('fingerprint');
  });

  test('MSRP-14: those of the media line count before those of the session', () => {
    const [own, general] = ['a=fingerprint:SHA-1 0a:0B', 'a=fingerprint:sha-256 01:02'];
    const both = msrpRemote(described(general, ...secure, own, own));
    expect(both?.fingerprints).toEqual([
      { hash: 'sha-1', value: '0A:0B' },
      { hash: 'sha-1', value: '0A:0B' },
    ]);
    const one = msrpRemote(described(general, ...secure));
    expect(one?.fingerprints).toEqual([{ hash: 'sha-256', value: '01:02' }]);
    expect(msrpRemote(described(...secure))?.fingerprints).toEqual([]);
    expect(msrpRemote(described('m=audio 1 RTP/AVP 0'))).toBeUndefined();
  });

  test.each([
    '',
    'sha-256',
    'sha-256 ',
    'sha-256 4',
    'sha-256 4A:',
    'sha-256 4A:4G',
    ':4A',
    '4A:4B',
  ])('MSRP-14: %j is no fingerprint', (value) => {
    expect(codeOf(() => parseFingerprint(value))).toBe('SDP_FINGERPRINT');
    const sdp = described(...secure, `a=fingerprint:${value}`);
    expect(codeOf(() => msrpRemote(sdp))).toBe('SDP_FINGERPRINT');
  });

  test('MSRP-14: what is written is what is read, in any case', () => {
    const octets = fc.uint8Array({ minLength: 1, maxLength: 64 });
    fc.assert(
      fc.property(octets, fc.constantFrom('sha-1', 'sha-256', 'sha-512'), (bytes, hash) => {
        const value = [...bytes].map((octet) => octet.toString(16).padStart(2, '0')).join(':');
        const read = parseFingerprint(` ${hash.toUpperCase()} ${value} `);
        expect(read).toEqual({ hash, value: value.toUpperCase() });
        expect(parseFingerprint(formatFingerprint(read))).toEqual(read);
      }),
    );
  });

  test.each([
    ['msrps', secure, undefined],
    ['msrps', open, 'SDP_TRANSPORT'],
    ['msrp', secure, 'SDP_TRANSPORT'],
    ['msrp', open, undefined],
  ])('MSRP-14: %s answers %j: %s', (scheme, lines, code) => {
    const given = { ...(scheme === 'msrps' ? session : plain), setup: 'passive' as const };
    expect(codeOf(() => answer({ ...given, offer: described(...lines) }))).toBe(code);
  });
});

describe('CEMA', () => {
  const elsewhere = ['c=IN IP4 203.0.113.9', ...open];
  const agreed = [...elsewhere, 'a=setup:passive', 'a=msrp-cema'];
  const active: SdpSession = { ...plain, setup: 'active', cema: true };

  test('SDP-07: an offer says so only where it is enabled', () => {
    expect(offer(plain).toString()).not.toContain('msrp-cema');
    const sdp = parseSdp(offer({ ...plain, cema: true }));
    expect(sdpAttribute(sdp.media[0]!, 'msrp-cema')).toBe('');
    expect(sdpAttribute(sdp.media[0]!, 'setup')).toBe('actpass');
  });

  test('SDP-07: an answer says so only where the offer does', () => {
    const text = (lines: string[]) => answer({ ...active, offer: described(...lines) }).toString();
    const fitting = ['c=IN IP4 192.0.2.1', ...open, 'a=setup:passive'];
    expect(text(agreed)).toContain('\r\na=msrp-cema\r\n');
    expect(text(fitting)).not.toContain('msrp-cema');
    const off = answer({ ...plain, setup: 'active', offer: described(...agreed) });
    expect(off.toString()).not.toContain('msrp-cema');
  });

  test('SDP-07: with it the address of c= and m= counts, without it that of the path', () => {
    expect(msrpRemote(described(...agreed), true)?.address).toEqual({
      host: '203.0.113.9',
      port: 7394,
    });
    expect(msrpRemote(described(...agreed), false)?.address).toBeUndefined();
    const own = ['m=message 5000 TCP/MSRP *', 'c=IN IP4 203.0.113.9', open[1]!, 'a=msrp-cema'];
    const address = { host: '203.0.113.9', port: 5000 };
    expect(msrpRemote(described('c=IN IP4 192.0.2.1', ...own), true)?.address).toEqual(address);
  });

  test('SDP-07: addresses that differ without it are refused with 488, if it is enabled', () => {
    const sdp = described(...elsewhere, 'a=setup:passive');
    expect(codeOf(() => msrpRemote(sdp, true))).toBe('SDP_CEMA');
    expect(() => answer({ ...active, offer: sdp })).toThrow(
      expect.objectContaining({ code: 'SDP_CEMA', status: 488 }),
    );
    expect(codeOf(() => msrpRemote(sdp))).toBeUndefined();
    expect(codeOf(() => answer({ ...active, cema: false, offer: sdp }))).toBeUndefined();
  });

  test('SDP-07: addresses that agree, in any case and notation, are not refused', () => {
    for (const lines of [
      ['c=IN IP4 192.0.2.1', ...open],
      [
        'c=IN IP4 Host.example.org',
        'm=message 1 TCP/MSRP *',
        'a=path:msrp://host.EXAMPLE.org:1/x;tcp',
      ],
      ['c=IN IP6 2001:DB8::1', 'm=message 1 TCP/MSRP *', 'a=path:msrp://[2001:db8::1]:1/x;tcp'],
      ['c=IN IP4 203.0.113.9', 'm=message 9 TCP/MSRP *', 'a=path:msrp://192.0.2.1:2855/x;tcp'],
      open,
    ]) {
      expect(msrpRemote(described(...lines), true)?.address).toBeUndefined();
    }
  });
});
