/** Feature preferences and capabilities. */

import { describe, expect, test } from 'vitest';
import {
  failsPreference,
  imCapability,
  namesImTag,
  namesLargeMessageTag,
} from '../../../src/wire/sip/accept-contact.js';
import { parseNameAddr } from '../../../src/wire/sip/name-addr.js';

describe('CAP-02, D-61: Accept-Contact includes +g.oma.sip-im', () => {
  test.each([
    [['*;+g.oma.sip-im'], true],
    [['*;+G.OMA.SIP-IM;require;explicit'], true],
    [['*;audio, *;+g.oma.sip-im'], true],
    [['*;audio', ' * ; require ; +g.oma.sip-im="TRUE" '], true],
    [['*;+g.oma.sip-im="!FALSE"'], true],
    [['*;+g.oma.sip-im="FALSE,TRUE"'], true],
    [['*;+g.oma.sip-im="FALSE"'], false],
    [['*;+g.oma.sip-im="!TRUE"'], false],
    [['*;+g.oma.sip-im.large-message'], false],
    [['*;x="+g.oma.sip-im"'], false],
    [['*;+g.oma.sip-im="<unterminated'], false],
    [['*'], false],
    [[], false],
  ])('%j: %s', (values, expected) => {
    expect(namesImTag(values)).toBe(expected);
  });

  test('D-15: the large-message tag, in Accept-Contact or Contact', () => {
    const tag = '+g.oma.sip-im.large-message';
    expect(namesLargeMessageTag([`*;${tag}`])).toBe(true);
    expect(namesLargeMessageTag([`<sip:a@h>;${tag}`])).toBe(true);
    expect(namesLargeMessageTag([`<sip:a@h;${tag}>`])).toBe(false);
    expect(namesLargeMessageTag(['*;+g.oma.sip-im'])).toBe(false);
  });
});

describe('CAP-01, CAP-04: capabilities of a Contact', () => {
  test.each([
    ['<sip:a@h>', 'unknown'],
    ['<sip:a@h>;q=0.7;expires=60;+sip.instance="<urn:uuid:1>";reg-id=1', 'unknown'],
    ['<sip:a@h>;+g.oma.sip-im', true],
    ['<sip:a@h>;audio;+g.oma.sip-im="TRUE"', true],
    ['<sip:a@h>;+g.oma.sip-im="FALSE"', false],
    ['<sip:a@h>;audio', false],
    ['<sip:a@h>;methods="INVITE,BYE"', false],
    ['<sip:a@h>;+g.3gpp.smsip', false],
    ['<sip:a@h>;constructor', 'unknown'],
  ] as const)('%s: %s', (contact, expected) => {
    expect(imCapability(parseNameAddr(contact).params)).toBe(expected);
  });
});

describe('CAP-03: a preference that is demanded', () => {
  const capabilities = new Map<string, true | readonly string[]>([
    ['automata', true],
    ['+g.oma.sip-im', true],
    ['methods', ['invite', 'bye']],
  ]);
  test.each([
    ['*;+g.oma.sip-im;require;explicit', false],
    ['*;+g.oma.sip-im="TRUE";automata;require;explicit', false],
    ['*;+g.oma.sip-im;video;require;explicit', true],
    ['*;+g.oma.sip-im="!TRUE";require;explicit', true],
    ['*;automata="FALSE";require;explicit', true],
    ['*;methods="INVITE,MESSAGE";require;explicit', false],
    ['*;methods="MESSAGE";require;explicit', true],
    ['*;methods="!MESSAGE";require;explicit', false],
    ['*;video;require', false],
    ['*;video;explicit', false],
    ['*;video', false],
    ['*;+g.oma.sip-im, *;audio;require;explicit', true],
    ['*;require;explicit', false],
    ['*;;;"', false],
  ])('%s', (value, fails) => {
    expect(failsPreference([value], capabilities)).toBe(fails);
  });
});
