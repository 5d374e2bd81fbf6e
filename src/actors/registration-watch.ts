/** What the reg package tells of one user becomes what his mailbox knows of him (REG-01). */

import type { RegisterFacts } from '../machines/events.js';
import type { AccountId, Clock, Log, TransactionId } from '../ports.js';
import { WireError } from '../wire/error.js';
import type { SipRequest, SipResponse } from '../wire/sip/message.js';
import { parseReginfo, reginfoType } from '../wire/xml/reginfo.js';
import type { Reginfo } from '../wire/xml/reginfo.js';
import { RegistrationSubscription } from './registration-subscription.js';
import type { SubscriptionUser } from './registration-subscription.js';
import { RegistrationTable } from './registration-table.js';
import type { Registered } from './registration-table.js';
import { bodyParts, UnsupportedBody } from './request-body.js';

/** A third-party REGISTER, as far as it is of interest. */
export interface ThirdPartyRegistration {
  readonly account: AccountId;
  /** The public identity it is for. */
  readonly identity: string;
  /** Route to the user by the S-CSCF. */
  readonly path: readonly string[];
  readonly im: boolean | 'unknown';
  /** Seconds; 0: he has gone. */
  readonly expires: number;
}

export interface RegistrationWatchParts extends Omit<SubscriptionUser, 'isWanted' | 'respond'> {
  readonly clock: Clock;
  readonly log: Log;
  /** Octets of a document. */
  readonly bodyBytes: number;
  /** ms within which a NOTIFY tells of the registration that the REGISTER has told of. */
  readonly burstMs: number;
  respond(transaction: TransactionId, status: number): void;
  accountOf(aor: string): AccountId | undefined;
  /** False: the mailbox cannot take it now. */
  submit(account: AccountId, register: RegisterFacts): boolean;
}

export class RegistrationWatch {
  readonly account: AccountId;
  readonly #parts: RegistrationWatchParts;
  readonly #subscription: RegistrationSubscription;
  readonly #table = new RegistrationTable();
  #latest: ThirdPartyRegistration;
  #latestAt = 0;
  /** Until when he is registered, as far as that is known. */
  #until = 0;
  /** What the mailbox has been told last. */
  #isReachable = false;
  #clients: ReadonlySet<string> | undefined;
  #tellings = 0;
  #callId = '';
  #status = 0;

  constructor(parts: RegistrationWatchParts, first: ThirdPartyRegistration) {
    this.#parts = parts;
    this.account = first.account;
    this.#latest = first;
    this.#subscription = new RegistrationSubscription({
      ...parts,
      isWanted: () => parts.clock.now() < this.#until,
      respond: (transaction, status) => {
        this.#status = status;
        parts.respond(transaction, status);
      },
      send: (id, subscribe) => {
        // Another dialog counts its documents anew.
        if (subscribe.callId !== this.#callId) this.#table.clear();
        this.#callId = subscribe.callId;
        parts.send(id, subscribe);
      },
    });
    this.registered(first);
  }

  get path(): readonly string[] {
    return this.#latest.path;
  }

  get identity(): string {
    return this.#latest.identity;
  }

  /** What is known of the clients, for a REGISTER that does not tell. */
  get im(): boolean | 'unknown' {
    return (this.#table.isWhole ? this.#registered().im : undefined) ?? 'unknown';
  }

  begin(): void {
    this.#subscription.begin();
  }

  /** Another third-party REGISTER; the mailbox has it as well. */
  registered(latest: ThirdPartyRegistration): void {
    const { clock } = this.#parts;
    // U22: a client answers to its sip identity, whatever else is registered with it.
    const isSip = /^sips?:/i.test(latest.identity);
    this.#latest = isSip ? latest : { ...latest, identity: this.#latest.identity };
    this.#latestAt = clock.now();
    this.#until = this.#latestAt + latest.expires * 1_000;
    this.#isReachable = latest.im !== false;
  }

  /** The user has gone; farewell is said, and `ended` follows. */
  leave(): void {
    this.#subscription.leave();
  }

  stop(): void {
    this.#subscription.stop();
  }

  /** Throws WireError when the NOTIFY is malformed. */
  notified(request: SipRequest, transaction: TransactionId): void {
    const reginfo = this.#reginfoOf(request);
    this.#subscription.notified(request, transaction);
    if (this.#status === 200 && reginfo) this.#take(reginfo);
  }

  answered(id: string, response: SipResponse): void {
    this.#subscription.answered(id, response);
  }

  failed(id: string, cause: 'timeout' | 'transport'): void {
    this.#subscription.failed(id, cause);
  }

  #reginfoOf(request: SipRequest): Reginfo | undefined {
    const { bodyBytes } = this.#parts;
    const [part] = bodyParts(request, bodyBytes);
    if (!part) return undefined;
    if (part.type !== reginfoType) throw new UnsupportedBody(`a body that is not ${reginfoType}`);
    return parseReginfo(part.body, { size: bodyBytes });
  }

  #take(reginfo: Reginfo): void {
    const { log } = this.#parts;
    const outcome = this.#table.take(reginfo);
    if (outcome === 'taken') this.#judge();
    if (outcome !== 'gap') return;
    log.info({ account: this.account, version: reginfo.version }, 'registrations were missed');
    this.#subscription.refresh();
  }

  #registered(): Registered {
    const { accountOf } = this.#parts;
    return this.#table.registered((aor) => accountOf(aor) === this.account);
  }

  /**
   * Only what changes something is told: a registration is a new chance for what a client did not
   * take before (D-47), which the REGISTER has given already.
   */
  #judge(): void {
    const { clock, burstMs } = this.#parts;
    const now = clock.now();
    const registered = this.#registered();
    const { im, clients } = registered;
    const isReachable = clients.size > 0;
    const former = this.#clients;
    this.#clients = clients;
    const isAnother = former !== undefined && [...clients].some((uri) => !former.has(uri));
    const isOfBurst = now - this.#latestAt < burstMs;
    if (isReachable === this.#isReachable && (!isAnother || isOfBurst)) return;
    const expires = im === undefined ? 0 : this.#secondsLeft(registered, now);
    if (this.#tell(expires, im ?? false)) {
      this.#isReachable = isReachable;
      if (expires > 0) this.#until = Math.max(this.#until, now + expires * 1_000);
    } else this.#clients = former;
  }

  #secondsLeft({ expires }: Registered, now: number): number {
    const left = Math.ceil((this.#until - now) / 1_000);
    return Math.max(expires ?? left, 1);
  }

  #tell(expires: number, im: boolean | 'unknown'): boolean {
    const { identity, path } = this.#latest;
    return this.#parts.submit(this.account, {
      by: 'scscf',
      contacts: [{ uri: identity, expires, im, q: 1 }],
      removeAll: false,
      path,
      callId: this.#callId,
      cseq: ++this.#tellings,
    });
  }
}

/** Throws WireError unless the NOTIFY is of the package that was subscribed to. */
export function isOfPackage(request: SipRequest): boolean {
  const event = request.header('event');
  if (event === undefined) throw new WireError('SIP_MISSING_HEADER', 'NOTIFY without Event');
  return /^\s*reg\s*(?:;|$)/i.test(event);
}
