/** The table of subscriptions to registrations: bounded, counted, and empty at the end. */

import { expect, test } from 'vitest';
import { product } from '../../src/actors/product.js';
import { RegistrationWatches } from '../../src/actors/registration-watches.js';
import type { SipOutgoing, SipPort } from '../../src/ports.js';
import { CountingRandom, ManualClock } from '../../src/testing/clock.js';
import { limits } from '../machines/facts.js';

function scene(count: number) {
  const clock = new ManualClock();
  const sent: SipOutgoing[] = [];
  const sip: Pick<SipPort, 'request' | 'respond' | 'contactUri'> = {
    request: (request) => void sent.push(request),
    respond: () => undefined,
    contactUri: (user) => `sip:${user}@192.0.2.2`,
  };
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const watches = new RegistrationWatches({
    ...{ clock, random: new CountingRandom(), log, limits },
    sip: sip as SipPort,
    regEvent: { expires: 3600, count },
    product: product('0', 'store.example.org'),
    bounds: { bodyBytes: 65_536 },
    users: { account: () => undefined, deferredUri: 'sip:Deferred@store.example.org' },
    submit: () => true,
  });
  const register = (user: string, expires = 600, scscf = 's1'): void =>
    watches.registered({
      account: `${user}@example.org`,
      identity: `sip:${user}@example.org`,
      path: [`<sip:${scscf}.example.org;lr>`],
      im: true,
      expires,
    });
  return { clock, sent, watches, register };
}

test('REG-01: there are no more subscriptions than are allowed', () => {
  const { sent, watches, register } = scene(2);
  for (const user of ['bob', 'carol', 'dave', 'bob']) register(user);
  expect(sent.map(({ uri }) => uri)).toEqual(['sip:bob@example.org', 'sip:carol@example.org']);
  expect(watches.size).toBe(2);
  expect(watches.failed(sent[0]!.owner, sent[0]!.id, 'timeout')).toBe(true);
  expect(watches.size).toBe(1);
  register('dave');
  expect(watches.size).toBe(2);
});

test('REG-01: a farewell counts until it is over, and is not waited for for ever', () => {
  const { clock, sent, watches, register } = scene(1);
  register('bob');
  register('bob', 0);
  expect(watches.size).toBe(1);
  register('bob');
  expect(sent).toHaveLength(1);
  clock.advance(60_000);
  expect(watches.size).toBe(0);
});

test('REG-01: another S-CSCF is subscribed to in place of the former one', () => {
  const { sent, register } = scene(8);
  register('bob');
  register('bob', 600, 's2');
  expect(sent.map(({ route }) => route[0])).toEqual([
    '<sip:s1.example.org;lr>',
    '<sip:s2.example.org;lr>',
  ]);
});

test('REG-01: owners of others are left alone, and nothing happens after the end', () => {
  const { clock, sent, watches, register } = scene(8);
  expect(watches.failed('bob@example.org#push/1', 'invite', 'timeout')).toBe(false);
  expect(watches.failed('bob#registrations/1@example.org#push/1', 'x', 'timeout')).toBe(false);
  register('bob');
  watches.stop();
  expect(watches.size).toBe(0);
  clock.advance(86_400_000);
  expect(sent).toHaveLength(1);
});
