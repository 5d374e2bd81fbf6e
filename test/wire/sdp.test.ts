/** SDP of MSRP sessions, by vectors and by offer and answer. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answer, effectiveDirection, msrpMedia, offer, parseSdp } from '../../src/wire/sdp.js';
import type { MsrpSdpFacts, SdpDirection, SdpSession } from '../../src/wire/sdp.js';
import { codeOf, textOf, vector, vectors } from './vectors.js';

describe.each(vectors<MsrpSdpFacts | null>('sdp'))('$name', ({ bytes, expect: facts, error }) => {
  test('whole', () => {
    if (error !== undefined) expect(codeOf(() => parseSdp(bytes))).toBe(error);
    else expect(msrpMedia(parseSdp(bytes)) ?? null).toEqual(facts);
  });

  test('cut anywhere, with trailing octets: data or a WireError', () => {
    for (let at = 0; at < Math.min(bytes.length, 2000); at++) {
      codeOf(() => msrpMedia(parseSdp(bytes.subarray(0, at))));
    }
    const trailing = codeOf(() => parseSdp(Buffer.concat([bytes, Buffer.from('\r\nx')])));
    expect(trailing).toMatch(/^SDP_/);
  });
});

const session: SdpSession = {
  sessionId: 6001,
  sessionVersion: 1,
  path: ['msrp://192.0.2.20:2855/aV7y0LmPp3x;tcp'],
  direction: 'sendonly',
  setup: 'actpass',
  acceptTypes: [
    'message/sip',
    'message/sipfrag',
    'message/msrp',
    'message/cpim',
    'multipart/mixed',
  ],
};

const offered = (...lines: string[]) =>
  parseSdp(Buffer.from(textOf(['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 't=0 0', ...lines, ''])));
const message = ['m=message 7394 TCP/MSRP *', 'a=path:msrp://192.0.2.1:7394/abc;tcp'];

describe('offer', () => {
  test('SDP-01: the offer of a push, octet by octet', () => {
    expect(offer(session).toString()).toBe(vector('sdp', '5.5-offer').bytes.toString());
  });

  test('SDP-01: address, port and transport are those of the path', () => {
    const path = ['msrps://[2001:db8::7]:4443/s;tcp'];
    const sdp = parseSdp(offer({ ...session, path, acceptWrappedTypes: ['*'], maxSize: 9 }));
    expect(sdp.connection).toBe('2001:db8::7');
    expect(sdp.origin).toMatchObject({ addressType: 'IP6', address: '2001:db8::7' });
    expect(sdp.media).toMatchObject([{ media: 'message', port: 4443, proto: 'TCP/TLS/MSRP' }]);
    expect(msrpMedia(sdp)).toMatchObject({ path, acceptWrappedTypes: ['*'], maxSize: 9 });
  });

  test('SDP-04: the same session gives the same octets', () => {
    expect(offer(session)).toEqual(offer({ ...session }));
    expect(parseSdp(offer({ ...session, sessionVersion: 2 })).origin.sessionVersion).toBe('2');
  });

  test('refuses a line end in a value', () => {
    const acceptTypes = ['text/plain\r\na=evil'];
    expect(codeOf(() => offer({ ...session, acceptTypes }))).toBe('SDP_FIELD');
    expect(codeOf(() => offer({ ...session, path: ['x\r\n'] }))).toBe('MSRP_URI');
  });
});

describe('answer', () => {
  test('D-66: the answer to a retrieval, octet by octet', () => {
    const retrieval = offered(
      'm=message 9 TCP/MSRP *',
      'a=recvonly',
      'a=setup:active',
      message[1]!,
    );
    const bytes = answer({
      ...session,
      sessionId: 9001,
      path: ['msrp://192.0.2.20:2855/Hc4Rw2Zt8Kd;tcp'],
      setup: 'passive',
      acceptTypes: ['message/sip', 'message/sipfrag', 'message/msrp', 'multipart/mixed'],
      offer: retrieval,
    });
    expect(bytes.toString()).toBe(vector('sdp', '5.6-answer').bytes.toString());
  });

  test('SDP-03: other lines are answered with port 0, in number and order', () => {
    const lines = ['m=audio 4000 RTP/AVP 0 8', 'm=message 5 TCP/MSRP *', ...message];
    const bytes = answer({
      ...session,
      setup: 'passive',
      offer: offered(...lines, 'm=video 4002/2 RTP/AVP 31'),
    });
    const { media } = parseSdp(bytes);
    expect(media.map(({ media: kind, port, proto }) => [kind, port, proto])).toEqual([
      ['audio', 0, 'RTP/AVP'],
      ['message', 0, 'TCP/MSRP'],
      ['message', 2855, 'TCP/MSRP'],
      ['video', 0, 'RTP/AVP'],
    ]);
    expect(media[0]!.formats).toEqual(['0', '8']);
  });

  test('SDP-03: no usable line is 488', () => {
    const given = { ...session, setup: 'passive' as const, offer: offered('m=audio 1 RTP/AVP 0') };
    expect(codeOf(() => answer(given))).toBe('SDP_NO_MSRP');
    expect(() => answer(given)).toThrow(expect.objectContaining({ status: 488 }));
  });

  test.each<[SdpDirection, SdpDirection, SdpDirection]>([
    ['recvonly', 'sendonly', 'sendonly'],
    ['recvonly', 'sendrecv', 'sendonly'],
    ['recvonly', 'recvonly', 'inactive'],
    ['sendonly', 'recvonly', 'recvonly'],
    ['sendonly', 'sendonly', 'inactive'],
    ['sendrecv', 'sendonly', 'sendonly'],
    ['sendrecv', 'sendrecv', 'sendrecv'],
    ['inactive', 'sendrecv', 'inactive'],
  ])('SDP-02: offered %s and wanted %s is %s', (given, direction, result) => {
    const sdp = parseSdp(
      answer({ ...session, direction, setup: 'active', offer: offered(`a=${given}`, ...actpass) }),
    );
    expect(effectiveDirection(sdp, sdp.media[0]!)).toBe(result);
  });

  test.each<[string, SdpSession['setup'], string | undefined]>([
    ['actpass', 'active', undefined],
    ['actpass', 'passive', undefined],
    ['active', 'passive', undefined],
    ['passive', 'active', undefined],
    ['holdconn', 'passive', undefined],
    ['none', 'passive', undefined],
    ['active', 'active', 'SDP_SETUP'],
    ['passive', 'passive', 'SDP_SETUP'],
    ['none', 'active', 'SDP_SETUP'],
    ['actpass', 'actpass', 'SDP_SETUP'],
  ])('SDP-05: offered %s, answered %s', (given, setup, code) => {
    const lines = given === 'none' ? message : [...message, `a=setup:${given}`];
    expect(codeOf(() => answer({ ...session, setup, offer: offered(...lines) }))).toBe(code);
  });
});

const actpass = [...message, 'a=setup:actpass'];

describe('properties', () => {
  test('what is offered is what is parsed', () => {
    const word = fc.stringMatching(/^[a-z]{1,8}\/[a-z*]{1,8}$/);
    const given = fc.record({
      direction: fc.constantFrom('sendrecv', 'sendonly', 'recvonly', 'inactive'),
      setup: fc.constantFrom('active', 'passive', 'actpass'),
      acceptTypes: fc.array(word, { minLength: 1 }),
      acceptWrappedTypes: fc.array(word),
      maxSize: fc.maxSafeNat(),
    });
    fc.assert(
      fc.property(given, (fields) => {
        const path = session.path;
        expect(msrpMedia(parseSdp(offer({ ...session, ...fields })))).toEqual({ path, ...fields });
      }),
    );
  });

  test('any octets are data or a WireError', () => {
    const line = fc.tuple(
      fc.constantFrom('v', 'o', 's', 'c', 't', 'a', 'm', 'b'),
      fc.string({ unit: 'binary' }),
    );
    const text = fc.array(line).map((lines) => lines.map(([type, v]) => `${type}=${v}`).join('\n'));
    fc.assert(
      fc.property(text, (rest) => {
        codeOf(() => msrpMedia(parseSdp(Buffer.from(`v=0\no=- 1 1 IN IP4 h\n${rest}`))));
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        codeOf(() => parseSdp(Buffer.from(bytes)));
      }),
    );
  });
});
