/** The reg event package over real sockets: the test is the S-CSCF (RFC 3680, RFC 6665). */

import { describe, expect, test } from 'vitest';
import type { SettingsInput } from '../../src/config.js';
import { openSipPeer } from '../../src/testing/sip-peer.js';
import type { HeaderField, SipRequest, SipResponse } from '../../src/wire/sip/message.js';
import { serialiseRequest } from '../../src/wire/sip/serialise.js';
import { withForward, type ForwardScene } from './forward-scene.js';
import { bob } from './two-peers.js';
import { hostname } from './world.js';

const enabled = { enabled: true } as const;
const im = '+g.oma.sip-im';

interface ContactSketch {
  readonly id: string;
  readonly state?: 'active' | 'terminated';
  readonly tag?: string;
  readonly expires?: number;
}

/** As an S-CSCF writes it. */
function reginfo(
  version: number,
  contacts: readonly ContactSketch[],
  { state = 'full', registration = 'active', aor = bob } = {},
): string {
  const lines = contacts.map(({ id, state: of = 'active', tag = im, expires }) => {
    const left = expires === undefined ? '' : ` expires="${expires}"`;
    const event = of === 'active' ? 'registered' : 'unregistered';
    const param = tag === '' ? '' : `<unknown-param name="${tag}"></unknown-param>`;
    return `<contact id="${id}" state="${of}" event="${event}"${left}>
<uri>sip:${id}@192.0.2.30</uri>${param}</contact>`;
  });
  return `<?xml version="1.0"?>
<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="${version}" state="${state}">
<registration aor="${aor}" id="a7" state="${registration}">${lines.join('')}</registration>
</reginfo>`;
}

/** The S-CSCF, with the dialog of the subscription that it has been asked for. */
class Scscf {
  readonly scene: ForwardScene;
  subscribe!: SipRequest;
  #serial = 0;

  constructor(scene: ForwardScene) {
    this.scene = scene;
  }

  /** A third-party REGISTER; `tag` is what the REGISTER of the client says of it. */
  async register(
    tag: string | undefined,
    { expires = 600, to = bob }: { readonly expires?: number; readonly to?: string } = {},
  ): Promise<void> {
    const { port } = this.scene.client;
    const n = ++this.#serial;
    const embedded = [
      'REGISTER sip:example.org SIP/2.0',
      `Contact: <sip:phone@192.0.2.30>${tag === undefined ? '' : `;${tag}`}`,
      '',
      '',
    ].join('\r\n');
    const headers: HeaderField[] = [
      ['From', `<sip:127.0.0.1:${port}>;tag=r${n}`],
      ['To', `<${to}>`],
      ['Call-ID', `register-${n}`],
      ['CSeq', '1 REGISTER'],
      ['Contact', `<sip:127.0.0.1:${port}>`],
      ['Expires', String(expires)],
      ['Content-Type', 'message/sip'],
    ];
    const response = await this.#send('REGISTER', headers, Buffer.from(embedded));
    expect(response.status).toBe(200);
  }

  /** The next SUBSCRIBE is answered; a 2xx opens the dialog. */
  async subscribed(status = 200, headers: readonly HeaderField[] = []): Promise<SipRequest> {
    const request = await this.scene.asked('SUBSCRIBE');
    const contact: HeaderField = ['Contact', `<sip:127.0.0.1:${this.scene.client.port}>`];
    const expires = request.header('expires')!;
    const fields = status < 300 ? [contact, ['Expires', expires] as const] : headers;
    this.scene.reply(request, status, fields);
    if (status < 300) this.subscribe = request;
    return request;
  }

  notify(
    body: string,
    state = 'active;expires=600',
    more: { readonly type?: string; readonly event?: string } = {},
  ): Promise<SipResponse> {
    return this.#send('NOTIFY', this.notifyFields(state, more), Buffer.from(body));
  }

  notifyFields(
    state: string,
    more: { readonly type?: string; readonly event?: string } = {},
  ): HeaderField[] {
    const { subscribe } = this;
    return [
      ['From', `<${bob}>;tag=client`],
      ['To', subscribe.header('from')!],
      ['Call-ID', subscribe.header('call-id')!],
      ['CSeq', `${++this.#serial + 100} NOTIFY`],
      ['Contact', `<sip:127.0.0.1:${this.scene.client.port}>`],
      ['Event', more.event ?? 'reg'],
      ['Subscription-State', state],
      ['Content-Type', more.type ?? 'application/reginfo+xml'],
    ];
  }

  /** Sent from another socket, so that answers and requests do not mix. */
  #send(method: string, headers: HeaderField[], body: Buffer): Promise<SipResponse> {
    const { world, sender } = this.scene;
    const { port } = world.server.sip.find(({ transport }) => transport === 'udp')!;
    const via = `SIP/2.0/UDP 127.0.0.1:${sender.port};branch=z9hG4bKs${++this.#serial}`;
    const fields: HeaderField[] = [['Via', via], ['Max-Forwards', '70'], ...headers];
    const uri = `sip:127.0.0.1:${port}`;
    const bytes = serialiseRequest({ method, uri, headers: fields, body });
    sender.send({ transport: 'udp', address: '127.0.0.1', port }, bytes);
    return this.scene.answer();
  }
}

function withScscf(
  play: (scscf: Scscf, scene: ForwardScene) => Promise<void>,
  limits: SettingsInput['limits'] = {},
  identity: SettingsInput['identity'] = { regEvent: enabled },
): Promise<void> {
  return withForward((scene) => play(new Scscf(scene), scene), limits, 'udp', {
    identity: { hostname, domains: ['example.org'], ...identity },
  });
}

/** A message waits for bob. */
async function offer(scene: ForwardScene): Promise<void> {
  scene.send({});
  expect((await scene.answer()).status).toBe(202);
}

/** A message is passed on to bob; nothing but ACK has come before it. */
async function passed(scene: ForwardScene): Promise<void> {
  scene.send({});
  let request = await scene.client.nextRequest();
  while (request.method === 'ACK') request = await scene.client.nextRequest();
  expect(request.method).toBe('MESSAGE');
  scene.reply(request, 200);
  expect((await scene.answer()).status).toBe(200);
}

describe('REG-01: the registrations of a user, as the S-CSCF tells them', () => {
  test('REG-01: a third-party REGISTER brings a SUBSCRIBE along its route', () =>
    withScscf(async (scscf, scene) => {
      await scscf.register(im);
      const request = await scscf.subscribed();
      expect(request.uri).toBe(bob);
      expect(request.list('route')).toEqual([`<sip:127.0.0.1:${scene.client.port};lr>`]);
      expect(request.header('event')).toBe('reg');
      expect(request.header('accept')).toBe('application/reginfo+xml');
      expect(request.header('expires')).toBe('3600');
      expect(request.header('to')).toBe(`<${bob}>`);
      expect(request.header('p-asserted-identity')).toBe(`<sip:Deferred@${hostname}>`);
      // TPR-05: one subscription, however many REGISTERs of the user come.
      await scscf.register(im);
      await passed(scene);
    }));

  test('REG-01: an active contact with the tag is pushed to; terminated, he is not there', () =>
    withScscf(async (scscf, scene) => {
      await offer(scene);
      await scscf.register('audio');
      await scscf.subscribed();
      expect((await scscf.notify(reginfo(0, [{ id: 'c1', tag: 'audio' }]))).status).toBe(200);
      const both = [{ id: 'c1', tag: 'audio' }, { id: 'c2' }];
      expect((await scscf.notify(reginfo(1, both))).status).toBe(200);
      const invite = await scene.asked('INVITE');
      expect(invite.uri).toBe(bob);
      expect(invite.list('route')).toEqual([`<sip:127.0.0.1:${scene.client.port};lr>`]);
      scene.reply(invite, 486);
      await passed(scene);
      const gone = [{ id: 'c2', state: 'terminated' as const }];
      expect((await scscf.notify(reginfo(2, gone, { state: 'partial' }))).status).toBe(200);
      // What is left is known to lack the tag (CAP-04).
      await offer(scene);
    }));

  test.each([
    ['terminated', reginfo(1, [{ id: 'c1', state: 'terminated' }], { registration: 'terminated' })],
    ['init', reginfo(1, [], { registration: 'init' })],
    ['of somebody else alone', reginfo(1, [{ id: 'c1' }], { aor: 'sip:carol@example.org' })],
  ])('REG-01: a registration that is %s has nobody there', (_name, told) =>
    withScscf(async (scscf, scene) => {
      await scscf.register(im);
      await scscf.subscribed();
      await scscf.notify(reginfo(0, [{ id: 'c1', expires: 900 }]));
      await passed(scene);
      expect((await scscf.notify(told)).status).toBe(200);
      await offer(scene);
    }),
  );

  test('REG-01: a REGISTER that tells nothing leaves what the NOTIFY has told', () =>
    withScscf(async (scscf, scene) => {
      await scscf.register(im);
      await scscf.subscribed();
      await scscf.notify(reginfo(0, [{ id: 'c1', tag: 'audio' }]));
      await scscf.register(undefined);
      await offer(scene);
    }));

  test('REG-01: another device is another chance for what the first did not take', () =>
    withScscf(
      async (scscf, scene) => {
        await offer(scene);
        await scscf.register(im);
        await scscf.subscribed();
        scene.reply(await scene.asked('INVITE'), 486);
        await scscf.notify(reginfo(0, [{ id: 'c1' }]));
        // The same that the REGISTER has told: no further push.
        await passed(scene);
        const second = reginfo(1, [{ id: 'c2' }], { state: 'partial' });
        expect((await scscf.notify(second)).status).toBe(200);
        expect((await scene.asked('INVITE')).uri).toBe(bob);
      },
      // The back-off alone would not bring it while the test runs.
      { register: { burstMs: 1 }, push: { retryMs: 600_000 } },
    ));

  test('REG-01, TPR-05: the device that the REGISTER has just told of is no other chance', () =>
    withScscf(
      async (scscf, scene) => {
        await offer(scene);
        await scscf.register(im);
        await scscf.subscribed();
        scene.reply(await scene.asked('INVITE'), 486);
        await scscf.notify(reginfo(0, [{ id: 'c1' }]));
        await scscf.notify(reginfo(1, [{ id: 'c2' }], { state: 'partial' }));
        await passed(scene);
      },
      { register: { burstMs: 600_000 }, push: { retryMs: 600_000 } },
    ));
});

describe('REG-01: versions', () => {
  test('REG-01: a gap brings another SUBSCRIBE, and all is told anew', () =>
    withScscf(async (scscf, scene) => {
      await scscf.register(im);
      const first = await scscf.subscribed();
      await scscf.notify(reginfo(4, [{ id: 'c1' }]));
      const gone = [{ id: 'c1', state: 'terminated' as const }];
      expect((await scscf.notify(reginfo(6, gone, { state: 'partial' }))).status).toBe(200);
      const again = await scscf.subscribed();
      expect(again.header('call-id')).toBe(first.header('call-id'));
      expect(again.header('to')).toContain(';tag=client');
      expect(Number.parseInt(again.header('cseq')!)).toBe(
        Number.parseInt(first.header('cseq')!) + 1,
      );
      await passed(scene);
      await scscf.notify(reginfo(7, []));
      await offer(scene);
    }));

  test('REG-01: what was told before is not believed again', () =>
    withScscf(async (scscf, scene) => {
      await scscf.register(im);
      await scscf.subscribed();
      await scscf.notify(reginfo(4, [{ id: 'c1' }]));
      expect((await scscf.notify(reginfo(4, []))).status).toBe(200);
      expect((await scscf.notify(reginfo(3, []))).status).toBe(200);
      await passed(scene);
    }));
});

describe('REG-01: when it goes wrong', () => {
  test('REG-01: a NOTIFY that cannot be read is refused and changes nothing', () =>
    withScscf(async (scscf, scene) => {
      await scscf.register(im);
      await scscf.subscribed();
      await scscf.notify(reginfo(0, [{ id: 'c1' }]));
      expect((await scscf.notify('<reginfo')).status).toBe(400);
      expect((await scscf.notify('<!DOCTYPE x []><x/>')).status).toBe(400);
      const unknown = reginfo(1, [], { registration: 'gone' });
      expect((await scscf.notify(unknown)).header('warning')).toContain('REGINFO_STATE');
      expect((await scscf.notify(reginfo(1, []), 'perhaps')).status).toBe(400);
      expect((await scscf.notify('{}', 'active', { type: 'application/json' })).status).toBe(415);
      const bad = await scscf.notify(reginfo(1, []), 'active', { event: 'presence' });
      expect([bad.status, bad.header('allow-events')]).toEqual([489, 'reg']);
      await passed(scene);
      expect((await scscf.notify(reginfo(1, []))).status).toBe(200);
      await offer(scene);
    }));

  test('REG-01: nobody but a trusted peer is heard', () =>
    withScscf(
      async (scscf, scene) => {
        await scscf.register(im);
        await scscf.subscribed();
        const stranger = await openSipPeer('udp', '127.0.0.2');
        try {
          const via = `SIP/2.0/UDP 127.0.0.2:${stranger.port};branch=z9hG4bKx`;
          const fields: HeaderField[] = [
            ['Via', via],
            ['Max-Forwards', '70'],
          ];
          const headers = [...fields, ...scscf.notifyFields('active')];
          const body = Buffer.from(reginfo(0, []));
          const { port } = scene.world.server.sip.find(({ transport }) => transport === 'udp')!;
          const uri = `sip:127.0.0.1:${port}`;
          const bytes = serialiseRequest({ method: 'NOTIFY', uri, headers, body });
          stranger.send({ transport: 'udp', address: '127.0.0.1', port }, bytes);
          expect((await stranger.nextResponse()).status).toBe(481);
        } finally {
          await stranger.close();
        }
        await passed(scene);
      },
      {},
      { regEvent: enabled, trustedPeers: ['127.0.0.1/32'] },
    ));

  test('REG-01: refused, the REGISTER alone counts, and the next one asks again', () =>
    withScscf(async (scscf, scene) => {
      await scscf.register(im);
      await scscf.subscribed(403);
      await passed(scene);
      await scscf.register(im);
      await scscf.subscribed();
      expect((await scscf.notify(reginfo(0, []))).status).toBe(200);
      await offer(scene);
    }));
});

describe('REG-01: as long and as far as it is wanted', () => {
  test('REG-01: with Expires 0 the subscription ends as well', () =>
    withScscf(async (scscf, scene) => {
      await scscf.register(im);
      await scscf.subscribed();
      await scscf.notify(reginfo(0, [{ id: 'c1' }]));
      await scscf.register(im, { expires: 0 });
      expect((await scscf.subscribed()).header('expires')).toBe('0');
      const last = await scscf.notify(reginfo(1, [{ id: 'c1' }]), 'terminated;reason=timeout');
      expect(last.status).toBe(200);
      await offer(scene);
      expect((await scscf.notify(reginfo(2, []), 'terminated')).status).toBe(481);
    }));

  test('REG-01: users beyond the bound are known by REGISTER alone', () =>
    withScscf(
      async (scscf, scene) => {
        await scscf.register(im, { to: 'sip:carol@example.org' });
        expect((await scscf.subscribed()).uri).toBe('sip:carol@example.org');
        await scscf.register(im);
        await passed(scene);
      },
      {},
      { regEvent: { ...enabled, count: 1 } },
    ));

  test('REG-01: nobody is asked unless it is switched on', () =>
    withScscf(
      async (scscf, scene) => {
        await scscf.register(im);
        await passed(scene);
      },
      {},
      {},
    ));
});
