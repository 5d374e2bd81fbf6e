import { expect, test } from 'vitest';
import { asksForPrivacy } from '../../../src/wire/sip/privacy.js';
import { maskedSip, sipfragOf } from '../../../src/wire/sip/sipfrag.js';
import { messageBytes, request } from './message.js';

const claims = [
  'P-Asserted-Identity: <sip:nia@example.com>',
  'P-Preferred-Identity: <sip:nia@example.com>',
  'P-Served-User: <sip:nia@example.com>;sescase=orig',
];

test.each([
  [['Privacy: id'], true],
  [['Privacy: header; ID ;critical'], true],
  [['Privacy: user', 'Privacy: id'], true],
  [['Privacy: none'], false],
  [['Privacy: identity'], false],
  [[], false],
])('PAI-03: %j asks for privacy of the asserted identity: %s', (fields, asks) => {
  expect(asksForPrivacy(request(messageBytes(fields)))).toBe(asks);
});

test('PAI-01: what nobody trusted has said is in no payload, with or without privacy', () => {
  for (const privacy of [true, false]) {
    const stored = request(messageBytes(claims, Buffer.from('hello')));
    const options = { privacy, unproven: true };
    for (const payload of [sipfragOf(stored, options), maskedSip(stored, options)]) {
      expect(payload.toString()).not.toMatch(/^P-/m);
      expect(payload.toString()).toMatch(/\r\n\r\nhello$/);
    }
  }
});

test('PAI-03: privacy hides both identities; the served user never leaves the network', () => {
  const stored = request(messageBytes([...claims, 'Privacy: id']));
  expect(maskedSip(stored, { privacy: true }).toString()).not.toMatch(/^P-/m);
  const open = maskedSip(request(messageBytes(claims)), { privacy: true }).toString();
  expect(open.match(/^P-[A-Za-z-]*/gm)).toEqual(['P-Asserted-Identity', 'P-Preferred-Identity']);
  expect(stored.bytes.toString()).toContain('P-Served-User');
});
