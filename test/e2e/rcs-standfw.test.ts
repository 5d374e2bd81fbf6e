/** The profile of deployed RCS clients (1.6), before a peer that dispatches as rcsjta does. */

import { expect, test } from 'vitest';
import { responseTo } from '../../src/testing/sip-peer.js';
import { parseMultipart, partHeader } from '../../src/wire/multipart.js';
import { parseSdp, sdpAttribute } from '../../src/wire/sdp.js';
import type { HeaderField, SipRequest } from '../../src/wire/sip/message.js';
import { connectTo, described, ended, mediaLines, withMedia } from './media-scene.js';
import type { MediaScene } from './media-scene.js';
import { contactOf, sdpType } from './sip-scene.js';

type Kind = 'stored notifications' | 'group chat' | 'stored messages' | 'chat' | 'none';

/** The order in which rcsjta looks at an INVITE (1.6 rule 2). */
function dispatch(invite: SipRequest): Kind {
  const feature = /\+g\.oma\.sip-im(?![.\w-])/i;
  const tagged = [...invite.fields('Accept-Contact'), ...invite.fields('Contact')].join();
  const type = invite.header('Content-Type') ?? '';
  if (!/msrp/i.test(sdpOf(invite).toString()) || !feature.test(tagged)) return 'none';
  const isService = (invite.header('P-Asserted-Identity') ?? '').includes('rcse-standfw@');
  if (isService && !type.includes('multipart')) return 'stored notifications';
  if (/;isfocus/i.test(invite.header('Contact') ?? '')) return 'group chat';
  return invite.header('Referred-By') === undefined ? 'chat' : 'stored messages';
}

function partsOf(invite: SipRequest) {
  const type = invite.header('Content-Type')!;
  return type.startsWith('multipart/') ? parseMultipart(invite.body, type) : [];
}

function sdpOf(invite: SipRequest): Buffer {
  const isSdp = (part: ReturnType<typeof partsOf>[number]): boolean =>
    partHeader(part, 'content-type') === 'application/sdp';
  return partsOf(invite).find(isSdp)?.body ?? invite.body;
}

function cpimIn(invite: SipRequest): Buffer | undefined {
  return partsOf(invite).find((part) => partHeader(part, 'content-type') === 'message/cpim')?.body;
}

const alice = 'sip:alice@example.org';
const nia = 'sip:nia@example.org';

function cpimText(from: string, text: string, type = 'text/plain;charset=UTF-8'): string {
  const headers = [`From: <${from}>`, 'To: <sip:tomas@example.org>'];
  const imdn = ['NS: imdn <urn:ietf:params:imdn>', `imdn.Message-ID: ${text.replaceAll(' ', '')}`];
  const wanted = 'imdn.Disposition-Notification: positive-delivery, display';
  const lines = [...headers, ...imdn, wanted, 'DateTime: 2026-11-20T09:00:00Z', ''];
  return [...lines, `Content-Type: ${type}`, '', text].join('\r\n');
}

/** As an RCS client sends a chat message: CPIM, with the identifiers of the conversation. */
async function write(scene: MediaScene, from: string, body: string, more: HeaderField[] = []) {
  const uri = 'sip:tomas@example.org';
  const headers = [['Content-Type', 'message/cpim'] as const, ...more];
  const identity = `<${from}>`;
  const sketch = { method: 'MESSAGE', uri, from: `${identity};tag=w`, identity, headers, body };
  expect((await scene.ask(sketch)).status).toBe(202);
}

async function register(scene: MediaScene): Promise<void> {
  const headers = [contactOf(scene), ['Expires', '600']] as const;
  const to = '<sip:tomas@example.org>';
  const sketch = { method: 'REGISTER', uri: 'sip:example.org', to, headers };
  expect((await scene.ask(sketch)).status).toBe(200);
}

const rcsTypes = ['message/cpim'];

/** Takes the session as rcsjta does: accepts, connects, receives, and waits for BYE. */
async function take(scene: MediaScene, status = 200) {
  const { request: invite, reply } = await scene.request();
  expect(invite.method).toBe('INVITE');
  const owner = 'tomas';
  const { client } = scene;
  const before = client.recorder.bodies.length;
  if (status !== 200) {
    reply(responseTo(invite, status, { tag: 'peer' }));
    expect((await scene.request()).request.method).toBe('ACK');
    return { invite, kind: dispatch(invite), received: [] };
  }
  const uri = client.endpoint.reserve(owner);
  const lines = mediaLines({ uri, setup: 'active' }).map((line) =>
    line.startsWith('a=accept-types') ? `a=accept-types:${rcsTypes.join(' ')}` : line,
  );
  const body = described(lines);
  const head = responseTo(invite, 200, { tag: 'peer', headers: [contactOf(scene), sdpType] });
  const text = head
    .toString('latin1')
    .replace('Content-Length: 0', `Content-Length: ${body.length}`);
  reply(Buffer.from(`${text}${body}`, 'latin1'));
  expect((await scene.request()).request.method).toBe('ACK');
  connectTo(scene, parseSdp(sdpOf(invite)), true);
  await ended(scene);
  client.endpoint.release(owner);
  const received = client.recorder.bodies.slice(before).map(String);
  return { invite, kind: dispatch(invite), received };
}

function withRcs(play: (scene: MediaScene) => Promise<void>): Promise<void> {
  return withMedia({ profile: 'rcs-standfw', limits: { push: { retryMs: 10 } } }, play);
}

test('U18, 1.6 rule 1: the service asserts rcse-standfw, Referred-By names the sender', () =>
  withRcs(async (scene) => {
    await write(scene, alice, cpimText(alice, 'one'));
    await register(scene);
    const { invite } = await take(scene);
    expect(invite.header('P-Asserted-Identity')).toBe('<sip:rcse-standfw@store.example.org>');
    expect(invite.header('From')).toContain('<sip:rcse-standfw@store.example.org>');
    expect(invite.header('Referred-By')).toBe(`<${alice}>`);
  }));

test('U18, 1.6 rule 2: a stored message is dispatched as one, never as a group chat', () =>
  withRcs(async (scene) => {
    await write(scene, alice, cpimText(alice, 'one'));
    await register(scene);
    const { invite, kind } = await take(scene);
    expect(kind).toBe('stored messages');
    expect(invite.header('Contact')).not.toContain('isfocus');
    expect(invite.header('Contact')).toContain('+g.oma.sip-im');
  }));

test('U18, 1.6 rule 2: reports come apart from messages, as stored notifications', () =>
  withRcs(async (scene) => {
    const report = cpimText(alice, '<imdn/>', 'message/imdn+xml');
    await write(scene, alice, report);
    await write(scene, alice, cpimText(alice, 'one'));
    await register(scene);
    const first = await take(scene);
    expect(first.kind).toBe('stored notifications');
    expect(first.received).toEqual([report]);
    const second = await take(scene);
    expect(second.kind).toBe('stored messages');
    expect(cpimIn(second.invite)?.toString()).toBe(cpimText(alice, 'one'));
  }));

test('U18, 1.6 rule 3: the first message rides in the INVITE, the others follow as CPIM', () =>
  withRcs(async (scene) => {
    const more: HeaderField[] = [
      ['Contribution-ID', 'c0ffee'],
      ['Subject', 'Keys'],
    ];
    for (const text of ['one', 'two', 'three']) {
      await write(scene, alice, cpimText(alice, text), more);
    }
    await register(scene);
    const { invite, received } = await take(scene);
    expect(invite.header('Content-Type')).toMatch(/^multipart\/mixed;boundary=/);
    // CPIM-01: bit-identical.
    expect(cpimIn(invite)?.toString()).toBe(cpimText(alice, 'one'));
    expect(received).toEqual([cpimText(alice, 'two'), cpimText(alice, 'three')]);
    expect(invite.header('Contribution-ID')).toBe('c0ffee');
    expect(invite.header('Subject')).toBe('Keys');
  }));

test('U18, 1.6 rule 3: what is no CPIM is wrapped, in the INVITE too', () =>
  withRcs(async (scene) => {
    const uri = 'sip:tomas@example.org';
    const headers = [['Content-Type', 'text/plain']] as const;
    expect((await scene.ask({ method: 'MESSAGE', uri, headers, body: 'plain' })).status).toBe(202);
    await register(scene);
    const cpim = cpimIn((await take(scene)).invite)!.toString();
    expect(cpim).toMatch(/^From: <sip:tomas@example\.org>\r\n/);
    expect(cpim).toContain('Content-Type: text/plain\r\n\r\nplain');
  }));

test('U18, 1.6 rule 3: one session for each sender, and everybody gets through', () =>
  withRcs(async (scene) => {
    for (const [from, text] of [
      [alice, 'a1'],
      [nia, 'n1'],
      [alice, 'a2'],
      [nia, 'n2'],
    ] as const) {
      await write(scene, from, cpimText(from, text));
    }
    await register(scene);
    for (const [from, name] of [
      [alice, 'a'],
      [nia, 'n'],
    ] as const) {
      const { invite, received } = await take(scene);
      expect(invite.header('Referred-By')).toBe(`<${from}>`);
      expect(cpimIn(invite)?.toString()).toBe(cpimText(from, `${name}1`));
      expect(received).toEqual([cpimText(from, `${name}2`)]);
    }
    const answer = await scene.ask({
      ...{ method: 'OPTIONS', uri: 'sip:tomas@example.org', to: '<sip:tomas@example.org>' },
    });
    expect(answer.status).toBe(200);
  }));

test('U18, 1.6 rule 4: message/cpim stands first in accept-types', () =>
  withRcs(async (scene) => {
    await write(scene, alice, cpimText(alice, 'one'));
    await register(scene);
    const { invite } = await take(scene);
    const media = parseSdp(sdpOf(invite)).media[0]!;
    expect(sdpAttribute(media, 'accept-types')).toMatch(/^message\/cpim /);
    expect(sdpAttribute(media, 'sendonly')).toBe('');
  }));

test('U18: a refused INVITE leaves the message that it brought; it comes again', () =>
  withRcs(async (scene) => {
    await write(scene, alice, cpimText(alice, 'one'));
    await register(scene);
    expect((await take(scene, 486)).received).toEqual([]);
    const again = await take(scene);
    expect(cpimIn(again.invite)?.toString()).toBe(cpimText(alice, 'one'));
  }));

test('U18: a message that is too large for an INVITE is announced by Referred-By alone', () =>
  withRcs(async (scene) => {
    const long = cpimText(alice, 'k'.repeat(20_000));
    await write(scene, alice, long);
    await register(scene);
    const { invite, kind, received } = await take(scene);
    expect(kind).toBe('stored messages');
    expect(invite.header('Content-Type')).toBe('application/sdp');
    expect(received).toEqual([long]);
  }));

test('U18: the strict profile has none of this', () =>
  withMedia({}, async (scene) => {
    await write(scene, alice, cpimText(alice, 'one'));
    await register(scene);
    const { invite } = await take(scene);
    expect(invite.header('Referred-By')).toBeUndefined();
    expect(invite.header('Content-Type')).toBe('application/sdp');
    expect(invite.header('P-Asserted-Identity')).toBe('<sip:Deferred@store.example.org>');
  }));
