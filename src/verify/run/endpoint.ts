/** The user agents of one path: a client of the user and the sender, on sockets of their own. */

import { openMessage } from '../../client/encapsulation.js';
import { freePort } from '../../client/free-port.js';
import { hostTowards } from '../../client/local-host.js';
import type { MsrpIncoming, MsrpSink, SipOutgoing, SipReceived, Trace } from '../../ports.js';
import { systemClock, systemRandom } from '../../system.js';
import { createMsrpEndpoint, type MsrpEndpoint } from '../../transport/msrp/endpoint.js';
import { createSipEndpoint, type SipEndpoint } from '../../transport/sip/endpoint.js';
import { resolveAddress, type Resolve } from '../../transport/sip/resolve.js';
import type { SipResponse } from '../../wire/sip/message.js';
import type { Seen } from './seen.js';
import type { RunSettings, Target } from './settings.js';

/** What became of a request. */
export type Heard =
  | { readonly kind: 'response'; readonly response: SipResponse }
  | { readonly kind: 'silence'; readonly cause: 'timeout' | 'transport' };

const quietLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const attempts = 5;
/** Octets of one message; the tester sends none that is larger. */
const messageBytesMax = 1_048_576;
const allow = 'INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, MESSAGE, NOTIFY';

export class TesterEndpoint {
  readonly host: string;
  readonly port: number;
  readonly sip: SipEndpoint;
  msrp: MsrpEndpoint;
  /** Tells it from all others. */
  readonly token = systemRandom.token(12);
  /** Hears what comes; set before anything is sent. */
  onSeen: (seen: Seen) => void = () => undefined;
  readonly #waiting = new Map<string, (heard: Heard) => void>();
  readonly #createMsrp: () => MsrpEndpoint;
  readonly #invites = new Map<string, string>();
  #next = 1;

  private constructor(host: string, port: number, sip: SipEndpoint, msrp: () => MsrpEndpoint) {
    this.host = host;
    this.port = port;
    this.sip = sip;
    this.#createMsrp = msrp;
    this.msrp = msrp();
  }

  /** Opens sockets from which the target can be reached. */
  static async open({ target }: RunSettings, trace?: Trace): Promise<TesterEndpoint> {
    const host = await hostTowards(target.host, target.port);
    for (let attempt = 1; ; attempt++) {
      const port = await freePort(host);
      const shared = {
        clock: systemClock,
        random: systemRandom,
        log: quietLog,
        ...(trace && { trace }),
      };
      const listeners = (['udp', 'tcp'] as const).map((transport) => ({ transport, host, port }));
      const sip = createSipEndpoint({ ...shared, listeners, resolve: towards(target) });
      const endpoint = new TesterEndpoint(host, port, sip, () =>
        createMsrpEndpoint({
          ...{ ...shared, host, port: 0 },
          limits: { messageBytes: messageBytesMax },
        }),
      );
      try {
        await sip.start(endpoint.#sipHandler());
        await endpoint.msrp.start(endpoint.#msrpHandler());
        return endpoint;
      } catch (error) {
        await endpoint.close();
        if (attempt === attempts) throw error;
      }
    }
  }

  /** Sends a request; what becomes of it is always heard, at the latest by Timer B or F. */
  request(outgoing: Omit<SipOutgoing, 'id'>): Promise<Heard> {
    const id = String(this.#next++);
    return new Promise((resolve) => {
      this.#waiting.set(`${outgoing.owner} ${id}`, resolve);
      this.sip.request({ ...outgoing, id });
    });
  }

  /** Ends the dialog or the INVITE of that owner. */
  bye(owner: string): Promise<Heard> {
    const id = String(this.#next++);
    return new Promise((resolve) => {
      this.#waiting.set(`${owner} ${id}`, resolve);
      this.sip.bye(owner, id, []);
    });
  }

  /** Answers an INVITE of the server. */
  accept(session: string, transaction: string, sdp: Buffer, contact: string): void {
    this.#invites.delete(transaction);
    this.sip.respond(transaction, {
      status: 200,
      owner: session,
      headers: [
        ['Contact', contact],
        ['Allow', allow],
        ['Content-Type', 'application/sdp'],
      ],
      body: sdp,
    });
  }

  refuse(transaction: string, status: number): void {
    this.#invites.delete(transaction);
    this.sip.respond(transaction, { status, headers: [] });
  }

  /** Every MSRP connection breaks; other ones can be opened. */
  async disconnect(): Promise<void> {
    await this.msrp.stop(0);
    this.msrp = this.#createMsrp();
    await this.msrp.start(this.#msrpHandler());
  }

  async close(): Promise<void> {
    for (const transaction of this.#invites.keys()) this.refuse(transaction, 480);
    await Promise.all([this.sip.stop(0), this.msrp.stop(0)]);
  }

  #settle(key: string, heard: Heard): void {
    const resolve = this.#waiting.get(key);
    this.#waiting.delete(key);
    resolve?.(heard);
  }

  #sipHandler(): Parameters<SipEndpoint['start']>[0] {
    return {
      request: (received) => this.#received(received),
      response: (owner, id, response) => {
        if (response.status < 200) return;
        this.#settle(`${owner} ${id}`, { kind: 'response', response });
      },
      failure: (owner, id, cause) => this.#settle(`${owner} ${id}`, { kind: 'silence', cause }),
      cancelled: (transaction) => {
        const session = this.#invites.get(transaction);
        this.#invites.delete(transaction);
        if (session !== undefined) this.onSeen({ kind: 'bye', session, how: 'CANCEL' });
      },
      acknowledged: () => undefined,
      unacknowledged: () => undefined,
      expired: () => undefined,
    };
  }

  #received({ request, transaction, owner }: SipReceived): void {
    const answer = (status: number): void =>
      this.sip.respond(transaction, { status, headers: status === 405 ? [['Allow', allow]] : [] });
    switch (request.method) {
      case 'INVITE':
        if (owner !== undefined) {
          answer(488);
          return;
        }
        this.#invites.set(transaction, transaction);
        this.onSeen({ kind: 'invite', request, transaction });
        return;
      case 'BYE':
        answer(owner === undefined ? 481 : 200);
        if (owner === undefined) return;
        this.sip.forget(owner);
        this.onSeen({ kind: 'bye', session: owner, how: 'BYE' });
        return;
      case 'NOTIFY':
        answer(200);
        this.onSeen({ kind: 'notify', request });
        return;
      case 'MESSAGE':
        answer(200);
        this.onSeen({ kind: 'message', request });
        return;
      case 'OPTIONS':
      case 'UPDATE':
        answer(200);
        return;
      default:
        answer(405);
    }
  }

  #msrpHandler(): Parameters<MsrpEndpoint['start']>[0] {
    return {
      connected: () => undefined,
      lost: (session, cause) => this.onSeen({ kind: 'lost', session, cause }),
      sent: () => undefined,
      reported: () => undefined,
      receive: (session, incoming) => this.#receive(session, incoming),
    };
  }

  #receive(session: string, incoming: MsrpIncoming): MsrpSink | number {
    if ((incoming.total ?? 0) > messageBytesMax) return 413;
    const pieces: { readonly offset: number; readonly bytes: Buffer }[] = [];
    return {
      write(offset, bytes) {
        pieces.push({ offset, bytes: Buffer.from(bytes) });
      },
      complete: (total) =>
        new Promise((settle) => {
          const payload = Buffer.alloc(total);
          for (const { offset, bytes } of pieces) bytes.copy(payload, offset);
          const { messageId, contentType, headers } = incoming;
          const message = openMessage({ messageId, contentType, headers, payload }, false);
          const send = { messageId, headers, contentType, message, settle };
          this.onSeen({ kind: 'send', session, ...send });
        }),
      abort: () => undefined,
    };
  }
}

/** Every name leads to the target, as with an outbound proxy; addresses lead where they say. */
function towards({ host, port, transport }: Target): Resolve {
  return async (hop) => {
    if (/^[\d.]+$|:/.test(hop.host)) return resolveAddress(hop);
    const targets = await resolveAddress({ host, port });
    // A long request may leave by TCP (RFC 3261 18.1.1).
    return targets.map(({ address }) => ({
      address,
      port,
      ...(transport === 'tcp' && { transport }),
    }));
  };
}
