/**
 * Every way in which a retrieval ends, out of every state in which it can: nothing of it stays
 * (D-73, SIP-07, DLG-03). Time is moved by hand, everything else goes over the wire.
 */

import { expect, test } from 'vitest';
import type { PolicyPort, PolicyVerdict } from '../../src/ports.js';
import { ManualClock } from '../../src/testing/clock.js';
import { responseTo } from '../../src/testing/sip-peer.js';
import type { SipRequest, SipResponse } from '../../src/wire/sip/message.js';
import type { RawPeer } from '../transport/msrp/raw-peer.js';
import { bind, clientPath, insideOf, invitation, storeMessages } from './retrieval-scene.js';
import { caughtUp, settled, withServer } from './sip-scene.js';
import type { Inside, SipScene, Sketch } from './sip-scene.js';

const account = 'tomas@example.org';

/** A retrieval as far as it has come. */
interface Stage {
  readonly scene: SipScene;
  readonly clock: ManualClock;
  readonly invite: Sketch;
  readonly accepted: SipResponse;
  readonly inside: Inside;
  readonly msrp?: RawPeer;
}

/** Sends, and answers every BYE until the final response has come. */
async function ask(scene: SipScene, sketch: Sketch): Promise<SipResponse> {
  scene.send(sketch);
  for (;;) {
    const { message, reply } = await scene.arrival();
    if (message.kind === 'request') reply(responseTo(message, 200));
    else if (isAnswerTo(message, sketch)) return message;
  }
}

function isAnswerTo(message: SipResponse, { callId, cseq = 1, method }: Sketch): boolean {
  const isSame = callId === undefined || message.header('Call-ID') === callId;
  return isSame && message.header('CSeq') === `${cseq} ${method}`;
}

/** Time goes on until the server says BYE, which is answered. */
async function byeInTime({ scene, clock }: Stage): Promise<SipRequest> {
  let bye: SipRequest | undefined;
  for (let passed = 0; bye === undefined; passed += 500) {
    // 64*T1, 30 s of MSRP, and the grace of a REPORT are all below that.
    if (passed <= 70_000) clock.advance(500);
    await caughtUp(scene.world);
    while (scene.peer.arrivals.length > 0 && bye === undefined) {
      const { message, reply } = await scene.arrival();
      if (message.kind === 'response') continue;
      expect(message.method).toBe('BYE');
      reply(responseTo(message, 200));
      bye = message;
    }
  }
  return bye;
}

async function byeNow({ scene }: Stage): Promise<void> {
  for (;;) {
    const { message, reply } = await scene.arrival();
    if (message.kind === 'response') continue;
    expect(message.method).toBe('BYE');
    reply(responseTo(message, 200));
    return;
  }
}

// -------------------------------------------------------------------------------- stages

async function invited(scene: SipScene, clock: ManualClock): Promise<Stage> {
  const invite = { ...invitation(scene), callId: 'ends', branch: 'ends' };
  const accepted = await ask(scene, invite);
  expect(accepted.status).toBe(200);
  return { scene, clock, invite, accepted, inside: insideOf(accepted, 'ends') };
}

function acknowledged(stage: Stage): Stage {
  stage.scene.send({ method: 'ACK', ...stage.inside });
  return stage;
}

async function bound(stage: Stage): Promise<Stage> {
  return { ...stage, msrp: await bind(stage) };
}

async function sending(stage: Stage, index = 0): Promise<Stage> {
  await stage.msrp!.request(index);
  return stage;
}

async function answered(stage: Stage, index: number): Promise<Stage> {
  stage.msrp!.answer((await stage.msrp!.request(index)).head, 200);
  return stage;
}

async function delivered(stage: Stage, index: number): Promise<Stage> {
  await answered(stage, index);
  const { head, body } = await stage.msrp!.request(index);
  stage.msrp!.write(
    `MSRP report${index} REPORT\r\nTo-Path: ${head.fromPath.join(' ')}\r\n` +
      `From-Path: ${clientPath}\r\nMessage-ID: ${head.messageId}\r\n` +
      `Byte-Range: 1-${body.length}/${body.length}\r\nStatus: 000 200 OK\r\n-------report${index}$\r\n`,
  );
  return stage;
}

const open = async (scene: SipScene, clock: ManualClock): Promise<Stage> =>
  bound(acknowledged(await invited(scene, clock)));

/** In the order in which a retrieval goes through them. */
const stages: Record<string, (scene: SipScene, clock: ManualClock) => Promise<Stage>> = {
  'accepted, neither confirmed nor bound': invited,
  'confirmed, not bound': async (scene, clock) => acknowledged(await invited(scene, clock)),
  'bound, not confirmed': async (scene, clock) => bound(await invited(scene, clock)),
  'a SEND under way': async (scene, clock) => sending(await open(scene, clock)),
  'all SENDs answered, their REPORTs awaited': async (scene, clock) =>
    answered(await answered(await open(scene, clock), 0), 1),
  'one delivered, the next under way': async (scene, clock) =>
    sending(await delivered(await open(scene, clock), 0), 1),
  'all delivered, the BYE not answered': async (scene, clock) => {
    const stage = await delivered(await delivered(await open(scene, clock), 0), 1);
    const { request } = await scene.request();
    expect(request.method).toBe('BYE');
    return stage;
  },
};

// ---------------------------------------------------------------------------------- ends

const hangUp = async ({ scene, inside }: Stage): Promise<void> => {
  expect((await ask(scene, { method: 'BYE', ...inside, cseq: 2 })).status).toBe(200);
};

/** RFC 3261 9.2: behind the final answer it is answered, and has no effect. */
const cancelLate = async (stage: Stage): Promise<void> => {
  const { headers: _, body: __, ...bare } = stage.invite;
  const answer = await ask(stage.scene, { ...bare, method: 'CANCEL' });
  // Once the transaction of the INVITE is over nobody knows what is to be cancelled.
  expect([200, 481]).toContain(answer.status);
  await hangUp(stage);
};

const lose = async (stage: Stage): Promise<void> => {
  stage.msrp!.socket.destroy();
  await byeNow(stage);
};

/** RFC 3261 15: no BYE before the ACK or its time-out; the one that was sent is sent again. */
const loseQuietly = async (stage: Stage): Promise<void> => {
  stage.msrp!.socket.destroy();
  await byeInTime(stage);
};

const last = 'all delivered, the BYE not answered';
const silence = async (stage: Stage): Promise<void> => {
  await byeInTime(stage);
};
const names = Object.keys(stages);
const withMedia = names.slice(2);

const matrix: readonly (readonly [string, string, (stage: Stage) => Promise<void>])[] = [
  ...names.map((name) => ['BYE', name, hangUp] as const),
  ...names.map((name) => ['CANCEL, then BYE', name, cancelLate] as const),
  ...names.map((name) => ['time', name, silence] as const),
  ...withMedia.map((name) => {
    const isQuiet = name === last || name === 'bound, not confirmed';
    return ['loss of the connection', name, isQuiet ? loseQuietly : lose] as const;
  }),
];

/** Messages that are new behind it, of two. */
function left(end: string, stage: string): number {
  if (stage === last) return 0;
  if (stage === 'one delivered, the next under way') return 1;
  // D-33: the 200 is enough when no REPORT comes in time.
  return stage.includes('REPORT') && end === 'time' ? 0 : 2;
}

test.each(matrix)(
  'D-73, SIP-07, DLG-03: %s out of the state "%s" releases every lease',
  async (end, name, act) => {
    const clock = new ManualClock();
    await withServer(
      async (scene) => {
        await storeMessages(scene, 2);
        const stage = await stages[name]!(scene, clock);
        await act(stage);
        stage.msrp?.socket.destroy();
        await expectReleased(scene, clock, left(end, name));
      },
      { push: { default: false }, retrieval: { count: 1 } },
      'udp',
      {},
      { clock },
    );
  },
);

test('D-73, SIP-07: CANCEL before the answer is 487, and the retrieval never begins', async () => {
  const clock = new ManualClock();
  let decide: (verdict: PolicyVerdict) => void = () => undefined;
  let isAsked: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => (isAsked = resolve));
  let isFirst = true;
  const policy: PolicyPort = {
    judge({ operation }) {
      if (operation !== 'retrieve' || !isFirst) return { allowed: true };
      isFirst = false;
      isAsked();
      return new Promise((resolve) => (decide = resolve));
    },
  };
  await withServer(
    async (scene) => {
      await storeMessages(scene, 2);
      const invite = { ...invitation(scene), callId: 'early', branch: 'early' };
      scene.send(invite);
      await asked;
      const { headers: _, body: __, ...bare } = invite;
      expect((await ask(scene, { ...bare, method: 'CANCEL' })).status).toBe(200);
      const { message } = await scene.arrival();
      expect(message).toMatchObject({ kind: 'response', status: 487 });
      scene.send({ ...bare, method: 'ACK', to: message.header('To')! });
      decide({ allowed: true });
      await expectReleased(scene, clock, 2);
    },
    { push: { default: false }, retrieval: { count: 1 } },
    'udp',
    {},
    { clock, policy },
  );
});

/** Everything may be had again and deleted at once; no session, no dialog, no room taken. */
async function expectReleased(scene: SipScene, clock: ManualClock, unread: number): Promise<void> {
  const { accounts } = scene.world.server;
  await expect.poll(() => scene.world.server.counters()['actors.sessions']).toBe(0);
  await settled(scene.world);
  expect((await accounts.summary(account)).unread).toBe(unread);
  // There is room for one retrieval: it would be 486 if the former one had not gone.
  const again = { ...invitation(scene), callId: 'again', branch: 'again' };
  const accepted = await ask(scene, again);
  expect(accepted.status).toBe(200);
  const inside = insideOf(accepted, 'again');
  const stage: Stage = { scene, clock, invite: again, accepted, inside };
  const open = await bound(acknowledged(stage));
  for (const index of [0, 1]) {
    const { body } = await open.msrp!.request(index);
    expect(body.toString()).toContain(`message ${index + 1}`);
    await delivered(open, index);
  }
  await byeNow(open);
  open.msrp!.socket.destroy();
  // A leased message would be kept until its session is over (D-28).
  expect(await accounts.deleteMessages(account, [1, 2])).toBe(2);
  expect((await accounts.summary(account)).messages).toBe(0);
}
