/** What a description of media admits, and who connects: the rules, clause by clause. */

import { describe, expect, test } from 'vitest';
import type { Limits, MsrpSdpFacts } from '../../src/machines/facts.js';
import {
  connectTo,
  exceedsMaxSize,
  isActiveAnswerer,
  isActiveOfferer,
  isCarried,
  isOfferToSend,
  isRecvonly,
  isRecvonlyBy,
  isSameSession,
  isUsableAnswer,
  mediaOf,
  recordingRoom,
} from '../../src/machines/policy.js';
import { large, limits, media, offer, pager, path, senderProfile } from './facts.js';

const setups = ['active', 'passive', 'actpass', 'holdconn', undefined] as const;
const directions = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const;

function set(setup: MsrpSdpFacts['setup']): MsrpSdpFacts {
  const { setup: _own, ...rest } = offer;
  return setup === undefined ? rest : { ...rest, setup };
}

function those(holds: (facts: MsrpSdpFacts) => boolean): readonly string[] {
  return directions.filter((direction) => holds({ ...offer, direction }));
}

const withoutPath: MsrpSdpFacts = { ...offer, path: [] };

describe('RFC 4145: who connects', () => {
  test('D-66: as answerer we do, to a peer that waits', () => {
    expect(setups.filter((setup) => isActiveAnswerer(set(setup)))).toEqual(['passive']);
  });

  test('RFC 4975 5.4, SDP-05: as offerer we do, unless the peer does', () => {
    const connecting = ['passive', 'actpass', 'holdconn', undefined];
    expect(setups.filter((setup) => isActiveOfferer(set(setup)))).toEqual(connecting);
  });

  test('what the peer says of itself goes along, and nothing that it does not say', () => {
    const address = { host: '192.0.2.7', port: 2855 };
    const fingerprints = [{ hash: 'sha-256', value: 'AB:CD' }];
    const silent = { ...offer, acceptTypes: [] };
    expect(connectTo(silent, true)).toEqual({ type: 'msrp.connect', path, active: true });
    expect(connectTo({ ...offer, address, fingerprints }, false)).toEqual({
      ...{ type: 'msrp.connect', path, active: false },
      ...{ address, fingerprints, acceptTypes: ['*'] },
    });
  });
});

describe('SDP-02: which direction serves', () => {
  test('an answer to our sendonly lets us send when it receives', () => {
    expect(those((answer) => isUsableAnswer(answer))).toEqual(['sendrecv', 'recvonly']);
    expect(isUsableAnswer(undefined)).toBe(false);
    expect(isUsableAnswer(withoutPath)).toBe(false);
  });

  test('an offer of a sender sends', () => {
    expect(those((one) => isOfferToSend(one))).toEqual(['sendrecv', 'sendonly']);
    expect(isOfferToSend(undefined)).toBe(false);
    expect(isOfferToSend({ ...withoutPath, direction: 'sendonly' })).toBe(false);
  });

  test('D-65: an offer of a retrieval only receives', () => {
    expect(those((one) => isRecvonly(one))).toEqual(['recvonly']);
    expect(isRecvonly(undefined)).toBe(false);
    expect(isRecvonly(withoutPath)).toBe(false);
  });
});

describe('D-65: where recvonly has to be written', () => {
  const by = (recvonly: Limits['retrieval']['recvonly']): Limits => ({
    ...limits,
    retrieval: { ...limits.retrieval, recvonly },
  });
  test.each([
    ['nowhere', undefined, [true, false, false]],
    ['at the media line', { media: 'recvonly' }, [true, true, false]],
    ['in the session', { session: 'recvonly' }, [true, false, false]],
    ['in both', { session: 'recvonly', media: 'recvonly' }, [true, true, true]],
    ['not in the session', { session: 'sendrecv', media: 'recvonly' }, [true, true, false]],
  ] as const)('%s', (_name, written, expected) => {
    const facts = { ...offer, ...(written && { written }) };
    const wants = ['effective', 'media', 'both'] as const;
    expect(wants.map((recvonly) => isRecvonlyBy(facts, by(recvonly)))).toEqual(expected);
    const other = { ...facts, direction: 'sendrecv' as const };
    expect(wants.map((recvonly) => isRecvonlyBy(other, by(recvonly)))).toEqual(
      Array.from(wants, () => false),
    );
  });
});

describe('an offer inside the dialog leaves the media where they are', () => {
  const relayed = ['msrp://relay.example.org:2855/r1;tcp', ...path];
  test.each([
    ['we connect, and it waits', { path, active: true }, path, 'passive', true],
    ['we connect, and it would, too', { path, active: true }, path, 'active', false],
    ['we wait, and it connects', { path, active: false }, path, 'active', true],
    ['we wait, and it would, too', { path, active: false }, path, 'passive', false],
    ['either is well', { path, active: true }, path, 'actpass', true],
    ['another path', { path, active: true }, ['msrp://other.example.org/s2;tcp'], 'actpass', false],
    ['a relay before it', { path, active: true }, relayed, 'actpass', false],
    ['the relay is gone', { path: relayed, active: true }, path, 'actpass', false],
    ['another relay', { path: relayed, active: true }, [...path, ...path], 'actpass', false],
  ] as const)('%s', (_name, session, given, setup, expected) => {
    expect(isSameSession({ ...offer, path: given, setup }, session)).toBe(expected);
  });
});

describe('RFC 4975 8.6: what a client takes', () => {
  test('it is what its description says, in the order of the profile', () => {
    const { acceptTypes, acceptWrappedTypes } = offer;
    expect(mediaOf(offer, limits)).toEqual({ acceptTypes, acceptWrappedTypes });
    const profiled = mediaOf({ ...offer, maxSize: 0 }, { ...limits, profile: senderProfile });
    expect(profiled).toEqual({
      ...{ acceptTypes, acceptWrappedTypes },
      ...{ maxSize: 0, forms: senderProfile.forms },
    });
  });

  test('nothing above max-size is sent', () => {
    const sizes = [pager.size - 1, pager.size, pager.size + 1];
    const exceeded = sizes.map((maxSize) => exceedsMaxSize(pager, { ...media, maxSize }));
    expect(exceeded).toEqual([true, false, false]);
    expect(exceedsMaxSize(pager, media)).toBe(false);
  });
});

test('U18: an INVITE brings what is small, and no report', () => {
  const profiled = { ...limits, profile: senderProfile };
  const { carryMax } = senderProfile;
  expect(isCarried({ ...pager, size: carryMax }, profiled)).toBe(true);
  expect(isCarried({ ...pager, size: carryMax + 1 }, profiled)).toBe(false);
  expect(isCarried({ ...large, size: 1 }, profiled)).toBe(false);
  expect(isCarried({ ...pager, notification: true }, profiled)).toBe(false);
  expect(isCarried(pager, limits)).toBe(false);
});

test('a large message has the room that the quota leaves, and never more than its own', () => {
  const { quota, recording } = limits;
  const rooms = [0, quota.octets - recording.octets + 1, quota.octets, quota.octets + 1];
  expect(rooms.map((octets) => recordingRoom(octets, limits))).toEqual([
    ...[recording.octets, recording.octets - 1, 0, 0],
  ]);
});
