import { describe, expect, test } from 'vitest';
import { answerSdp, createWorld, messageTo, settle, storedFor } from './world.js';
import type { World } from './world.js';

function request(method: string, uri: string, fields: readonly string[], body = ''): string {
  return [
    `${method} ${uri} SIP/2.0`,
    'Via: SIP/2.0/TCP ua.example.net;branch=z9hG4bK1',
    'Call-ID: c@ua.example.net',
    `CSeq: 1 ${method}`,
    ...fields,
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

const fromTomas = ['From: <sip:tomas@example.net>;tag=x', 'To: <sip:tomas@example.net>'];
const register = (fields: readonly string[], body = ''): string =>
  request('REGISTER', 'sip:example.net', fields, body);

async function statusOf(world: World, text: string): Promise<number | undefined> {
  const transaction = world.sip.receive(text);
  await settle();
  return world.status(transaction);
}

describe('hostile requests are refused, and the node lives', () => {
  const deep = '<a>'.repeat(5000) + '</a>'.repeat(5000);
  const list = (xml: string): string =>
    [
      '--b',
      'Content-Type: application/resource-lists+xml',
      'Content-Disposition: recipient-list',
      '',
      xml,
      '--b--',
      '',
    ].join('\r\n');
  const retrieval = [
    ...fromTomas,
    'Contact: <sip:tomas@192.0.2.30>',
    'P-Asserted-Identity: <sip:tomas@example.net>',
    'Accept-Contact: *;+g.oma.sip-im',
  ];
  const deferred = 'sip:Deferred@s07.example.net';
  const mixed = [...retrieval, 'Content-Type: multipart/mixed;boundary=b'];

  test.each([
    ['XML nested too deeply', 400, request('INVITE', deferred, mixed, list(deep))],
    ['a body above the bound', 413, request('INVITE', deferred, mixed, 'x'.repeat(70_000))],
    ['a body without type', 400, request('INVITE', deferred, retrieval, 'x')],
    [
      'an encoded body',
      415,
      request('INVITE', deferred, [...mixed, 'Content-Encoding: gzip'], 'x'),
    ],
    [
      'a URI list that names nothing (D-70)',
      403,
      request('INVITE', deferred, mixed, list(empty())),
    ],
    ['Contact * with others', 400, register([...fromTomas, 'Contact: *, <sip:a@b>', 'Expires: 0'])],
    ['Contact * without Expires 0', 400, register([...fromTomas, 'Contact: *'])],
    ['too many contacts', 403, register([...fromTomas, `Contact: ${'<sip:a@b>, '.repeat(80)}`])],
    ['an unreadable Contact', 400, register([...fromTomas, 'Contact: <sip:a@b'])],
    [
      'SUBSCRIBE without Contact',
      400,
      request('SUBSCRIBE', 'sip:tomas@example.net', [...fromTomas, 'Event: message-summary']),
    ],
  ])('%s: %i', async (_name, status, text) => {
    const world = await createWorld();
    expect(await statusOf(world, text)).toBe(status);
    // One line at most, with a code; nothing above info, for the error is theirs.
    expect(world.logs.length).toBeLessThanOrEqual(1);
    expect(world.logs.every(({ level, fields }) => level === 'info' && 'code' in fields)).toBe(
      true,
    );
    expect(await statusOf(world, messageTo('tomas', 7, {}))).toBe(202);
  });

  test('users whose names look like keys, prototypes or addresses are users like others', async () => {
    const world = await createWorld();
    const users = ['%00', 'a%00b', '%0d%0a', '__proto__', 'constructor', 'a%23mailbox', 'a%40b'];
    for (const user of users) {
      expect(await statusOf(world, messageTo(user, 1, {}))).toBe(202);
    }
    expect(await storedFor(world, '__proto__')).toBe(1);
    expect(world.actors.counters()['actors.accounts']).toBe(users.length);
    expect(world.actors.counters()['actors.accounts.stopped']).toBe(0);
  });

  test('events for sessions and accounts that do not exist are dead letters', async () => {
    const world = await createWorld();
    const { sipHandler, msrpHandler } = world.actors;
    const owner = 'tomas@example.net#push/9';
    sipHandler.acknowledged(owner);
    sipHandler.unacknowledged(owner);
    sipHandler.failure(owner, 'invite', 'timeout');
    sipHandler.failure(owner, 'abandoned', 'transport');
    sipHandler.failure('tomas@example.net#outbox/9', 'report', 'timeout');
    msrpHandler.connected(owner);
    msrpHandler.lost(owner, 'closed');
    msrpHandler.sent('tomas@example.net#ua/9 push/9', 'd9', 200);
    msrpHandler.reported('tomas@example.net#ua/9 push/9', 'd9', 200);
    await settle();
    expect(world.actors.counters()['actors.deadLetters']).toBe(7);
    expect(await statusOf(world, messageTo('tomas', 1, {}))).toBe(202);
  });

  test('D-75: a client that retrieves sends nothing', async () => {
    const world = await createWorld();
    const incoming = { messageId: 'abcd', contentType: 'text/plain', headers: [], total: 5 };
    expect(world.actors.msrpHandler.receive('tomas@example.net#focus/1', incoming)).toBe(403);
  });
});

describe('CANCEL (SIP-07)', () => {
  test('of a retrieval that waits for a commit: no 200, no session, nothing is held', async () => {
    const world = await createWorld();
    await statusOf(world, messageTo('tomas', 1, {}));
    const held = world.store.hold();
    world.sip.receive(messageTo('tomas', 2, {}));
    const offer = answerSdp.body.toString();
    const fields = [
      ...fromTomas,
      'Contact: <sip:tomas@192.0.2.30>',
      'P-Asserted-Identity: <sip:tomas@example.net>',
      'Accept-Contact: *;+g.oma.sip-im',
      'Content-Type: application/sdp',
    ];
    const invite = world.sip.receive(
      request('INVITE', 'sip:Deferred@s07.example.net', fields, offer),
    );
    await settle();
    world.actors.sipHandler.cancelled(invite);
    held.release();
    await settle();
    expect(world.status(invite)).toBeUndefined();
    expect(world.msrp.sessions.size).toBe(0);
    expect(
      await statusOf(world, request('INVITE', 'sip:Deferred@s07.example.net', fields, offer)),
    ).toBe(200);
  });
});

test('nobody is no user: a MESSAGE is never accepted without being stored', async () => {
  const world = await createWorld({ options: { domains: ['*'] } });
  for (const uri of ['sip:anonymous@anonymous.invalid', 'sip:nobody@anonymous.invalid']) {
    expect(await statusOf(world, request('MESSAGE', uri, fromTomas, 'x'))).toBe(202);
    const account = uri.slice(4);
    expect(await world.store.scan(account, { kind: 'ua', limit: 9 })).toHaveLength(1);
  }
});

describe('message facts', () => {
  test('what is composed just now is never stored (U16)', async () => {
    const world = await createWorld();
    const fields = [...fromTomas, 'Content-Type: application/im-iscomposing+xml'];
    const uri = 'sip:tomas@example.net';
    const status = await statusOf(world, request('MESSAGE', uri, fields, '<isComposing/>'));
    expect(status).toBeDefined();
    expect(await storedFor(world, 'tomas')).toBe(0);
  });

  test('the octets are stored verbatim, binary ones too', async () => {
    const world = await createWorld();
    const head = messageTo('tomas', 1, {}).replace('Content-Length: 2\r\n\r\nhi', '');
    const body = Buffer.from([0, 255, 13, 10, 128, 0]);
    const bytes = Buffer.concat([Buffer.from(`${head}Content-Length: 6\r\n\r\n`), body]);
    world.sip.receive(bytes);
    await settle();
    const content = await world.store.content('tomas@example.net', 1);
    expect(Buffer.compare(await content!.read(0, content!.size), bytes)).toBe(0);
  });
});

function empty(): string {
  return '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list/></resource-lists>';
}
