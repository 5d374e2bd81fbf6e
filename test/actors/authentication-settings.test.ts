import { describe, expect, test } from 'vitest';
import { ConfigError, settingsOf } from '../../src/config.js';
import type { SettingsInput } from '../../src/config.js';
import { maskSecrets, realmOf } from '../../src/settings/identity.js';

const sha = 'ab'.repeat(32);

function identityOf(identity: SettingsInput['identity']) {
  return settingsOf({ identity }).identity;
}

describe('settings of identity', () => {
  test('AUTH-01: SHA-256 and SHA-512-256 are offered, MD5 is not', () => {
    const { digest, credentials, trustedNames, privacy } = identityOf({});
    expect(digest).toMatchObject({
      algorithms: ['SHA-256', 'SHA-512-256'],
      qop: ['auth', 'auth-int'],
      messages: 'optional',
    });
    expect({ credentials, trustedNames, privacy }).toEqual({
      ...{ credentials: {}, trustedNames: [], privacy: 'honour' },
    });
  });

  test('AUTH-01: the realm is the one named, the first domain, or the host of the store', () => {
    const domains = ['*', 'example.org', 'example.net'];
    expect(realmOf(identityOf({ domains, digest: { realm: 'im' } }))).toBe('im');
    expect(realmOf(identityOf({ domains }))).toBe('example.org');
    expect(realmOf(identityOf({ hostname: 'store.example' }))).toBe('store.example');
  });

  test.each<[string, SettingsInput['identity'] & object]>([
    ['nothing', { credentials: { 'sip:bob@example.org': {} } }],
    ['an empty password', { credentials: { 'sip:bob@example.org': { password: '' } } }],
    ['an HA1 cut off', { credentials: { 'sip:bob@example.org': { ha1: { 'SHA-256': 'top' } } } }],
    [
      'an HA1 that is never asked for',
      { credentials: { 'sip:bob@example.org': { ha1: { MD5: 'ab'.repeat(16) } } } },
    ],
    [
      'an unknown key',
      { credentials: { 'sip:bob@example.org': { password: 'secret', pin: 'secret' } as object } },
    ],
  ])('AUTH-03: credentials with %s are refused, and never shown', (_name, identity) => {
    const attempt = (): unknown => identityOf(identity);
    expect(attempt).toThrow(ConfigError);
    expect(attempt).toThrow(/sip:bob@example\.org/);
    expect(attempt).not.toThrow(/secret|abab|top/);
  });

  test('AUTH-03: printed settings show no secret', () => {
    const credentials = { 'sip:bob@example.org': { password: 'hidden', ha1: { 'SHA-256': sha } } };
    const settings = identityOf({ credentials, digest: { secret: 'hidden from everybody' } });
    const shown = JSON.stringify(settings, maskSecrets);
    expect(shown).toContain('sip:bob@example.org');
    expect(shown).not.toMatch(/hidden|abab/);
  });

  test('AUTH-03: HA1 of one offered algorithm is enough', () => {
    const credentials = { 'sip:bob@example.org': { ha1: { 'SHA-512-256': sha } } };
    expect(identityOf({ credentials }).credentials).toEqual(credentials);
  });
});
