/** The rules of operator and standard, by decision. */

import { describe, expect, test } from 'vitest';
import {
  afterDelivery,
  expiryOf,
  isExpired,
  payloadForm,
  pushRetryAt,
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
    ['none', {}, false],
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

  test.each([
    ['everything', ['*'], [], 'multipart/mixed'],
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

test('the back-off doubles up to its maximum, and stays finite', () => {
  const delays = [0, 1, 2, 5, 6, 10_000].map((n) => pushRetryAt(noon, n, limits) - noon);
  expect(delays).toEqual([1000, 2000, 4000, 32_000, 60_000, 60_000]);
});
