/** Pushes that do not go well, over real sockets (D-47, D-50, U3, U8, U9, U11). */

import { describe, expect, test } from 'vitest';
import type { DeliveredMessage, ImClient } from '../../src/client/im-client.js';
import { responseTo, type SipPeer } from '../../src/testing/sip-peer.js';
import type { SipRequest } from '../../src/wire/sip/message.js';
import { freePort } from '../loopback-port.js';
import { withForward, type ForwardScene } from './forward-scene.js';
import { bob } from './two-peers.js';
import { description } from './sip-scene.js';
import { startWorld } from './world.js';
import { openUnrepeatedPeer } from './unrepeated-peer.js';

const soon = { push: { retryMs: 200, retryMaxMs: 400 } };
const never = { push: { retryMs: 600_000, retryMaxMs: 600_000 } };

describe('D-47: an INVITE that is refused leaves everything stored', () => {
  test.each([480, 486, 488, 603])('%i: and the back-off brings the next attempt', (status) =>
    withForward(async (scene) => {
      await offer(scene);
      await scene.register();
      const first = await scene.asked('INVITE');
      scene.reply(first, status);
      const second = await nextInvite(scene, first);
      expect(second.header('call-id')).not.toBe(first.header('call-id'));
      await scene.stored(1);
    }, soon),
  );

  test.each([480, 486, 488, 603])('%i: and the next registration brings one at once', (status) =>
    withForward(async (scene) => {
      await offer(scene);
      await scene.register();
      const first = await scene.asked('INVITE');
      scene.reply(first, status);
      await scene.asked('ACK');
      await scene.register({ cseq: 2 });
      await nextInvite(scene, first);
      await scene.stored(1);
    }, never),
  );

  test('the loss of the MSRP connection as well', () =>
    withForward(async (scene) => {
      await offer(scene);
      await scene.register();
      const invite = await scene.asked('INVITE');
      const path = `msrp://127.0.0.1:${await freePort()}/gone;tcp`;
      accept(scene, invite, description({ setup: 'passive', path }));
      const bye = await scene.asked('BYE');
      scene.reply(bye, 200);
      await nextInvite(scene, invite);
      await scene.stored(1);
    }, soon));
});

describe('several devices', () => {
  const contactAt = ({ port }: SipPeer, q: number): string =>
    `<sip:bob@127.0.0.1:${port}>;+g.oma.sip-im;q=${q}`;

  test('U3: the push goes to the one that has registered, whatever the q of the others', () =>
    withDevices(async (scene, other) => {
      await scene.register({ contact: contactAt(scene.client, 1), callId: 'first' });
      await scene.register({ expires: 0, callId: 'first', cseq: 2 });
      await offer(scene);
      const refreshed = { contact: contactAt(scene.client, 1), callId: 'first', cseq: 3 };
      await scene.register(refreshed);
      scene.reply(await scene.asked('INVITE'), 480);
      await scene.asked('ACK');
      await scene.register({ contact: contactAt(other, 0.1), callId: 'second' });
      expect((await other.nextRequest()).uri).toBe(`sip:bob@127.0.0.1:${other.port}`);
      expect(scene.client.arrivals.length).toBe(0);
    }));

  test('D-50, U10: one push at a time; a device that refuses makes room for the next', () =>
    withDevices(async (scene, other) => {
      await scene.register({ contact: contactAt(scene.client, 0.1), callId: 'first' });
      await scene.register({ contact: contactAt(other, 0.9), callId: 'second' });
      const message = scene.send({});
      expect(message.length).toBeGreaterThan(0);
      expect((await scene.answer()).status).toBe(202);
      const invite = await other.nextRequest();
      expect(invite.method).toBe('INVITE');
      expect(scene.client.arrivals.length).toBe(0);
      const { port } = scene.world.server.sip.find(({ transport }) => transport === 'udp')!;
      const server = { transport: 'udp', address: '127.0.0.1', port } as const;
      other.send(server, responseTo(invite, 486, { tag: 'other' }));
      expect((await scene.asked('INVITE')).uri).toBe(`sip:bob@127.0.0.1:${scene.client.port}`);
    }));

  test('D-47: 603 of one speaks for the user: the others are left in peace', () =>
    withDevices(async (scene, other) => {
      await scene.register({ contact: contactAt(other, 0.9), callId: 'second' });
      await scene.register({ contact: contactAt(scene.client, 0.1), callId: 'first' });
      scene.send({});
      expect((await scene.answer()).status).toBe(202);
      const invite = await other.nextRequest();
      const { port } = scene.world.server.sip.find(({ transport }) => transport === 'udp')!;
      const server = { transport: 'udp', address: '127.0.0.1', port } as const;
      other.send(server, responseTo(invite, 603, { tag: 'other' }));
      expect((await other.nextRequest()).method).toBe('ACK');
      await scene.stored(1);
      expect(scene.client.arrivals.length).toBe(0);
    }));

  const withDevices = async (
    play: (scene: ForwardScene, other: SipPeer) => Promise<void>,
  ): Promise<void> => {
    const other = await openUnrepeatedPeer();
    try {
      await withForward((scene) => play(scene, other), {
        ...never,
        forward: { mode: 'off' },
      });
    } finally {
      await other.close();
    }
  };
});

test('U8: whether the message or the REGISTER comes first, the message is delivered', async () => {
  const world = await startWorld();
  try {
    const alice = await world.client('alice');
    for (let round = 0; round < 12; round++) {
      const user = `bob${round}`;
      const client = await world.client(user);
      const deliveries = client.deliveries();
      const send = () => alice.send(`sip:${user}@example.org`, 'race');
      const register = () => client.register();
      const both = round % 2 === 0 ? [send(), register()] : [register(), send()];
      await Promise.all(both);
      const [message] = await take(deliveries, 1);
      expect(message!.body.toString()).toBe('race');
    }
  } finally {
    await world.end();
  }
});

test('U11, D-50: push and retrieval at once give each message to each, and it goes once', async () => {
  const world = await startWorld();
  try {
    const alice = await world.client('alice');
    const texts = Array.from({ length: 30 }, (_, n) => `message ${n}`);
    for (const text of texts) await alice.send(bob, text);
    const [one, two] = [await world.client('bob'), await world.client('bob')];
    const deliveries = one.deliveries();
    const [, retrieved] = await Promise.all([one.register(), two.retrieve()]);
    const pushed = await take(deliveries, texts.length);
    expect(pushed.map(({ body }) => body.toString())).toEqual(texts);
    expect(pushed.some(({ duplicate }) => duplicate)).toBe(false);
    const fetched = retrieved.messages.map(({ body }) => body.toString());
    expect(new Set(fetched).size).toBe(fetched.length);
    // Delivered twice or once, a message is stored no more, and counted no more.
    for await (const { waiting, classes } of two.watch()) {
      if (waiting || classes.some((counts) => counts.old > 0)) continue;
      expect(classes.every((counts) => counts.new === 0)).toBe(true);
      break;
    }
    expect((await two.retrieve()).count).toBe(0);
  } finally {
    await world.end();
  }
});

/** `U9_MESSAGES=100000` for the figure in docs/architecture.md. */
const many = Number(process.env['U9_MESSAGES'] ?? 1_500);

test(
  'U9: a large mailbox is pushed without stalling another user',
  { timeout: 900_000 },
  async () => {
    const world = await startWorld({ forward: { mode: 'off' } });
    try {
      const senders = await Promise.all(Array.from({ length: 8 }, (_, n) => world.client(`s${n}`)));
      for (let sent = 0; sent < many; sent += senders.length) {
        await Promise.all(senders.map((sender) => sender.send(bob, `message ${sent}`)));
      }
      const stored = Math.ceil(many / senders.length) * senders.length;
      let pushed = 0;
      let isPushed = (): void => undefined;
      const all = new Promise<void>((resolve) => (isPushed = resolve));
      const client = await world.client('bob', {
        onDelivery: () => {
          if (++pushed === stored) isPushed();
        },
      });
      const started = performance.now();
      await client.register();
      const waits: number[] = [];
      /** How many were pushed while one of the others waited. */
      const meanwhile: number[] = [];
      let over = false;
      const done = all.then(() => (over = true));
      while (!over) {
        const [before, sofar] = [performance.now(), pushed];
        expect((await senders[0]!.send('sip:carol@example.org', 'meanwhile')).status).toBe(202);
        waits.push(performance.now() - before);
        meanwhile.push(pushed - sofar);
      }
      await done;
      const ms = performance.now() - started;
      const p99Of = (figures: number[]): number =>
        figures.sort((a, b) => a - b)[Math.floor(figures.length * 0.99)]!;
      const p99 = p99Of(waits);
      console.info(
        `U9: ${stored} pushed in ${Math.round(ms)} ms, ${waits.length} others stored meanwhile, ` +
          `p50 ${waits[waits.length >> 1]!.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
      );
      expect(pushed).toBe(stored);
      // Far above what is seen, far below what a drain in one go would cost: all of the messages.
      expect(p99Of(meanwhile)).toBeLessThan(stored / 4);
    } finally {
      await world.end();
    }
  },
);

/** One message that waits for bob. */
async function offer(scene: ForwardScene): Promise<void> {
  scene.send({});
  expect((await scene.answer()).status).toBe(202);
}

function accept(scene: ForwardScene, invite: SipRequest, sdp: string): void {
  const headers = [
    ['Contact', `<sip:bob@127.0.0.1:${scene.client.port}>`],
    ['Content-Type', 'application/sdp'],
  ] as const;
  const text = responseTo(invite, 200, { tag: 'client', headers }).toString('latin1');
  const { port } = scene.world.server.sip.find(({ transport }) => transport === 'udp')!;
  const answer = text.replace(
    /Content-Length: 0\r\n\r\n$/,
    `Content-Length: ${sdp.length}\r\n\r\n${sdp}`,
  );
  scene.client.send({ transport: 'udp', address: '127.0.0.1', port }, Buffer.from(answer));
}

/** The INVITE behind that one, which may have been repeated. */
async function nextInvite(scene: ForwardScene, before: SipRequest): Promise<SipRequest> {
  for (;;) {
    const invite = await scene.asked('INVITE');
    if (invite.header('call-id') !== before.header('call-id')) return invite;
  }
}

async function take(
  deliveries: ReturnType<ImClient['deliveries']>,
  count: number,
): Promise<DeliveredMessage[]> {
  const taken: DeliveredMessage[] = [];
  while (taken.length < count) taken.push((await deliveries.next()).value as DeliveredMessage);
  return taken;
}
