/** A server as a script: real SIP and MSRP endpoints on loopback, driven step by step by a test. */

import type {
  MsrpHandler,
  MsrpIncoming,
  MsrpSink,
  SipAnswer,
  SipHandler,
  SipReceived,
} from '../../src/ports.js';
import { systemClock, systemRandom } from '../../src/system.js';
import { createMsrpEndpoint, type MsrpEndpoint } from '../../src/transport/msrp/endpoint.js';
import { createSipEndpoint, type SipEndpoint } from '../../src/transport/sip/endpoint.js';
import { msrpMedia, parseSdp, answer as sdpAnswer, offer as sdpOffer } from '../../src/wire/sdp.js';
import type { SipResponse } from '../../src/wire/sip/message.js';

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Hands out what arrives in the order in which it arrives, to those who wait in order. */
class Mail<Item> {
  readonly #items: Item[] = [];
  readonly #takers: ((item: Item) => void)[] = [];

  put(item: Item): void {
    const taker = this.#takers.shift();
    if (taker) taker(item);
    else this.#items.push(item);
  }

  take(): Promise<Item> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve(item);
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  get size(): number {
    return this.#items.length;
  }
}

export interface Answered {
  readonly id: string;
  readonly response: SipResponse;
}

export class ScriptedPeer {
  readonly sip: SipEndpoint;
  readonly msrp: MsrpEndpoint;
  readonly requests = new Mail<SipReceived>();
  readonly responses = new Mail<Answered>();
  readonly acknowledged = new Mail<string>();
  readonly connected = new Mail<string>();
  readonly sent = new Mail<{ readonly messageId: string; readonly status: number }>();
  readonly reported = new Mail<{ readonly messageId: string; readonly status: number }>();
  readonly lost = new Mail<string>();

  /** What the peer does with messages that come to it. */
  receive: (incoming: MsrpIncoming) => MsrpSink | number = () => 403;

  constructor() {
    const shared = { clock: systemClock, random: systemRandom, log };
    this.sip = createSipEndpoint({
      ...shared,
      listeners: [
        { transport: 'udp', host: '127.0.0.1', port: 0 },
        { transport: 'tcp', host: '127.0.0.1', port: 0 },
      ],
    });
    this.msrp = createMsrpEndpoint({ ...shared, host: '127.0.0.1', port: 0 });
  }

  async start(): Promise<this> {
    const sipHandler: SipHandler = {
      request: (received) => this.requests.put(received),
      response: (_owner, id, response) => this.responses.put({ id, response }),
      failure: () => {},
      cancelled: (transaction) => this.cancelled.put(transaction),
      acknowledged: (owner) => this.acknowledged.put(owner),
      unacknowledged: () => {},
    };
    const msrpHandler: MsrpHandler = {
      connected: (owner) => this.connected.put(owner),
      lost: (_owner, cause) => this.lost.put(cause),
      sent: (_owner, messageId, status) => this.sent.put({ messageId, status }),
      reported: (_owner, messageId, status) => this.reported.put({ messageId, status }),
      receive: (_owner, incoming) => this.receive(incoming),
    };
    await this.msrp.start(msrpHandler);
    await this.sip.start(sipHandler);
    return this;
  }

  readonly cancelled = new Mail<string>();

  port(transport: 'udp' | 'tcp'): number {
    return this.sip.addresses.find((one) => one.transport === transport)!.port;
  }

  server(transport: 'udp' | 'tcp' = 'udp') {
    return { host: '127.0.0.1', port: this.port(transport), transport };
  }

  respond(received: SipReceived, answer: Partial<SipAnswer> & { readonly status: number }): void {
    this.sip.respond(received.transaction, { headers: [], ...answer });
  }

  /** 200 to a retrieval INVITE, and waits until the client has bound the MSRP session. */
  async accept(
    received: SipReceived,
    owner: string,
    body?: Buffer,
    { maxSize, held, ...more }: Partial<SipAnswer> & AnswerOptions = {},
  ): Promise<void> {
    const sdp = parseSdp(body ?? received.request.body);
    const media = msrpMedia(sdp)!;
    const path = this.msrp.reserve(owner);
    const active = media.setup === 'actpass';
    this.respond(received, {
      ...more,
      status: 200,
      owner,
      headers: [
        ['Contact', `<${this.sip.contactUri('focus')}>;automata;isfocus`],
        ['Content-Type', 'application/sdp'],
      ],
      body: withSetup(
        sdpAnswer({
          ...this.media(path, active ? 'active' : 'passive'),
          direction: media.direction === 'sendonly' ? 'recvonly' : 'sendonly',
          ...(maxSize !== undefined && { maxSize }),
          offer: sdp,
        }),
        held === true ? 'holdconn' : undefined,
      ),
    });
    this.msrp.connect(owner, { path: media.path, active });
    await this.connected.take();
  }

  /** INVITE with a sendonly offer; resolves with the final answer. */
  async invite(
    owner: string,
    contact: string,
    setup: 'actpass' | 'active' | 'holdconn' = 'actpass',
  ) {
    const isHeld = setup === 'holdconn';
    const path = this.msrp.reserve(owner);
    this.sip.request({
      owner,
      id: 'invite',
      method: 'INVITE',
      uri: contact,
      from: '<sip:Deferred@poste.localhost>',
      to: '<sip:bob@example.org>',
      route: [],
      headers: [
        ['Contact', `<${this.sip.contactUri('push')}>;automata`],
        ['Content-Type', 'application/sdp'],
      ],
      body: withSetup(
        sdpOffer(this.media(path, isHeld ? 'active' : setup)),
        isHeld ? setup : undefined,
      ),
    });
    const { response } = await this.responses.take();
    if (response.status < 300) {
      const media = msrpMedia(parseSdp(response.body))!;
      this.msrp.connect(owner, { path: media.path, active: media.setup === 'passive' });
      await this.connected.take();
    }
    return response;
  }

  send(owner: string, messageId: string, contentType: string, payload: Buffer): void {
    const date = 'Fri, 20 Nov 2026 09:00:01 +0000';
    this.msrp.send({
      session: owner,
      owner,
      messageId,
      contentType,
      headers: [['Content-Disposition', `render;creation-date="${date}"`]],
      content: {
        size: payload.length,
        read: (offset, length) => payload.subarray(offset, offset + length),
      },
      successReport: true,
    });
  }

  async stop(): Promise<void> {
    await this.sip.stop(0);
    await this.msrp.stop(0);
  }

  media(path: string, setup: 'active' | 'passive' | 'actpass') {
    return {
      sessionId: 1,
      sessionVersion: 1,
      path: [path],
      direction: 'sendonly' as const,
      setup,
      acceptTypes: ['message/sipfrag', 'message/sip', 'message/cpim'],
    };
  }
}

interface AnswerOptions {
  readonly maxSize?: number;
  /** The answer says holdconn where it would say its role. */
  readonly held?: boolean;
}

function withSetup(body: Buffer, setup: string | undefined): Buffer {
  if (setup === undefined) return body;
  return Buffer.from(body.toString().replace(/a=setup:\w+/, `a=setup:${setup}`));
}
