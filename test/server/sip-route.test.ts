/** Where the front of several shards sends what comes in (ADR 0017). */

import { expect, test } from 'vitest';
import { AssociatedIdentities } from '../../src/actors/associated-identities.js';
import { ServedUsers } from '../../src/actors/served-users.js';
import { shardAmong } from '../../src/cluster/layout.js';
import { SipRoute } from '../../src/server/sip-route.js';
import { ManualClock } from '../../src/testing/clock.js';
import { parseSip } from '../../src/wire/sip/parse.js';

const shards = 16;
const bound = 4;
const peer = { transport: 'udp', address: '192.0.2.1', port: 5060 } as const;
const noLog = { debug() {}, info() {}, warn() {}, error() {} };

function routeOf(): SipRoute {
  const associated = new AssociatedIdentities({
    ...{ bound: 10, lastingMs: 1_000, clock: new ManualClock(), log: noLog, store: undefined },
  });
  const users = new ServedUsers({
    ...{ hostname: 'store.example.org', domains: ['example.org'], associated },
  });
  return new SipRoute({ users, shards, isTrusted: () => true, bodyBytes: 65_536, invites: bound });
}

interface Writing {
  readonly uri: string;
  readonly branch?: string;
  readonly callId?: string;
  readonly to?: string;
  readonly from?: string;
  /** Asserted; CANCEL has none. */
  readonly identity?: string;
}

function write(method: string, writing: Writing) {
  const { uri, branch = 'b', callId = 'call', to, from, identity } = writing;
  const lines = [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK${branch}`,
    `From: ${from ?? '<sip:alice@example.com>;tag=a1'}`,
    `To: ${to ?? `<${uri}>`}`,
    `Call-ID: ${callId}`,
    `CSeq: 1 ${method}`,
    ...(identity === undefined ? [] : [`P-Asserted-Identity: <${identity}>`]),
    'Content-Length: 0',
  ];
  return parseSip(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`));
}

const shardOf = (user: string): number => shardAmong(`${user}@example.org`, shards);

/** A request of a client that was called: it writes the caller, whose tag is none of ours, into To. */
const called = (user: string, method: string) =>
  write(method, {
    uri: `sip:bridge-1.${user}%40example.org@192.0.2.9:5060`,
    branch: `${method}${user}`,
    from: `<sip:${user}@example.org>;tag=client`,
    to: '<sip:alice@example.com>;tag=a1',
  });

test.each(['BYE', 'INVITE', 'ACK', 'UPDATE', 'OPTIONS', 'CANCEL'])(
  'D-12: %s of a client in a session that is passed on goes to the shard of its user, whoever has the same Call-ID',
  (method) => {
    const route = routeOf();
    expect(shardOf('bob')).not.toBe(shardOf('carol'));
    // RFC 3261 16.7: branches of one request have one Call-ID and one tag of the caller.
    for (const user of ['bob', 'carol']) {
      const invite = write('INVITE', { uri: `sip:${user}@example.org`, branch: user });
      expect(route.shardOf(invite, peer)).toBe(shardOf(user));
    }
    for (const user of ['bob', 'carol']) {
      expect(route.shardOf(called(user, method), peer)).toBe(shardOf(user));
    }
  },
);

test('D-12: a session that is passed on stands however many INVITEs come behind it', () => {
  const route = routeOf();
  route.shardOf(write('INVITE', { uri: 'sip:bob@example.org' }), peer);
  for (let other = 0; other <= bound; other++) {
    const more = { uri: 'sip:carol@example.org', branch: `o${other}`, callId: `o${other}` };
    route.shardOf(write('INVITE', more), peer);
  }
  expect(route.shardOf(called('bob', 'BYE'), peer)).toBe(shardOf('bob'));
});

test('RFC 3261 9.1: CANCEL goes where its INVITE went, which is remembered of as many as the bound says', () => {
  const route = routeOf();
  const uri = 'sip:Deferred@store.example.org';
  const fetch = (branch: string) =>
    route.shardOf(write('INVITE', { uri, branch, identity: 'sip:bob@example.org' }), peer);
  const cancel = (branch: string) => route.shardOf(write('CANCEL', { uri, branch }), peer);
  expect(shardOf('bob')).not.toBe(0);
  expect(fetch('first')).toBe(shardOf('bob'));
  expect(cancel('first')).toBe(shardOf('bob'));
  for (let other = 0; other < bound; other++) fetch(`o${other}`);
  expect(cancel(`o${bound - 1}`)).toBe(shardOf('bob'));
  expect(cancel('first')).toBe(0);
});
