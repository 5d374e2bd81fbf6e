/** The reg event package over real sockets: the test is the S-CSCF (RFC 3680, RFC 6665). */

import { describe, expect, test } from 'vitest';
import type { SettingsInput } from '../../src/config.js';
import type { HeaderField, SipRequest, SipResponse } from '../../src/wire/sip/message.js';
import { serialiseRequest } from '../../src/wire/sip/serialise.js';
import { bob, withForward, type ForwardScene } from './forward-scene.js';
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
  async register(tag: string | undefined, expires = 600): Promise<void> {
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
      ['To', `<${bob}>`],
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
    const { subscribe } = this;
    const headers: HeaderField[] = [
      ['From', `<${bob}>;tag=client`],
      ['To', subscribe.header('from')!],
      ['Call-ID', subscribe.header('call-id')!],
      ['CSeq', `${++this.#serial + 100} NOTIFY`],
      ['Contact', `<sip:127.0.0.1:${this.scene.client.port}>`],
      ['Event', more.event ?? 'reg'],
      ['Subscription-State', state],
      ['Content-Type', more.type ?? 'application/reginfo+xml'],
    ];
    return this.#send('NOTIFY', headers, Buffer.from(body));
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

  /** A message that is passed on to bob, or stored. */
  async message(): Promise<'passed on' | 'stored'> {
    const { world } = this.scene;
    const before = world.server.counters()['actors.forwards'];
    this.scene.send({});
    for (;;) {
      // Nobody answers before the S-CSCF has, unless the message is stored.
      const isStored = await Promise.race([
        this.scene.answer().then(({ status }) => status === 202),
        this.scene.asked('MESSAGE').then((request) => {
          this.scene.reply(request, 200);
          return false;
        }),
      ]);
      expect(world.server.counters()['actors.forwards']).toBe(before! + (isStored ? 0 : 1));
      return isStored ? 'stored' : 'passed on';
    }
  }
}

function withScscf(
  play: (scscf: Scscf, scene: ForwardScene) => Promise<void>,
  limits: SettingsInput['limits'] = {},
): Promise<void> {
  return withForward((scene) => play(new Scscf(scene), scene), limits, 'udp', {
    identity: { hostname, domains: ['example.org'], regEvent: enabled },
  });
}

/** A message waits for bob. */
async function offer(scene: ForwardScene): Promise<void> {
  scene.send({});
  expect((await scene.answer()).status).toBe(202);
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
      expect(scene.world.server.counters()['actors.registrations']).toBe(1);
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
      const gone = [{ id: 'c2', state: 'terminated' as const }];
      const told = reginfo(2, gone, { state: 'partial', registration: 'terminated' });
      expect((await scscf.notify(told)).status).toBe(200);
      await offer(scene);
    }));

  test('REG-01: de-registration that only the NOTIFY tells ends availability, init as well', () =>
    withScscf(async (scscf) => {
      await scscf.register(im);
      await scscf.subscribed();
      await scscf.notify(reginfo(0, [{ id: 'c1', expires: 900 }]));
      await expect(scscf.message()).resolves.toBe('passed on');
    }));

  test('REG-01: a registration in its initial state has nobody there', () =>
    withScscf(async (scscf, scene) => {
      await scscf.register(im);
      await scscf.subscribed();
      await scscf.notify(reginfo(0, [], { registration: 'init' }));
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
        const second = reginfo(1, [{ id: 'c2' }], { state: 'partial' });
        expect((await scscf.notify(second)).status).toBe(200);
        expect((await scene.asked('INVITE')).uri).toBe(bob);
      },
      // The back-off alone would not bring it while the test runs.
      { register: { burstMs: 1 }, push: { retryMs: 600_000 } },
    ));
});
