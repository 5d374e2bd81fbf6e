import { describe, expect, test } from 'vitest';
import type { AuthenticationOptions } from '../../src/actors/authentication.js';
import { configuredCredentials } from '../../src/actors/authentication-credentials.js';
import { cryptoHash } from '../../src/actors/authentication.js';
import type { Bounds } from '../../src/actors/options.js';
import type { ActorsOptions } from '../../src/actors/options.js';
import type { Association, Peer } from '../../src/ports.js';
import type { HeaderField } from '../../src/wire/sip/message.js';
import { authorization, challengesOf, requestBytes, stranger } from './authentication-world.js';
import type { RequestParts } from './authentication-world.js';
import { createWorld, settle, storedFor } from './world.js';
import type { World } from './world.js';

const trusted: Peer = { transport: 'tcp', address: '127.0.0.1', port: 5060 };
const password = 'zanzibar';
const authentication: AuthenticationOptions = {
  realm: 'example.net',
  credentials: configuredCredentials({ 'sip:bob@example.net': { password } }, cryptoHash),
};

function setUp(options: Partial<ActorsOptions> = {}, bounds: Partial<Bounds> = {}) {
  return createWorld({ options: { trustedPeers: ['127.0.0.1'], ...options }, bounds });
}

async function answerOf(world: World, parts: RequestParts, peer = trusted, owner?: string) {
  const from = owner === undefined ? { peer } : { peer, owner };
  const transaction = world.sip.receive(requestBytes(parts), from);
  await settle();
  for (const call of world.calls) {
    if (call.call === 'respond' && call.transaction === transaction) return call.answer;
  }
  return undefined;
}

async function statusOf(world: World, parts: RequestParts, peer = trusted, owner?: string) {
  return (await answerOf(world, parts, peer, owner))?.status;
}

/** Answers the challenge to a request as bob. */
async function proven(world: World, parts: RequestParts, owner?: string): Promise<RequestParts> {
  const challenge = challengesOf((await answerOf(world, parts, stranger, owner))!.headers)[0]!;
  const { method = 'REGISTER', uri = 'sip:example.net', body } = parts;
  const proof = { username: 'bob', password, method, uri, ...(body && { body }) };
  return { ...parts, headers: [...(parts.headers ?? []), authorization(challenge, proof)] };
}

const subscribe: RequestParts = {
  method: 'SUBSCRIBE',
  uri: 'sip:bob@example.net',
  headers: [['Event', 'message-summary']],
};

function message(to: string, ...headers: HeaderField[]): RequestParts {
  return { method: 'MESSAGE', uri: to, to, headers, body: Buffer.from('hello') };
}

function having(parts: RequestParts, ...headers: HeaderField[]): RequestParts {
  return { ...parts, headers: [...(parts.headers ?? []), ...headers] };
}

const asBob: HeaderField = ['P-Asserted-Identity', '<sip:bob@example.net>'];

describe('trust (RFC 3325)', () => {
  const named = (...names: string[]): Peer => ({ ...stranger, transport: 'tls', names });

  test('PAI-01: an address or the domain of a certificate makes a peer trusted', async () => {
    const world = await setUp({ trustedNames: ['scscf.Example.net', '*.core.example'] });
    const request = having(subscribe, asBob);
    for (const peer of [trusted, named('SCSCF.example.net'), named('x', 'a.core.example')]) {
      expect(await statusOf(world, request, peer)).toBe(200);
    }
    const others = [
      'example.net',
      'core.example',
      'a.b.core.example',
      'scscf.example.net.evil',
      '',
    ];
    for (const name of others) expect(await statusOf(world, request, named(name))).toBe(403);
    expect(await statusOf(world, request, named())).toBe(403);
    expect(await statusOf(world, request, stranger)).toBe(403);
  });

  test('PAI-04: From of a trusted peer authorises nobody', async () => {
    expect(await statusOf(await setUp(), subscribe)).toBe(403);
  });

  test('PAI-02, TEL-01: either of two asserted identities leads to the mailbox', async () => {
    const world = await setUp({ aliases: { 'tel:+12025550147': 'sip:bob@example.net' } });
    const tel: HeaderField = ['P-Asserted-Identity', '<tel:+1-202-555-0147>'];
    expect(await statusOf(world, having(subscribe, tel))).toBe(200);
    const both: HeaderField = ['P-Asserted-Identity', `<sip:x@elsewhere.example>, ${tel[1]}`];
    expect(await statusOf(world, having(subscribe, both))).toBe(200);
    const other: HeaderField = ['P-Asserted-Identity', '<tel:+12025550148>'];
    expect(await statusOf(world, having(subscribe, other))).toBe(403);
  });
});

describe('the served user (RFC 5502)', () => {
  const served = (sessionCase: string): HeaderField => [
    'P-Served-User',
    `<sip:bob@example.net>${sessionCase}`,
  ];
  const asAlice: HeaderField = ['P-Asserted-Identity', '<sip:alice@example.net>'];

  test('RFC 5502 4.4: of an originating case is whose mailbox it is, before P-Asserted-Identity', async () => {
    const world = await setUp();
    const request = having(subscribe, served(';sescase=orig;regstate=reg'), asAlice);
    expect(await statusOf(world, request)).toBe(200);
  });

  test('RFC 5502 4.4: of another case says nothing of the sender', async () => {
    const world = await setUp();
    for (const sessionCase of [';sescase=term;regstate=unreg', ';sescase=orig-cdiv', '']) {
      expect(await statusOf(world, having(subscribe, served(sessionCase), asAlice))).toBe(403);
    }
  });

  test('RFC 5502 4.4: of a terminating case is whom a message is for', async () => {
    const world = await setUp();
    const term = served(';sescase=term;regstate=unreg');
    expect(await statusOf(world, message('tel:+12025550100', term))).toBe(202);
    expect(await statusOf(world, message('sip:old@example.net', term))).toBe(202);
    expect(await storedFor(world, 'bob')).toBe(2);
    expect(await storedFor(world, 'old')).toBe(0);
    expect(await statusOf(world, message('sip:Deferred@s07.example.net', term))).toBe(405);
  });

  test('RFC 5502 4.4: of a stranger is nobody', async () => {
    const world = await setUp();
    const term = served(';sescase=term');
    expect(await statusOf(world, message('tel:+12025550100', term), stranger)).toBe(404);
    const orig = having(subscribe, served(';sescase=orig'));
    expect(await statusOf(world, orig, stranger)).toBe(403);
  });
});

describe('associated identities (RFC 7315 4.1)', () => {
  const associated = (...uris: string[]): HeaderField => [
    'P-Associated-URI',
    uris.map((uri) => `<${uri}>`).join(', '),
  ];
  const thirdParty = (to: string, ...headers: HeaderField[]): RequestParts => ({
    ...{ from: 'sip:scscf.example.net', to },
    headers: [['Expires', '600'], ...headers],
  });
  const bob = 'sip:bob@example.net';
  const tel = 'tel:+12025550147';

  test('U22, TEL-01: a tel identity leads to the mailbox of the sip identity', async () => {
    const world = await setUp();
    expect(await statusOf(world, message(tel))).toBe(404);
    expect(await statusOf(world, thirdParty(bob, associated(bob, tel)))).toBe(200);
    expect(await statusOf(world, message('tel:+1-202-555-0147'))).toBe(202);
    expect(await storedFor(world, 'bob')).toBe(1);
    const asTel: HeaderField = ['P-Asserted-Identity', `<${tel}>`];
    expect(await statusOf(world, having(subscribe, asTel))).toBe(200);
  });

  test('U22: the tel identity may be the one that is registered first', async () => {
    const world = await setUp();
    expect(await statusOf(world, thirdParty(tel, associated(bob, tel)))).toBe(200);
    expect(await statusOf(world, thirdParty(tel))).toBe(200);
    expect(await statusOf(world, message(tel))).toBe(202);
  });

  test('TPR-02: the 200 in the body tells as well, the REGISTER in it does not', async () => {
    const world = await setUp();
    const embedded = (start: string, type: HeaderField = ['Content-Type', 'message/sip']) => ({
      ...thirdParty(bob, type),
      body: Buffer.from(
        `${start}\r\nFrom: <${bob}>;tag=1\r\nTo: <${bob}>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n` +
          `P-Associated-URI: <${bob}>, <${tel}>\r\nContent-Length: 0\r\n\r\n`,
      ),
    });
    expect(await statusOf(world, embedded('REGISTER sip:example.net SIP/2.0'))).toBe(200);
    expect(await statusOf(world, message(tel))).toBe(404);
    expect(await statusOf(world, embedded('SIP/2.0 200 OK'))).toBe(200);
    expect(await statusOf(world, message(tel))).toBe(202);
  });

  test('TPR-06: of a stranger, or of another user, are not learnt', async () => {
    const world = await setUp();
    expect(await statusOf(world, thirdParty(bob, associated(bob, tel)), stranger)).toBe(403);
    const others = associated('sip:alice@example.net', tel);
    expect(await statusOf(world, thirdParty(bob, others))).toBe(200);
    expect(await statusOf(world, message(tel))).toBe(404);
    expect(await statusOf(world, thirdParty('urn:x', associated('urn:y', bob)))).toBe(404);
  });

  test('U22: take no mailbox, alias or address of the store away', async () => {
    const world = await setUp({ aliases: { 'tel:+12025550100': 'sip:alice@example.net' } });
    const stolen = [
      'sip:alice@example.net',
      'tel:+12025550100',
      'sip:Deferred@s07.example.net',
      'tel:911',
    ];
    expect(await statusOf(world, thirdParty(bob, associated(bob, ...stolen)))).toBe(200);
    expect(await statusOf(world, message('sip:alice@example.net'))).toBe(202);
    expect(await statusOf(world, message('tel:+12025550100'))).toBe(202);
    expect(await statusOf(world, message('sip:Deferred@s07.example.net'))).toBe(405);
    expect(await statusOf(world, message('tel:911'))).toBe(404);
    expect(await storedFor(world, 'bob')).toBe(0);
    expect(await storedFor(world, 'alice')).toBe(2);
  });

  test('U22: what the S-CSCF tells last counts', async () => {
    const world = await setUp();
    const alice = 'sip:alice@example.net';
    await statusOf(world, thirdParty(bob, associated(bob, tel)));
    await statusOf(world, thirdParty(alice, associated(alice, tel)));
    await statusOf(world, message(tel));
    expect(await storedFor(world, 'alice')).toBe(1);
    await statusOf(world, thirdParty(bob, associated(bob)));
    expect(await statusOf(world, message(tel))).toBe(202);
    await statusOf(world, thirdParty(alice, associated(alice)));
    expect(await statusOf(world, message(tel))).toBe(404);
  });

  test('U22: outlive the process that learnt them, and the registration by a time', async () => {
    const world = await setUp({}, { identitiesMs: 60_000 });
    expect(await statusOf(world, thirdParty(bob, associated(bob, tel)))).toBe(200);
    const next = await world.crash();
    expect(await statusOf(next, message(tel))).toBe(202);
    next.clock.advance(600_000 + 59_999);
    expect(await statusOf(next, message(tel))).toBe(202);
    next.clock.advance(1);
    expect(await statusOf(next, message(tel))).toBe(404);
    const last = await next.crash();
    expect(await statusOf(last, message(tel))).toBe(404);
    expect(await last.store.associations!.list({ limit: 9 })).toEqual([]);
  });

  test('U22: last from the end of the registration that was told last, identities or not', async () => {
    const world = await setUp({}, { identitiesMs: 60_000 });
    await statusOf(world, thirdParty(bob, associated(bob, tel)));
    world.clock.advance(500_000);
    await statusOf(world, thirdParty(bob));
    world.clock.advance(600_000);
    expect(await statusOf(world, message(tel))).toBe(202);
    // Gone: a minute is left.
    const gone = { ...thirdParty(bob), headers: [['Expires', '0']] as const };
    await statusOf(world, gone);
    world.clock.advance(59_999);
    expect(await statusOf(world, message(tel))).toBe(202);
    const next = await world.crash();
    next.clock.advance(1);
    expect(await statusOf(next, message(tel))).toBe(404);
  });

  test('U22: what another user has taken or made room for is forgotten in the store too', async () => {
    const world = await setUp({}, { identities: 2 });
    const alice = 'sip:alice@example.net';
    await statusOf(world, thirdParty(bob, associated(bob, tel, 'tel:+2')));
    await statusOf(world, thirdParty(alice, associated(alice, tel)));
    await settle();
    const kept = async () => (await world.store.associations!.list({ limit: 9 })).map(brief);
    expect(await kept()).toEqual(['alice@example.net: +12025550147', 'bob@example.net: +2']);
    await statusOf(world, thirdParty(alice, associated(alice, tel, 'tel:+3')));
    await settle();
    expect(await kept()).toEqual(['alice@example.net: +12025550147 +3']);
  });

  test('U22: are learnt up to a bound', async () => {
    const world = await setUp({}, { identities: 2 });
    const learn = (user: string, ...numbers: string[]) => {
      const own = `sip:${user}@example.net`;
      return statusOf(world, thirdParty(own, associated(own, ...numbers)));
    };
    await learn('bob', 'tel:+1', 'tel:+2');
    await learn('alice', 'tel:+3');
    expect(await statusOf(world, message('tel:+1'))).toBe(404);
    expect(await statusOf(world, message('tel:+3'))).toBe(202);
    const many = Array.from({ length: 20 }, (_, n) => `tel:+1${n}`);
    const generous = await setUp();
    const uris = associated(bob, ...many);
    expect(await statusOf(generous, thirdParty(bob, uris))).toBe(200);
    expect(await statusOf(generous, message('tel:+114'))).toBe(202);
    expect(await statusOf(generous, message('tel:+115'))).toBe(404);
  });
});

describe('digest (AUTH-03)', () => {
  test('AUTH-03: a trusted peer is not challenged', async () => {
    const world = await setUp({ authentication });
    expect(await statusOf(world, having(subscribe, asBob))).toBe(200);
    expect(await statusOf(world, subscribe)).toBe(403);
  });

  test('AUTH-03: only whose subscription it is may refresh it', async () => {
    const credentials = configuredCredentials(
      { 'sip:bob@example.net': { password }, 'sip:eve@example.net': { password: 'eve' } },
      cryptoHash,
    );
    const world = await setUp({ authentication: { realm: 'example.net', credentials } });
    const granted = await answerOf(world, await proven(world, subscribe), stranger);
    expect(granted?.status).toBe(200);
    const contact = granted!.headers.find(([name]) => name === 'Contact')![1];
    const uri = /<([^>]*)>/.exec(contact)![1]!;
    const refresh = { ...subscribe, uri, toTag: granted!.localTag! };
    const [challenge] = challengesOf((await answerOf(world, refresh, stranger))!.headers);
    const proof = { username: 'eve', password: 'eve', method: 'SUBSCRIBE', uri };
    const foreign = having(refresh, authorization(challenge!, proof));
    expect(await statusOf(world, foreign, stranger)).toBe(403);
    // Of another dialog, but of the right user.
    expect(await statusOf(world, await proven(world, refresh), stranger)).toBe(481);
  });

  test('AUTH-03: a re-INVITE is challenged, and is for the user of the session only', async () => {
    const world = await setUp({ authentication });
    const invite = { method: 'INVITE', uri: 'sip:Deferred@s07.example.net' };
    const focus = (user: string): string => `${user}@example.net#focus/1`;
    expect(await statusOf(world, invite, stranger, focus('bob'))).toBe(401);
    const others = await proven(world, invite, focus('alice'));
    expect(await statusOf(world, others, stranger, focus('alice'))).toBe(403);
    const bye = { ...invite, method: 'BYE' };
    expect(await statusOf(world, bye, stranger, focus('bob'))).not.toBe(401);
  });

  test('D-19: the proven identity of a sender is kept, unless he asks for privacy', async () => {
    const put = async (...headers: HeaderField[]) => {
      const world = await createWorld({
        xdms: true,
        options: { trustedPeers: [], authentication },
      });
      const [challenge] = challengesOf((await answerOf(world, subscribe, stranger))!.headers);
      const uri = 'sip:alice@example.net';
      const proof = {
        username: 'bob',
        password,
        method: 'MESSAGE',
        uri,
        body: Buffer.from('hello'),
      };
      const proved = message(uri, authorization(challenge!, proof), ...headers);
      expect(await statusOf(world, proved, stranger)).toBe(202);
      await settle();
      const call = world.calls.find(({ call: name }) => name === 'history.put');
      return call?.call === 'history.put' ? call.history : undefined;
    };
    expect(await put()).toMatchObject({ authId: 'sip:bob@example.net' });
    expect(await put(['Privacy', 'header;id'])).not.toHaveProperty('authId');
    expect(await put(['P-Asserted-Identity', '<sip:eve@example.net>'])).toMatchObject({
      authId: 'sip:bob@example.net',
    });
  });

  test('D-19: a message without, or with stale, credentials is stored or challenged', async () => {
    const world = await setUp({
      authentication: { ...authentication, bounds: { nonceMs: 1_000 } },
    });
    const uri = 'sip:alice@example.net';
    const [challenge] = challengesOf((await answerOf(world, subscribe, stranger))!.headers);
    const body = Buffer.from('hello');
    const proof = { username: 'bob', password, method: 'MESSAGE', uri, body };
    const ask = (field: HeaderField) => answerOf(world, message(uri, field), stranger);
    const right = authorization(challenge!, proof);
    expect((await ask(right))?.status).toBe(202);
    // A count that was used before may be a repetition; the message is that of a stranger.
    expect((await ask(right))?.status).toBe(202);
    const wrong = await ask(authorization(challenge!, { ...proof, password: '?', count: 2 }));
    expect(wrong?.status).toBe(401);
    world.clock.advance(1_000);
    const late = await ask(authorization(challenge!, { ...proof, count: 3 }));
    expect(challengesOf(late!.headers)[0]).toMatchObject({ stale: true });
    expect(await statusOf(world, message(uri), stranger)).toBe(202);
  });

  test('AUTH-03: credentials may come late, or not at all', async () => {
    let answer: () => Promise<undefined> = () => Promise.resolve(undefined);
    const late: AuthenticationOptions = { realm: 'example.net', credentials: () => answer() };
    const world = await setUp({ authentication: late });
    expect(await statusOf(world, await proven(world, subscribe), stranger)).toBe(401);
    answer = () => Promise.reject(new Error('down'));
    const unavailable = await answerOf(world, await proven(world, subscribe), stranger);
    expect(unavailable).toMatchObject({ status: 503 });
    expect(unavailable!.headers).toContainEqual(['Retry-After', '5']);
  });

  test('AUTH-03: whoever is nobody here is refused, though he proves who he is', async () => {
    const credentials = configuredCredentials(
      { 'sip:bob@elsewhere.example': { password } },
      cryptoHash,
    );
    const world = await setUp({ authentication: { realm: 'example.net', credentials } });
    expect(await statusOf(world, await proven(world, subscribe), stranger)).toBe(403);
    expect(await statusOf(world, await proven(world, {}), stranger)).toBe(403);
  });
});

const brief = ({ account, identities }: Association): string => {
  return `${account}: ${identities.join(' ')}`;
};
