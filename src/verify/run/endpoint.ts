/** The user agents of one path: a client of the user and the sender, on sockets of their own. */

import { AuthenticatingSip } from '../../client/authentication.js';
import { freePort } from '../../client/free-port.js';
import { hostTowards } from '../../client/local-host.js';
import type { SipHandler, SipOutgoing, SipPort, SipReceived, Trace } from '../../ports.js';
import { systemClock, systemRandom } from '../../system.js';
import { createSipEndpoint, type SipEndpoint } from '../../transport/sip/endpoint.js';
import { resolveAddress, type Resolve } from '../../transport/sip/resolve.js';
import type { SipResponse } from '../../wire/sip/message.js';
import { VerifyError } from '../verify-error.js';
import { TesterMedia } from './media.js';
import { allow } from './requests.js';
import type { Seen } from './seen.js';
import type { RunSettings, Target } from './settings.js';

/** What became of a request. */
export type Heard =
  | { readonly kind: 'response'; readonly response: SipResponse }
  | { readonly kind: 'silence'; readonly cause: 'timeout' | 'transport' };

/** Who a request is of, and whose password answers for it. */
export type Voice = 'user' | 'sender' | 'nobody';

const quietLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const attempts = 5;
/** What a target may make the tester keep. */
const limits = { bodyBytes: 65_536, headerBytes: 16_384, connections: 64, dialogs: 1_000 };

export class TesterEndpoint {
  readonly host: string;
  readonly port: number;
  readonly media: TesterMedia;
  /** Tells it from all others. */
  readonly token = systemRandom.token(12);
  /** User part of who is tested with; what is sent to others is refused. */
  readonly user: string;
  /** Hears what comes; set before anything is sent. */
  onSeen: (seen: Seen) => void = () => undefined;
  /** An answer that proves nothing came from somebody who does not know the password. */
  onUnproven: (method: string) => void = () => undefined;
  readonly #sip: SipEndpoint;
  readonly #voices: Readonly<Record<Voice, SipPort>>;
  readonly #waiting = new Map<string, (heard: Heard) => void>();
  readonly #invites = new Set<string>();
  #next = 1;

  private constructor(host: string, port: number, user: string, opened: Opened) {
    this.host = host;
    this.port = port;
    this.user = user;
    this.#sip = opened.sip;
    this.#voices = opened.voices((method) => this.onUnproven(method));
    this.media = opened.media((told) => this.onSeen(told));
  }

  /** Opens sockets from which the target can be reached. Throws VERIFY_UNREACHABLE. */
  static async open(settings: RunSettings, user: string, trace?: Trace): Promise<TesterEndpoint> {
    const host = await hostTowards(settings.target.host, settings.target.port).catch(unreachable);
    for (let attempt = 1; ; attempt++) {
      const port = await freePort(host);
      const endpoint = new TesterEndpoint(
        host,
        port,
        user,
        open(settings, { host, port, user, trace }),
      );
      try {
        await endpoint.#start();
        return endpoint;
      } catch (error) {
        await endpoint.close();
        if (attempt === attempts) throw error;
      }
    }
  }

  contactUri(user: string, transport: Target['transport']): string {
    return this.#sip.contactUri(user, transport);
  }

  /** Sends a request; what becomes of it is always heard, at the latest by Timer B or F. */
  request(outgoing: Omit<SipOutgoing, 'id'>, voice: Voice = 'user'): Promise<Heard> {
    const id = String(this.#next++);
    return new Promise((resolve) => {
      this.#waiting.set(`${outgoing.owner} ${id}`, resolve);
      this.#voices[voice].request({ ...outgoing, id });
    });
  }

  /** Ends the dialog or the INVITE of that owner. */
  bye(owner: string): Promise<Heard> {
    const id = String(this.#next++);
    return new Promise((resolve) => {
      this.#waiting.set(`${owner} ${id}`, resolve);
      this.#voices.user.bye(owner, id, []);
    });
  }

  /** Answers an INVITE of the server; it names the session from here on. */
  accept(transaction: string, sdp: Buffer, contact: string): void {
    this.#invites.delete(transaction);
    this.#sip.respond(transaction, {
      status: 200,
      owner: transaction,
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
    this.#sip.respond(transaction, { status, headers: [] });
  }

  async close(): Promise<void> {
    for (const transaction of this.#invites) this.refuse(transaction, 480);
    await Promise.all([this.#sip.stop(0), this.media.stop()]);
  }

  async #start(): Promise<void> {
    let handler = this.#handler();
    for (const voice of [this.#voices.user, this.#voices.sender]) {
      if (voice instanceof AuthenticatingSip) handler = voice.handler(handler);
    }
    await this.#sip.start(handler);
    await this.media.start();
  }

  #settle(key: string, heard: Heard): void {
    const resolve = this.#waiting.get(key);
    this.#waiting.delete(key);
    resolve?.(heard);
  }

  #handler(): SipHandler {
    return {
      request: (received) => this.#received(received),
      response: (owner, id, response) => {
        if (response.status < 200) return;
        this.#settle(`${owner} ${id}`, { kind: 'response', response });
      },
      failure: (owner, id, cause) => this.#settle(`${owner} ${id}`, { kind: 'silence', cause }),
      cancelled: (transaction) => {
        if (!this.#invites.delete(transaction)) return;
        this.onSeen({ kind: 'bye', session: transaction, how: 'CANCEL' });
      },
      acknowledged: () => undefined,
      unacknowledged: () => undefined,
      expired: () => undefined,
    };
  }

  #received({ request, transaction, owner }: SipReceived): void {
    const answer = (status: number): void =>
      this.#sip.respond(transaction, {
        status,
        headers: status === 405 ? [['Allow', allow]] : [],
      });
    switch (request.method) {
      case 'INVITE':
        if (owner !== undefined) answer(488);
        else if (!request.uri.includes(this.user)) answer(480);
        else {
          this.#invites.add(transaction);
          this.onSeen({ kind: 'invite', request, transaction });
        }
        return;
      case 'BYE':
        answer(owner === undefined ? 481 : 200);
        if (owner === undefined) return;
        this.#sip.forget(owner);
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
}

interface Opened {
  readonly sip: SipEndpoint;
  voices(unproven: (method: string) => void): Readonly<Record<Voice, SipPort>>;
  media(tell: ConstructorParameters<typeof TesterMedia>[1]): TesterMedia;
}

/** The transports, and before them whoever answers challenges; nothing is open yet. */
function open(
  { target, ca, credentials }: RunSettings,
  at: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly trace: Trace | undefined;
  },
): Opened {
  const { host, port, user, trace } = at;
  const world = { clock: systemClock, random: systemRandom, log: quietLog };
  const shared = { ...world, ...(trace && { trace }) };
  const sip = createSipEndpoint({
    ...shared,
    listeners: (['udp', 'tcp'] as const).map((transport) => ({ transport, host, port })),
    ...(ca !== undefined && { tls: { ca: [ca] } }),
    // Over TLS the target comes back on our connection.
    keepAlive: target.transport === 'tls',
    resolve: towards(target),
    limits,
  });
  return {
    sip,
    voices: (unproven) => {
      if (credentials === undefined) return { user: sip, sender: sip, nobody: sip };
      const voiceOf = (username: string): SipPort =>
        new AuthenticatingSip({
          port: () => sip,
          random: systemRandom,
          credentials: {
            ...{ username, password: credentials.passwordOf(username) },
            ...{ realm: undefined, md5: true, proof: 'accept' as const },
          },
          unproven,
        });
      return { user: voiceOf(user), sender: voiceOf(credentials.sender), nobody: sip };
    },
    media: (tell) => new TesterMedia({ ...shared, host }, tell),
  };
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
      ...(transport !== 'udp' && { transport }),
    }));
  };
}

function unreachable(error: unknown): never {
  const { code = 'unknown' } = error as NodeJS.ErrnoException;
  throw new VerifyError('VERIFY_UNREACHABLE', `the target has no address: ${code}`);
}
