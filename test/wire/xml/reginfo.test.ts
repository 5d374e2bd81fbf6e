/** Documents of registrations: that of RFC 3680 7, and what is refused. */

import { describe, expect, test } from 'vitest';
import { parseReginfo } from '../../../src/wire/xml/reginfo.js';
import { codeOf } from '../vectors.js';

const open = '<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="1" state="full">';

/** RFC 3680 7, with the parameters of a Contact as in RFC 3680 5.2. */
const example = `<?xml version="1.0"?>
<reginfo xmlns="urn:ietf:params:xml:ns:reginfo"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    version="1" state="partial">
  <registration aor="sip:joe@example.com" id="a7" state="active">
    <contact id="76" state="active" event="registered"
        duration-registered="0" expires="7200" q="0.8">
      <uri>sip:joe@pc887.example.com</uri>
      <display-name xml:lang="en">Joe</display-name>
      <unknown-param name="+g.oma.sip-im"/>
      <unknown-param name="Methods">"INVITE,BYE"</unknown-param>
    </contact>
    <contact id="77" state="terminated" event="expired" duration-registered="7322">
      <uri> sip:joe@university.edu </uri>
    </contact>
  </registration>
</reginfo>`;

test('REG-01: contacts with their state, time left and features', () => {
  const { version, state, registrations } = parseReginfo(Buffer.from(example));
  expect({ version, state }).toEqual({ version: 1, state: 'partial' });
  const params = new Map([
    ['+g.oma.sip-im', ''],
    ['methods', 'INVITE,BYE'],
  ]);
  const contacts = [
    { id: '76', uri: 'sip:joe@pc887.example.com', state: 'active', expires: 7200, params },
    { id: '77', uri: 'sip:joe@university.edu', state: 'terminated', params: new Map() },
  ];
  expect(registrations).toEqual([
    { id: 'a7', aor: 'sip:joe@example.com', state: 'active', contacts },
  ]);
});

const contact = (n: number): string =>
  `<contact id="${n}" state="active" event="created"><uri>sip:c@h</uri></contact>`;
const registration = (inner: string, n = 1): string =>
  `<registration aor="sip:b@h" id="r${n}" state="active">${inner}</registration>`;
const many = (count: number, one: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => one(n)).join('');

describe('REG-01: what is no such document is refused with a code', () => {
  test.each([
    ['XML_NOT_WELL_FORMED', open],
    ['XML_DOCTYPE', '<!DOCTYPE reginfo><reginfo/>'],
    ['REGINFO_ROOT', '<reginfo version="1" state="full"/>'],
    ['REGINFO_ROOT', '<list xmlns="urn:ietf:params:xml:ns:reginfo"/>'],
    ['REGINFO_VERSION', `${open.replace('"1"', '"-1"')}</reginfo>`],
    ['REGINFO_VERSION', `${open.replace('"1"', '"4294967296"')}</reginfo>`],
    ['REGINFO_STATE', `${open.replace('full', 'deleted')}</reginfo>`],
    ['REGINFO_STATE', `${open}<registration aor="a" id="r"/></reginfo>`],
    ['REGINFO_ATTRIBUTE', `${open}<registration aor="a" state="init"/></reginfo>`],
    ['REGINFO_ATTRIBUTE', `${open}${registration(contact(1).replace('id="1"', ''))}</reginfo>`],
    ['REGINFO_URI', `${open}${registration('<contact id="1" state="active"/>')}</reginfo>`],
    ['REGINFO_CONTACTS', `${open}${registration(many(257, contact))}</reginfo>`],
    ['REGINFO_CONTACTS', `${open}${many(65, (n) => registration('', n))}</reginfo>`],
    ['XML_TOO_LONG', `${open}${' '.repeat(65_536)}</reginfo>`],
  ])('%s: %s', (code, text) => {
    expect(codeOf(() => parseReginfo(Buffer.from(text)))).toBe(code);
  });

  test('as many as are taken', () => {
    const text = `${open}${registration(many(256, contact))}</reginfo>`;
    expect(parseReginfo(Buffer.from(text)).registrations[0]!.contacts).toHaveLength(256);
  });
});
