/** SIP identities out of a SubjectAltName as Node writes it (RFC 5922 7.1, 7.2). */

import { describe, expect, test } from 'vitest';
import { certificateNames, provesHost } from '../../../src/transport/sip/peer-certificate.js';

describe('RFC 5922 7.1: the domains of a certificate', () => {
  test.each<[string, string | undefined, readonly string[]]>([
    ['none without SubjectAltName', undefined, []],
    ['DNS names in lower case', 'DNS:A.example, DNS:b.Example', ['a.example', 'b.example']],
    ['a SIP URI instead of DNS names', 'DNS:a.example, URI:sip:b.example', ['b.example']],
    ['several SIP URIs', 'URI:sip:b.example, URI:SIP:c.example', ['b.example', 'c.example']],
    ['no SIP URI with a user', 'URI:sip:bob@b.example, DNS:a.example', ['a.example']],
    ['no sips URI', 'URI:sips:b.example, DNS:a.example', ['a.example']],
    ['no other URI', 'URI:https://b.example, DNS:a.example', ['a.example']],
    ['no mail address', 'email:a@b.example', []],
    [
      'no name inside a quoted value',
      'DNS:"x.example\\u002c DNS:im.example", DNS:a.example',
      ['x.example, dns:im.example', 'a.example'],
    ],
    ['no name inside another kind', 'URI:"https://x/\\u002c DNS:im.example"', []],
    ['nothing out of a quote without end', 'DNS:"im.example', []],
  ])('%s', (_what, text, domains) => {
    expect(certificateNames(text).domains).toEqual(domains);
  });

  test('a SubjectAltName of a megabyte is read in no time', () => {
    const before = process.cpuUsage();
    const text = `DNS:"${'\\"'.repeat(500_000)}, ${'DNS:a.example, '.repeat(50_000)}`;
    certificateNames(text);
    const { user, system } = process.cpuUsage(before);
    expect(user + system).toBeLessThan(2_000_000);
  });
});

describe('RFC 5922 7.2: the comparison', () => {
  test.each([
    ['DNS:im.example.org', 'im.example.org', true],
    ['DNS:im.example.org', 'IM.EXAMPLE.ORG.', true],
    ['DNS:example.org', 'im.example.org', false],
    ['DNS:*.example.org', 'im.example.org', false],
    ['DNS:*.example.org', '*.example.org', true],
    ['DNS:192.0.2.1', '192.0.2.1', false],
    ['IP Address:192.0.2.1', '192.0.2.1', true],
    ['IP Address:192.0.2.1', '192.0.2.11', false],
    ['IP Address:2001:DB8:0:0:0:0:0:1', '2001:db8::1', true],
    ['IP Address:2001:DB8:0:0:0:0:0:1', '2001:db8::2', false],
    ['DNS:"im.example.org', '', false],
    ['', '', false],
  ])('%s proves %s: %s', (text, host, expected) => {
    expect(provesHost(certificateNames(text), host)).toBe(expected);
  });
});
