/** The rules of operator and standard, by decision. */

import { describe, expect, test } from 'vitest';
import {
  afterDelivery,
  endsSubscription,
  expiryOf,
  isExpired,
  isInaccessible,
  isTooBrief,
  payloadForm,
  pushRetryAt,
  senderOf,
  subscriptionExpires,
} from '../../src/machines/policy.js';
import { day, large, limits, noon, pager } from './facts.js';

const second = 1000;
const { max, default: fallback } = limits.expiry;

describe('S1 12.4.2.3: expiry', () => {
  test.each([
    ['S1-EXP-KEEP: below the maximum', { expires: 60 }, noon + 60 * second],
    ['S1-EXP-EQUAL, D-20: the maximum', { expires: max }, noon + max * second],
    ['S1-EXP-ABOVE, D-21: above it the default', { expires: max + 1 }, noon + fallback * second],
    ['S1-EXP-ABSENT, D-24: none', {}, noon + fallback * second],
    ['D-22: counted from Date', { expires: 60, date: noon - 50 * second }, noon + 10 * second],
    [
      'D-22: not from a bad clock',
      { expires: 60, date: noon - 2 * day * second },
      noon + 60 * second,
    ],
    ['D-22: at the limit', { expires: 2 * day, date: noon - day * second }, noon + day * second],
  ])('%s', (_name, over, expected) => {
    expect(expiryOf({ ...pager, ...over }, noon, limits)).toBe(expected);
  });

  test('S1-EXP-LM, D-25: a large message has a default of its own', () => {
    expect(expiryOf({ ...large, expires: 60 }, noon, limits)).toBe(noon + 3 * day * second);
    expect(isExpired({ ...large, expires: 0 }, noon, limits)).toBe(false);
  });

  test('D-26: nothing expires when the operator says so', () => {
    const off = { ...limits, expiry: { ...limits.expiry, enabled: false } };
    expect(expiryOf({ ...pager, expires: 60 }, noon, off)).toBeUndefined();
  });

  test.each([
    ['S1-EXP-ZERO, D-23', { expires: 0 }, true],
    ['D-23: past on arrival', { expires: 60, date: noon - 60 * second }, true],
    ['a second is left', { expires: 61, date: noon - 60 * second }, false],
    ['above the maximum the Date does not count', { expires: max + 1, date: noon - 1 }, false],
    ['the maximum, counted from Date', { expires: max, date: noon - 1 }, false],
    ['0 with a Date that is to come', { expires: 0, date: noon + second }, true],
    ['none', {}, false],
    ['none, with a Date', { date: noon - 60 * second }, false],
  ])('%s', (_name, over, expected) => {
    expect(isExpired({ ...pager, ...over }, noon, limits)).toBe(expected);
  });
});

describe('D-48: payload form', () => {
  const form = (message: typeof pager, acceptTypes: string[], acceptWrappedTypes: string[] = []) =>
    payloadForm(message, { acceptTypes, acceptWrappedTypes });

  test.each([
    ['everything', ['*'], [], 'message/sipfrag'],
    ['a range', ['message/*'], [], 'message/sipfrag'],
    ['any case', ['Message/SIP'], [], 'message/sip'],
    ['parameters', ['message/sipfrag;version=2.0'], [], 'message/sipfrag'],
    ['parameters behind a space', [' message/sip ; version=2.0'], [], 'message/sip'],
    ['any type', ['*/*'], [], 'message/sipfrag'],
    ['one of several', ['image/png', 'message/sip'], [], 'message/sip'],
    ['a range of others', ['image/*'], [], undefined],
    ['CPIM', ['message/cpim'], [], 'message/cpim'],
    ['CPIM with what is inside', ['message/cpim'], ['text/plain'], 'message/cpim'],
    ['CPIM without what is inside', ['message/cpim'], ['image/png'], undefined],
    ['nothing of ours', ['text/plain'], [], undefined],
  ])('pager message to a client that takes %s', (_name, types, wrapped, expected) => {
    expect(form(pager, types, wrapped)).toBe(expected);
  });

  test('a message that is CPIM already goes as it is', () => {
    const cpim = { ...pager, contentType: 'message/cpim' };
    expect(form(cpim, ['message/cpim'], ['image/png'])).toBe('message/cpim');
  });

  test('a message without a type is text (RFC 3428 11.1)', () => {
    const { contentType: _type, ...untyped } = pager;
    expect(form(untyped, ['message/cpim'], ['text/plain'])).toBe('message/cpim');
    expect(form(untyped, ['message/cpim'], ['image/png'])).toBeUndefined();
  });

  test.each([
    ['everything', ['*'], [], 'multipart/mixed'],
    ['both parts of a multipart', ['multipart/mixed'], ['message/*'], 'multipart/mixed'],
    ['the first part alone', ['multipart/mixed'], ['message/sipfrag'], undefined],
    ['the second part alone', ['multipart/mixed'], ['message/msrp'], undefined],
    ['multipart of other things', ['multipart/mixed'], ['text/plain'], undefined],
    ['MSRP', ['message/msrp'], [], 'message/msrp'],
    ['the type itself', ['image/*'], [], 'original'],
    ['CPIM', ['message/cpim'], ['*'], 'message/cpim'],
  ])('large message to a client that takes %s', (_name, types, wrapped, expected) => {
    expect(form(large, types, wrapped)).toBe(expected);
  });

  test('behind a refused form the next', () => {
    const any = { acceptTypes: ['*'], acceptWrappedTypes: [] };
    expect(payloadForm(pager, any, 'message/sipfrag')).toBe('message/sip');
    expect(payloadForm(pager, any, 'message/cpim')).toBeUndefined();
  });
});

test('D-32: what becomes of a delivered message', () => {
  expect(afterDelivery('push/1', limits)).toBe('delete');
  expect(afterDelivery('focus/1', limits)).toBe('keep');
});

test('D-12: answers of a user who cannot be reached, and no refusal of a person', () => {
  const statuses = [200, 302, 403, 404, 408, 415, 430, 480, 482, 486, 487, 488, 500, 501, 503, 504];
  const inaccessible = [...statuses, 600, 603].filter((status) => isInaccessible(status));
  expect(inaccessible).toEqual([408, 430, 480, 482, 500, 503, 504]);
});

test('1.6: whose messages come in one session: by identity, reports apart', () => {
  const authId = 'sip:nia@example.org';
  expect(senderOf(pager)).toBe(pager.from);
  expect(senderOf({ ...pager, authId })).toBe(authId);
  expect(senderOf({ ...pager, authId, notification: true })).toBe(`imdn ${authId}`);
});

test('EVT-05: answers to a NOTIFY that end the subscription', () => {
  const statuses = Array.from({ length: 300 }, (_, nth) => 400 + nth);
  expect(statuses.filter((status) => endsSubscription(status))).toEqual([
    ...[404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604],
  ]);
});

test('EVT-03: 423 only below an hour, and only below the minimum', () => {
  const by = (min: number, ...asked: readonly (number | undefined)[]): readonly boolean[] =>
    asked.map((expires) => isTooBrief(expires, { ...limits.subscribe, min }));
  expect(by(60, undefined, 0, 1, 59, 60, 61)).toEqual([false, false, true, true, false, false]);
  expect(by(7200, 3599, 3600, 3601)).toEqual([true, false, false]);
});

test('EVT-03: granted is what was asked for, up to the maximum', () => {
  const { default: usual, max: most } = limits.subscribe;
  const granted = [undefined, 0, 60, most, most + 1].map((expires) =>
    subscriptionExpires(expires, limits.subscribe),
  );
  expect(granted).toEqual([usual, 0, 60, most, most]);
});

test('the back-off doubles up to its maximum, and stays finite', () => {
  const delays = [0, 1, 2, 5, 6, 10_000].map((n) => pushRetryAt(noon, n, limits) - noon);
  expect(delays).toEqual([1000, 2000, 4000, 32_000, 60_000, 60_000]);
});
