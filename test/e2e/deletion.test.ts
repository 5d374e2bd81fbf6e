/** The owner deletes messages: three ways in, one outcome, seen on the wire (D-31). */

import { expect, test } from 'vitest';
import { responseTo } from '../../src/testing/sip-peer.js';
import type { HeaderField } from '../../src/wire/sip/message.js';
import { writeUriList } from '../../src/wire/xml/resource-lists.js';
import { hostname, store, withServer } from './sip-scene.js';
import type { SipScene } from './sip-scene.js';

const account = 'tomas@example.org';
const deferred = `sip:Deferred@${hostname}`;
const remove = `sip:Delete@${hostname}`;

const norefersub: readonly HeaderField[] = [
  ['Refer-Sub', 'false'],
  ['Require', 'norefersub'],
];

const listed: readonly HeaderField[] = [
  ['Require', 'recipient-list-message'],
  ['Content-Type', 'application/resource-lists+xml'],
  ['Content-Disposition', 'recipient-list'],
];

/** Stores messages and returns their Message-IDs. */
async function stored(scene: SipScene, count: number): Promise<string[]> {
  for (let i = 0; i < count; i++) await store(scene);
  return kept(scene);
}

async function kept({ world }: SipScene): Promise<string[]> {
  const histories = await world.server.accounts.histories(account, { limit: 100 });
  return histories.map(({ reference }) => reference);
}

function refer(
  { ask, peer }: SipScene,
  target: string,
  more: { headers?: readonly HeaderField[]; body?: string; identity?: string } = {},
) {
  const { headers = norefersub, ...others } = more;
  const contact = ['Contact', `<sip:tomas@127.0.0.1:${peer.port}>`] as const;
  return ask({
    method: 'REFER',
    uri: deferred,
    headers: [contact, ['Refer-To', target], ...headers],
    ...others,
  });
}

test('D-31, CONF-03: REFER to Deferred@ with method=BYE deletes the message, and makes no subscription', () =>
  withServer(async (scene) => {
    const [first, second] = await stored(scene, 2);
    const accepted = await refer(scene, `<${first};method=BYE>`);
    expect(accepted.status).toBe(202);
    expect(accepted.header('Refer-Sub')).toBe('false');
    expect(accepted.header('Contact')).toContain('Deferred@');
    expect(await kept(scene)).toEqual([second]);
    expect(scene.peer.arrivals.length).toBe(0); // No NOTIFY.
  }));

test('LIST-09: REFER to a cid names several messages in a recipient-list part', () =>
  withServer(async (scene) => {
    const ids = await stored(scene, 3);
    const uris = [ids[0]!, ids[2]!].map((id) => `${id};method=BYE`);
    const body = [
      '--b',
      'Content-Type: application/resource-lists+xml',
      'Content-Disposition: recipient-list',
      'Content-ID: <list@client>',
      '',
      writeUriList(uris).toString(),
      '--b--',
      '',
    ].join('\r\n');
    const headers: readonly HeaderField[] = [
      ['Refer-Sub', 'false'],
      ['Require', 'multiple-refer, norefersub'],
      ['Content-Type', 'multipart/mixed;boundary=b'],
    ];
    expect((await refer(scene, '<cid:list@client>', { headers, body })).status).toBe(202);
    expect(await kept(scene)).toEqual([ids[1]]);
  }));

test('LIST-09: the list may be the only body, and an entry without method=BYE is passed over', () =>
  withServer(async (scene) => {
    const [first, second] = await stored(scene, 2);
    const headers: readonly HeaderField[] = [
      ...norefersub,
      ['Content-Type', 'application/resource-lists+xml'],
      ['Content-Disposition', 'recipient-list'],
      ['Content-ID', '<list@client>'],
    ];
    const body = writeUriList([`${first};method=BYE`, second!]).toString();
    expect((await refer(scene, '<cid:list@client>', { headers, body })).status).toBe(202);
    expect(await kept(scene)).toEqual([second]);
    const other = await refer(scene, '<cid:other@client>', { headers, body });
    expect(other.status).toBe(400);
    expect(other.header('Warning')).toContain('SIP_REFER_TO');
  }));

test('D-31, D-01: MESSAGE with a recipient-list to Delete@ deletes, and nothing of it is stored', () =>
  withServer(async (scene) => {
    const ids = await stored(scene, 3);
    // Duplicates collapse, what is not ours is passed over; an id needs no scheme.
    const bare = ids[1]!.slice('sip:'.length);
    const body = writeUriList([ids[0]!, ids[0]!, bare, 'sip:x@elsewhere.example']).toString();
    const answer = await scene.ask({ method: 'MESSAGE', uri: remove, headers: listed, body });
    expect(answer.status).toBe(202);
    expect(answer.body.length).toBe(0);
    expect(answer.header('Contact')).toBeUndefined();
    expect(await kept(scene)).toEqual([ids[2]]);
  }));

test('D-31: what a deletion must look like', () =>
  withServer(async (scene) => {
    const [id] = await stored(scene, 1);
    const target = `<${id};method=BYE>`;
    const answers: [string, number][] = [];
    const note = async (name: string, asked: Promise<{ status: number }>) => {
      answers.push([name, (await asked).status]);
    };
    const contact = ['Contact', '<sip:tomas@127.0.0.1>'] as const;
    const send = (headers: readonly HeaderField[]) =>
      scene.ask({ method: 'REFER', uri: deferred, headers: [contact, ...headers] });
    await note('no Refer-To', send(norefersub));
    await note('two', send([...norefersub, ['Refer-To', target], ['Refer-To', target]]));
    await note('subscription', send([['Refer-To', target]]));
    await note('method', refer(scene, `<${id};method=INVITE>`));
    await note('no method', refer(scene, `<${id}>`));
    await note('not SIP', refer(scene, '<mailto:x@example.org>'));
    await note('Require', refer(scene, target, { headers: [['Require', 'foo']] }));
    const at = (uri: string) =>
      scene.ask({ method: 'REFER', uri, headers: [contact, ['Refer-To', target], ...norefersub] });
    await note('at the user', at('sip:tomas@example.org'));
    await note('at a message', at(id!));
    await note('at the delete URI', at(remove));
    await note('at nothing', at(`sip:nobody@${hostname}`));
    const list = (body: string, headers = listed) =>
      scene.ask({ method: 'MESSAGE', uri: remove, headers, body });
    await note('empty list', list(writeUriList([]).toString()));
    await note('no list', list('hi', [['Content-Type', 'text/plain']]));
    await note('no body', scene.ask({ method: 'MESSAGE', uri: remove }));
    await note('other option', list('', [['Require', 'recipient-list-invite']]));
    await note('INVITE', scene.ask({ method: 'INVITE', uri: remove, headers: [contact] }));
    expect(Object.fromEntries(answers)).toEqual({
      'no Refer-To': 400,
      two: 400,
      subscription: 421,
      method: 403,
      'no method': 403,
      'not SIP': 403,
      Require: 420,
      'at the user': 405,
      'at a message': 405,
      'at the delete URI': 405,
      'at nothing': 404,
      'empty list': 400,
      'no list': 415,
      'no body': 400,
      'other option': 420,
      INVITE: 405,
    });
    expect(await kept(scene)).toEqual([id]);
  }));

test('D-03: another user hears of a foreign Message-ID what he hears of one that is not there', () =>
  withServer(async (scene) => {
    const [id] = await stored(scene, 1);
    const identity = '<sip:nia@example.org>';
    const foreign = await refer(scene, `<${id};method=BYE>`, { identity });
    const absent = await refer(scene, `<sip:999999@${hostname};method=BYE>`, { identity });
    const elsewhere = await refer(scene, '<sip:1@elsewhere.example;method=BYE>', { identity });
    // All but what belongs to the transaction is the same octets.
    const seen = [foreign, absent, elsewhere].map(({ bytes }) => {
      const lines = bytes.toString('latin1').split('\r\n');
      return lines.filter((line) => !/^(?:Via|From|To|Call-ID):/.test(line));
    });
    expect(foreign.status).toBe(404);
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toEqual(seen[0]);
    expect(await kept(scene)).toEqual([id]);
  }));

test('D-63, D-64: whoever has no account is refused with 403 and Warning 127', () =>
  withServer(async (scene) => {
    const [id] = await stored(scene, 1);
    const identity = '<sip:eve@elsewhere.example>';
    const refused = await refer(scene, `<${id};method=BYE>`, { identity });
    expect(refused.status).toBe(403);
    expect(refused.header('Warning')).toContain('127 Service not authorised');
    const body = writeUriList([id!]).toString();
    const sketch = { method: 'MESSAGE', uri: remove, headers: listed, body };
    const unknown = await scene.ask({ ...sketch, identity: undefined });
    expect([unknown.status, unknown.header('Warning')]).toEqual([403, refused.header('Warning')]);
    expect(await kept(scene)).toEqual([id]);
  }));

test('S1-DEL-USER, D-30: whoever asked for it hears that a deleted message was not delivered', () =>
  withServer(async (scene) => {
    const { peer, ask } = scene;
    const nia = `sip:nia@127.0.0.1:${peer.port}`;
    const cpim = [
      `From: <${nia}>`,
      'To: <sip:tomas@example.org>',
      'DateTime: 2026-11-20T09:00:00Z',
      'NS: imdn <urn:ietf:params:imdn>',
      'imdn.Message-ID: Qm8x2LrT0d9K',
      'imdn.Disposition-Notification: negative-delivery',
      '',
      'Content-Type: text/plain',
      '',
      'The spare keys are under the blue pot.',
    ].join('\r\n');
    const sent = await ask({
      method: 'MESSAGE',
      uri: 'sip:tomas@example.org',
      from: `<${nia}>;tag=n`,
      headers: [['Content-Type', 'message/cpim']],
      body: cpim,
    });
    expect(sent.status).toBe(202);
    const [id] = await kept(scene);
    scene.send({
      method: 'REFER',
      uri: deferred,
      headers: [
        ['Contact', '<sip:tomas@127.0.0.1>'],
        ['Refer-To', `<${id};method=BYE>`],
        ...norefersub,
      ],
    });
    const arrived = [await scene.arrival(), await scene.arrival()];
    const report = arrived.find(({ message }) => message.kind === 'request')!;
    const answer = arrived.find(({ message }) => message.kind === 'response')!;
    expect(answer.message).toMatchObject({ status: 202 });
    if (report.message.kind !== 'request') throw new Error('no request');
    report.reply(responseTo(report.message, 200, { tag: 'x' }));
    expect(report.message.method).toBe('MESSAGE');
    expect(report.message.uri).toBe(nia);
    expect(report.message.bytes.length).toBeLessThanOrEqual(1300);
    const body = report.message.body.toString();
    expect(body).toContain('<delivery-notification><status><failed/></status>');
    expect(body).toContain('<message-id>Qm8x2LrT0d9K</message-id>');
  }));
