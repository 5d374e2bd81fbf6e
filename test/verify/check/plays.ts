/** The flows of the corpus: each shows one part of deferred messaging, as it should be. */

import { setImmediate as immediate } from 'node:timers/promises';
import { expect } from 'vitest';
import { asking, expectNothing, nextReport } from '../../e2e/imdn-scene.js';
import { bind, confirm, retrieve, storeMessages } from '../../e2e/retrieval-scene.js';
import { contactOf, description, sdpType, type Sketch } from '../../e2e/sip-scene.js';
import { responseTo } from '../../../src/testing/sip-peer.js';
import { parseHistoryList } from '../../../src/wire/xml/history.js';
import type { RawResponse } from '../../transport/xcap/raw-http.js';
import { writeImdnMessage } from '../../../src/wire/imdn.js';
import type { recorded, Stage } from './recorded.js';

export interface Play {
  readonly play: (stage: Stage) => Promise<void>;
  readonly limits?: Parameters<typeof recorded>[1];
}

const bob = 'sip:bob@example.org';
const tomas = 'sip:tomas@example.org';
const deferred = 'sip:Deferred@store.example.org';

async function stores({ client }: Stage, ...texts: readonly string[]): Promise<void> {
  const alice = await client('alice');
  for (const text of texts) {
    expect((await alice.send(bob, text, { subject: text })).status).toBe(202);
  }
}

const count = (lines: readonly string[], start: string): number =>
  lines.filter((line) => line.startsWith(start)).length;

async function hangsUp({ until }: Stage): Promise<void> {
  await until((lines) => {
    const bye = lines.findIndex((line) => line.startsWith('BYE'));
    return bye >= 0 && lines.slice(bye).some((line) => line.startsWith('SIP/2.0 200'));
  });
}

async function push(stage: Stage): Promise<void> {
  await stores(stage, 'one', 'two', 'three');
  const client = await stage.client('bob', { onDelivery: () => undefined });
  expect((await client.register()).status).toBe(200);
  await hangsUp(stage);
}

/** Pushed while he is there, and not any more when he has left. */
async function leaves(stage: Stage): Promise<void> {
  const client = await stage.client('bob', { onDelivery: () => undefined });
  expect((await client.register()).status).toBe(200);
  await stores(stage, 'while he is there');
  await hangsUp(stage);
  expect((await client.unregister()).status).toBe(200);
  await stores(stage, 'when he has left');
}

async function watch(stage: Stage): Promise<void> {
  await stores(stage, 'one');
  const client = await stage.client('bob');
  const states = client.watch();
  await states.next();
  await stage.pass(2);
  await stores(stage, 'two');
  await states.next();
  await stage.pass(2);
  await stores(stage, 'three', 'four');
  await states.next();
  await stage.pass(2);
  await states.return?.();
  await stage.until((lines) => count(lines, 'SUBSCRIBE') > 1 && count(lines, 'NOTIFY') > 3);
}

async function retrieveAll(stage: Stage): Promise<void> {
  await stores(stage, 'one', 'two', 'three');
  const client = await stage.client('bob');
  const { status, messages } = await client.retrieve();
  expect([status, messages.length]).toEqual([200, 3]);
  await hangsUp(stage);
}

/** The Message-IDs are told by message waiting. */
async function retrieveSome(stage: Stage): Promise<void> {
  const client = await stage.client('bob');
  const states = client.watch();
  await states.next();
  await stage.pass(2);
  await stores(stage, 'one', 'two', 'three');
  const ids: string[] = [];
  while (ids.length < 3) {
    await stage.pass(2);
    const { value } = await states.next();
    for (const block of value?.messages ?? []) {
      ids.push(...block.flatMap(([name, id]) => (/^message-id$/i.test(name) ? [id] : [])));
    }
  }
  const { status, messages } = await client.retrieve({ ids: [ids[0]!, ids[2]!] });
  expect([status, messages.length]).toEqual([200, 2]);
  await hangsUp(stage);
  await stage.pass(2);
  expect((await client.delete([ids[1]!])).status).toBe(202);
  await stage.pass(2);
  expect((await client.delete([`sip:999@store.example.org`])).status).toBe(404);
}

/** One after the other, each check of a retrieval fails. */
async function refused(stage: Stage): Promise<void> {
  const invite = { method: 'INVITE', uri: deferred, body: description({}) };
  const contact = contactOf(stage);
  const tag = ['Accept-Contact', '*;+g.oma.sip-im'] as const;
  const sendrecv = description({ direction: 'sendrecv' });
  const elsewhere = 'sip:12@store.example.org';
  const sketches: readonly (readonly [number, Sketch])[] = [
    [403, { ...invite, headers: [contact, sdpType] }],
    [403, { ...invite, headers: [contact, tag, sdpType], body: sendrecv }],
    [403, { ...invite, headers: [contact, sdpType], uri: elsewhere }],
    [404, { ...invite, headers: [contact, tag, sdpType], uri: elsewhere }],
  ];
  for (const [place, [status, sketch]] of sketches.entries()) {
    const call = { ...sketch, branch: `refused-${place}`, callId: `refused-${place}` };
    const answer = await stage.ask(call);
    expect(answer.status).toBe(status);
    const { uri, branch, callId } = call;
    stage.send({ method: 'ACK', uri, branch, callId, to: answer.header('To')! });
    await expectNothing(stage);
  }
}

async function declined(stage: Stage): Promise<void> {
  await stores(stage, 'one');
  const alice = await stage.client('alice');
  expect((await alice.send(bob, 'two')).status).toBe(603);
  const large = await alice.sendLarge(bob, Buffer.from('three'));
  expect(large.status).toBe(603);
}

async function large(stage: Stage): Promise<void> {
  const alice = await stage.client('alice');
  const content = Buffer.alloc(9_000, 'large ');
  const { status, msrpStatus } = await alice.sendLarge(bob, content, { subject: 'large' });
  expect([status, msrpStatus]).toEqual([200, 200]);
  await hangsUp(stage);
  const client = await stage.client('bob', { onDelivery: () => undefined });
  expect((await client.register()).status).toBe(200);
  await stage.until((lines) => count(lines, 'BYE') > 1);
  await stage.pass(1);
}

async function expires(stage: Stage): Promise<void> {
  const client = await stage.client('bob');
  const states = client.watch();
  await states.next();
  await stage.pass(2);
  const alice = await stage.client('alice');
  expect((await alice.send(bob, 'short', { expires: 100 })).status).toBe(202);
  await states.next();
  await stage.pass(200);
  const { value } = await states.next();
  expect(value?.waiting).toBe(false);
}

/** Stored, and failed for it is never fetched. */
async function reports(stage: Stage): Promise<void> {
  const { ask, clock, pass } = stage;
  const wants = 'processing, negative-delivery';
  const wishes = { id: 'wanted-report-1', wants, headers: [['Expires', '60']] as const };
  expect((await ask(asking(stage, wishes))).status).toBe(202);
  expect((await nextReport(stage, { clock })).imdn.status).toBe('stored');
  await expectNothing(stage, clock);
  await pass(50);
  clock.advance(20_000);
  expect((await nextReport(stage, { clock })).imdn.status).toBe('failed');
  await expectNothing(stage, clock);
}

/** Somebody has asked to hear of the delivery, and the client of the recipient tells it. */
async function returns(stage: Stage): Promise<void> {
  const id = 'wanted-delivery-1';
  const asks = asking(stage, { id, wants: 'positive-delivery', to: bob });
  expect((await stage.ask({ ...asks, uri: bob })).status).toBe(202);
  const client = await stage.client('bob', { onDelivery: () => undefined });
  expect((await client.register()).status).toBe(200);
  await hangsUp(stage);
  const dateTime = '2026-11-20T09:00:00Z';
  const body = writeImdnMessage({
    ...{ from: bob, to: 'sip:alice@example.org', dateTime, messageId: 'of-delivery-1' },
    imdn: { messageId: id, dateTime, notification: 'delivery', status: 'delivered' },
  });
  const report: Sketch = {
    ...{ method: 'MESSAGE', uri: 'sip:alice@example.org', from: `<${bob}>;tag=of-delivery` },
    ...{ identity: `<${bob}>`, headers: [['Content-Type', 'message/cpim']], body },
    ...{ branch: 'of-delivery', callId: 'of-delivery' },
  };
  expect((await stage.ask(report)).status).toBe(202);
}

/** Given to who is there: taken, refused by him, and stored for he does not answer after all. */
async function passedOn(stage: Stage): Promise<void> {
  const contact = `<sip:tomas@127.0.0.1:${stage.peer.port}>;+g.oma.sip-im`;
  const register = {
    ...{ method: 'REGISTER', uri: 'sip:example.org', from: `<${tomas}>;tag=r`, to: `<${tomas}>` },
    headers: [
      ['Contact', contact],
      ['Expires', '3600'],
    ] as const,
  };
  expect((await stage.ask({ ...register, callId: 'registers' })).status).toBe(200);
  const alice = await stage.client('alice');
  for (const [said, told] of [
    [200, 200],
    [202, 202],
    [486, 486],
  ] as const) {
    const sent = alice.send(tomas, `answered ${said}`);
    const { request, reply } = await stage.request();
    expect(request.method).toBe('MESSAGE');
    reply(responseTo(request, said, { tag: 'peer' }));
    expect((await sent).status).toBe(told);
  }
  const sent = alice.send(tomas, 'answered 480');
  const { request, reply } = await stage.request();
  reply(responseTo(request, 480, { tag: 'peer' }));
  expect((await sent).status).toBe(202);
  const push = await stage.request();
  expect(push.request.method).toBe('INVITE');
  push.reply(responseTo(push.request, 603, { tag: 'peer' }));
  expect((await stage.request()).request.method).toBe('ACK');
  await stage.ask({
    ...register,
    callId: 'registers',
    cseq: 2,
    headers: [
      ['Contact', contact],
      ['Expires', '0'],
    ],
  });
}

/** A conference that is watched: the retrieval of two messages, told step by step. */
async function conference(stage: Stage): Promise<void> {
  await storeMessages(stage, 2);
  const retrieval = await retrieve(stage);
  const watch = {
    ...{ method: 'SUBSCRIBE', uri: retrieval.inside.uri, callId: 'watches' },
    headers: [contactOf(stage), ['Event', 'conference'], ['Expires', '600']] as const,
  };
  expect((await stage.ask(watch)).status).toBe(200);
  const msrp = await bind(retrieval);
  try {
    await confirm(msrp, 0);
    await confirm(msrp, 1);
    for (let [isTold, isOver] = [false, false]; !isTold || !isOver;) {
      let came = false;
      const coming = stage.request().finally(() => (came = true));
      // No faster than the sockets are: a session that waits for its client ends in the end.
      while (!came) {
        stage.clock.advance(1);
        await immediate();
      }
      const { request, reply } = await coming;
      reply(responseTo(request, 200));
      isTold ||= /^terminated/.test(request.header('Subscription-State') ?? '');
      isOver ||= request.method === 'BYE';
    }
  } finally {
    msrp.socket.destroy();
  }
}

/** Subscribed, and gone. */
async function logsOut(stage: Stage): Promise<void> {
  const client = await stage.client('bob');
  expect((await client.register()).status).toBe(200);
  const states = client.watch();
  await states.next();
  await stage.pass(2);
  await states.return?.();
  await stage.until((lines) => count(lines, 'SUBSCRIBE') > 1 && count(lines, 'NOTIFY') > 1);
  await stage.pass(2);
  expect((await client.unregister()).status).toBe(200);
}

/** He has asked not to be pushed to. */
async function settings(stage: Stage): Promise<void> {
  const client = await stage.client('bob', { onDelivery: () => undefined });
  expect((await client.publish({ offlineDelivery: false })).status).toBe(200);
  await stores(stage, 'one');
  expect((await client.register()).status).toBe(200);
  await stage.pass(60);
  expect((await client.publish({ offlineDelivery: true })).status).toBe(200);
  expect((await client.register()).status).toBe(200);
  await hangsUp(stage);
}

/** What the client declines stays. */
async function declinedPush(stage: Stage): Promise<void> {
  await stores(stage, 'one');
  const client = await stage.client('bob', { push: 'decline' });
  expect((await client.register()).status).toBe(200);
  await stage.until((lines) => lines.some((line) => / 480 /.test(line)));
  expect((await client.unregister()).status).toBe(200);
}

/** The same octets twice, as when a response was lost. */
async function repeated({ ask }: Stage): Promise<void> {
  const headers = [['Content-Type', 'text/plain']] as const;
  const message = { method: 'MESSAGE', uri: tomas, headers, body: 'twice', callId: 'twice' };
  for (let time = 0; time < 2; time++) {
    expect((await ask({ ...message, branch: 'twice' })).status).toBe(202);
  }
}

const list = 'org.openmobilealliance.deferred-list/users/sip:bob@example.org/deferred-list';
const set = 'org.openmobilealliance.im-service-settings/users/sip:bob@example.org/im-settings';
const one = (reference: string): string =>
  `${list}/~~/history-list/history%5B@history-reference=%22${reference}%22%5D`;

async function answers(answer: Promise<RawResponse>, status: number): Promise<string> {
  const { line, body } = await answer;
  expect(line).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  return body;
}

/** The owner reads what is stored for him, and deletes some of it. */
async function history(stage: Stage): Promise<void> {
  const { xcap, pass } = stage;
  await answers(xcap('GET', list), 200);
  await stores(stage, 'one', 'two', 'three');
  const listed = await answers(xcap('GET', list), 200);
  const references = parseHistoryList(Buffer.from(listed)).map(({ reference }) => reference);
  expect(references).toHaveLength(3);
  const [first, second] = references as [string, string];
  await answers(xcap('GET', one(second)), 200);
  await answers(xcap('DELETE', one(first)), 200);
  await pass(60);
  await answers(xcap('GET', list), 200);
  await answers(xcap('DELETE', one(first)), 404);
  await answers(xcap('GET', one(first)), 404);
  await answers(xcap('PUT', list, '<history-list xmlns="urn:oma:xml:im:history-list"/>'), 403);
  const client = await stage.client('bob', { onDelivery: () => undefined });
  expect((await client.register()).status).toBe(200);
  await hangsUp(stage);
  await pass(60);
  await answers(xcap('GET', list), 200);
}

/** He sets over XCAP that nothing is pushed to him, and later that it is. */
async function xcapSettings(stage: Stage): Promise<void> {
  const { xcap, pass } = stage;
  const client = await stage.client('bob', { onDelivery: () => undefined });
  const body =
    '<im-settings xmlns="urn:oma:xml:im:service-settings"><deferred-settings>' +
    '<offline-delivery active="false"/></deferred-settings></im-settings>';
  await answers(xcap('PUT', set, body), 201);
  await stores(stage, 'one');
  expect((await client.register()).status).toBe(200);
  await pass(60);
  expect(await answers(xcap('GET', set), 200)).toContain('active="false"');
  const active = `${set}/~~/im-settings/deferred-settings/offline-delivery/@active`;
  await answers(xcap('PUT', active, 'true'), 200);
  expect((await client.register()).status).toBe(200);
  await hangsUp(stage);
}

export const plays: Readonly<Record<string, Play>> = {
  store: { play: (stage) => stores(stage, 'one', 'two') },
  repeated: { play: repeated },
  declined: { play: declined, limits: { quota: { messages: 1 } } },
  watch: { play: watch },
  push: { play: push },
  leaves: { play: leaves, limits: { forward: { mode: 'off' } } },
  declinedPush: { play: declinedPush },
  retrieveAll: { play: retrieveAll },
  retrieveSome: { play: retrieveSome },
  refused: { play: refused },
  large: { play: large },
  expires: { play: expires },
  reports: { play: reports },
  settings: { play: settings },
  passedOn: { play: passedOn },
  conference: {
    play: conference,
    limits: { push: { default: false }, conference: { throttleMs: 1 } },
  },
  returns: { play: returns },
  logsOut: { play: logsOut },
  history: { play: history },
  xcapSettings: { play: xcapSettings },
};
