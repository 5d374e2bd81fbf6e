/** Large messages over MSRP: in, out by push and by retrieval, and broken off on the way. */

import { randomBytes } from 'node:crypto';
import type { Content } from '../../../ports.js';
import {
  acceptPush,
  counted,
  hangUp,
  isOf,
  largeInvitation,
  register,
  retrieve,
  submit,
  subscribe,
} from '../acts.js';
import { atMost, pending } from '../at-most.js';
import { clause, Unable, type Case, type Clause } from '../case.js';
import { countsOf, mediaOf } from '../inspection.js';
import type { Seen } from '../seen.js';
import type { Stage } from '../stage.js';

/** IMSpec-DMT-S-012 wants two megabytes at least. */
const wantedBytes = 2_100_000;
/** Smaller ones are no large messages (RFC 3428 8). */
const leastBytes = 4_096;
const type = 'application/octet-stream';
/** Seconds more for so many octets. */
const transferMs = 10_000;

const stored = 'S1-STORE-LM';
const receiver: Clause = clause(stored, 'RFC 3264 6.1', 'the answer to sendonly is recvonly');
const answered: Clause = clause(stored, 'OMA IM 12.4.2.3', '200 to the last SEND');
const reported: Clause = clause(stored, 'RFC 4975 7.1.2', 'a REPORT of success that was asked for');
const waiting: Clause = clause(stored, 'OMA IM 12.4.2.3', 'a large message waits');
const inside: Clause = clause('S2-ENCAP-MSRP', 'OMA IM D.x step 8', 'the Call-ID of the INVITE');
const whole: Clause = clause(
  'IMSpec-DMT-S-012',
  'OMA IM 11.3.1.1.2',
  'a large message, every octet',
);
const again: Clause = clause(
  'IMSpec-DMT-S-012',
  'OMA IM 11.3.1.1.2',
  'a large message again, after it was broken off',
);
const pushed: Clause = clause('IMSpec-DMT-S-004', 'OMA IM 11.3.2.5', 'a push of a large message');
const pushedWhole: Clause = clause(
  'IMSpec-DMT-S-004',
  'OMA IM 11.3.2.5',
  'a large message in a push, every octet',
);
const dropped: Clause = clause(
  'D-16',
  'RFC 4975 7.3.1',
  'nothing of a message that was broken off',
);

export const largeMessageCases: readonly Case[] = [
  {
    name: 'a large message is stored and retrieved',
    clauses: [receiver, answered, reported, waiting, inside, whole, again],
    async play(stage) {
      const subscription = await subscribe(stage);
      const { content, callId } = await submitLarge(stage);
      const notify = await counted(stage, subscription, 1);
      stage.check(waiting, notify !== undefined, 'no NOTIFY with 1 new');
      const half = stage.endpoint.media.brokenAt(content.length >> 1);
      const first = await retrieve(stage);
      stage.step('break off');
      const isBroken = half.then(() => true);
      const withinMs = stage.within(stage.settings.timeoutMs + transferMs);
      stage.must(await atMost(isBroken, withinMs), 'half of the message does not come');
      await hangUp(stage, first.owner);
      const { owner } = await retrieve(stage);
      const send = await nextSend(stage, owner);
      const ok = send?.message.body.equals(content) === true;
      stage.check(again, ok, described(send));
      stage.check(whole, ok, described(send));
      if (send === undefined) throw new Unable('the message does not come');
      send.settle(200);
      const seen = send.message.callId;
      if (send.message.form === 'original') stage.untried(inside, 'it is sent without its INVITE');
      else stage.check(inside, seen === callId, seen ?? 'none');
    },
  },
  {
    name: 'a large message is pushed',
    clauses: [pushed, pushedWhole],
    async play(stage) {
      const { content } = await submitLarge(stage, false);
      await register(stage);
      const invite = await stage.next('invite');
      stage.check(pushed, invite !== undefined, 'no INVITE');
      if (invite === undefined) throw new Unable('no push comes');
      const owner = acceptPush(stage, invite);
      const send = await nextSend(stage, owner);
      stage.check(pushedWhole, send?.message.body.equals(content) === true, described(send));
      send?.settle(200);
    },
  },
  {
    name: 'a large message is broken off by its sender',
    clauses: [dropped],
    async play(stage) {
      const subscription = await subscribe(stage);
      await breakOff(stage);
      await submit(stage, { message: 0, kind: 'plain' });
      const told = await stage.next('notify', ({ request }) => {
        return isOf(request, subscription) && (countsOf(request)?.new ?? 0) > 0;
      });
      const counts = told && countsOf(told.request);
      const { owner } = await retrieve(stage);
      const send = await nextSend(stage, owner);
      const isPager = send?.message.body.includes('Conformance message') === true;
      send?.settle(200);
      const more = await stage.next('send', (one) => one.session === owner, stage.settings.quietMs);
      const ok = isPager && more === undefined && counts?.new === 1;
      const seen = `${counts?.new ?? 'no'} new, ${more ? 'more than one' : 'one'} retrieved`;
      stage.check(dropped, ok, seen);
    },
  },
];

/** Sends it, and checks how it is taken. */
async function submitLarge(
  stage: Stage,
  isChecked = true,
): Promise<{ readonly content: Buffer; readonly callId: string }> {
  const { owner, callId, bytes, direction } = await invite(stage);
  if (isChecked) stage.check(receiver, direction === 'recvonly', direction);
  const content = randomBytes(bytes);
  const read = (offset: number, length: number): Buffer => {
    return content.subarray(offset, offset + length);
  };
  stage.step(`send ${bytes} octets`);
  const sent = await send(stage, owner, { size: bytes, read });
  if (isChecked) {
    stage.check(answered, sent.status === 200, String(sent.status ?? 'no answer'));
    stage.check(reported, sent.reported === 200, String(sent.reported ?? 'no REPORT'));
  }
  await hangUp(stage, owner);
  if (sent.status !== 200) throw new Unable('the large message was not taken');
  return { content, callId };
}

/** Half of a message, and then the connection is gone. */
async function breakOff(stage: Stage): Promise<void> {
  const { owner, bytes } = await invite(stage);
  stage.step('send half of it, and close the connection');
  const { promise: half, resolve } = pending<undefined>();
  const read = (offset: number, length: number): Buffer | Promise<Buffer> => {
    if (offset < bytes >> 1) return Buffer.alloc(length);
    resolve(undefined);
    return new Promise<Buffer>(() => undefined);
  };
  const sent = send(stage, owner, { size: bytes, read });
  await Promise.race([half, sent]);
  await stage.endpoint.media.disconnect();
  await sent;
  await stage.endpoint.bye(owner);
}

async function invite(stage: Stage) {
  stage.step('invite to a large message');
  const owner = stage.name('large');
  const callId = stage.name('large-call');
  const path = stage.endpoint.media.reserve(owner);
  const request = largeInvitation(stage, path, callId);
  const response = await stage.ask(request, { owner, voice: 'sender' });
  if (response.status >= 300) {
    // S4-603-LM: nobody has to store one.
    throw new Unable(`large messages are refused there (${response.status})`);
  }
  const media = stage.must(mediaOf(response), 'the answer to the large message has no MSRP');
  stage.endpoint.media.connect(owner, { path: media.path, active: true });
  const bytes = Math.min(wantedBytes, media.maxSize ?? wantedBytes);
  if (bytes < leastBytes) throw new Unable(`it takes no more than ${bytes} octets`);
  return { owner, callId, bytes, direction: media.direction };
}

function send(stage: Stage, session: string, content: Content) {
  const messageId = stage.cast.mark;
  const withinMs = stage.within(stage.settings.timeoutMs + transferMs);
  return stage.endpoint.media.send({ session, messageId, contentType: type, content, withinMs });
}

function nextSend(stage: Stage, owner: string) {
  const withinMs = stage.settings.timeoutMs + transferMs;
  return stage.next('send', ({ session }) => session === owner, withinMs);
}

function described(send: Extract<Seen, { readonly kind: 'send' }> | undefined): string {
  return send === undefined ? 'no SEND' : `${send.message.body.length} other octets`;
}
