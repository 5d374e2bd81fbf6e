/** Subscriptions to the reg package of users whom an S-CSCF registers here (RFC 3680, REG-01). */

import type { Limits, RegisterFacts } from '../machines/events.js';
import type { AccountId, Clock, Log, Owner, Random, SipPort, SipReceived } from '../ports.js';
import type { HeaderField, SipResponse } from '../wire/sip/message.js';
import { reginfoType } from '../wire/xml/reginfo.js';
import type { Input } from './account-world.js';
import { refusal } from './answers.js';
import type { Bounds } from './options.js';
import type { Product } from './product.js';
import { isOfPackage, RegistrationWatch } from './registration-watch.js';
import type { RegistrationWatchParts, ThirdPartyRegistration } from './registration-watch.js';
import type { Subscribe } from './registration-subscription.js';
import type { ServedUsers } from './served-users.js';

/** How far the server goes to know who is registered. */
export interface RegEventOptions {
  /** Seconds to ask for. */
  readonly expires: number;
  /** Subscriptions at a time; users beyond are known by third-party REGISTER alone. */
  readonly count: number;
}

export interface RegistrationWatchesParts {
  readonly regEvent: RegEventOptions;
  readonly sip: SipPort;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly limits: Limits;
  readonly product: Product;
  readonly bounds: Pick<Bounds, 'bodyBytes'>;
  readonly users: Pick<ServedUsers, 'account' | 'deferredUri'>;
  submit(account: AccountId, input: Input): boolean;
}

/** Volatile: after a restart the next third-party REGISTER of a user begins anew. */
export class RegistrationWatches {
  readonly #parts: RegistrationWatchesParts;
  /** Those of users who are registered. */
  readonly #watches = new Map<AccountId, RegistrationWatch>();
  /** All of them, those that say farewell among them. */
  readonly #byOwner = new Map<Owner, RegistrationWatch>();
  readonly #byCallId = new Map<string, RegistrationWatch>();
  #number = 0;

  constructor(parts: RegistrationWatchesParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#byOwner.size;
  }

  /** A third-party REGISTER was taken: the first of a user begins, with Expires 0 the last ends. */
  registered(told: ThirdPartyRegistration): void {
    const { account, expires, path } = told;
    const watch = this.#watches.get(account);
    if (watch && expires > 0 && watch.path[0] === path[0]) {
      watch.registered(told);
      return;
    }
    if (watch) {
      this.#watches.delete(account);
      watch.leave();
    }
    if (expires > 0) this.#begin(told);
  }

  /** What is known of the clients of a user whose REGISTER does not tell. */
  im(account: AccountId): boolean | 'unknown' {
    return this.#watches.get(account)?.im ?? 'unknown';
  }

  /**
   * Whether a request of a trusted peer was a NOTIFY for one of them. Throws WireError when it is
   * malformed.
   */
  notified({ request, transaction, owner }: SipReceived): boolean {
    if (request.method !== 'NOTIFY' || owner !== undefined) return false;
    const watch = this.#byCallId.get(request.header('call-id') ?? '');
    if (!watch) return false;
    if (isOfPackage(request)) watch.notified(request, transaction);
    else {
      const { sip, product } = this.#parts;
      const headers: HeaderField[] = [['Allow-Events', 'reg']];
      sip.respond(transaction, refusal(489, product, { headers }));
    }
    return true;
  }

  answered(owner: Owner, id: string, response: SipResponse): boolean {
    if (!isWatch(owner)) return false;
    this.#byOwner.get(owner)?.answered(id, response);
    return true;
  }

  failed(owner: Owner, id: string, cause: 'timeout' | 'transport'): boolean {
    if (!isWatch(owner)) return false;
    this.#byOwner.get(owner)?.failed(id, cause);
    return true;
  }

  stop(): void {
    for (const watch of this.#byOwner.values()) watch.stop();
    this.#watches.clear();
    this.#byOwner.clear();
    this.#byCallId.clear();
  }

  #begin(told: ThirdPartyRegistration): void {
    const { regEvent, log } = this.#parts;
    const { account } = told;
    if (this.#byOwner.size >= regEvent.count) {
      log.debug({ account }, 'no room for another subscription to registrations');
      return;
    }
    const owner = `${account}${mark}${++this.#number}`;
    const watch: RegistrationWatch = new RegistrationWatch(
      this.#partsOf(account, owner, () => watch),
      told,
    );
    this.#watches.set(account, watch);
    this.#byOwner.set(owner, watch);
    watch.begin();
  }

  #partsOf(
    account: AccountId,
    owner: Owner,
    self: () => RegistrationWatch,
  ): RegistrationWatchParts {
    const { regEvent, sip, clock, random, log, limits, product, bounds, users } = this.#parts;
    let callId: string | undefined;
    return {
      ...{ clock, random, log, bodyBytes: bounds.bodyBytes, localUri: users.deferredUri },
      expires: regEvent.expires,
      burstMs: limits.register.burstMs,
      accountOf: (aor) => users.account(aor),
      submit: (of, register) => this.#submit(of, register, owner),
      respond: (transaction, status) => sip.respond(transaction, refusal(status, product)),
      send: (id, subscribe) => {
        if (callId !== undefined) this.#byCallId.delete(callId);
        callId = subscribe.callId;
        this.#byCallId.set(callId, self());
        this.#send({ owner, id, subscribe }, self());
      },
      ended: ({ answer, cause }) => {
        if (callId !== undefined) this.#byCallId.delete(callId);
        this.#byOwner.delete(owner);
        if (this.#watches.get(account) === self()) this.#watches.delete(account);
        if (!answer && cause === undefined) return;
        log.info({ account, status: answer?.status, cause }, 'registrations are not told any more');
      },
    };
  }

  #send(
    { owner, id, subscribe }: { owner: Owner; id: string; subscribe: Subscribe },
    { account, identity, path }: RegistrationWatch,
  ): void {
    const { sip, product, users } = this.#parts;
    const uri = users.deferredUri;
    const { dialog, callId, localTag, cseq } = subscribe;
    sip.request({
      ...{ owner, id, method: 'SUBSCRIBE' },
      uri: identity,
      from: `<${uri}>`,
      to: `<${identity}>`,
      route: path,
      headers: [
        ['Contact', `<${sip.contactUri(`reg.${account}`)}>;automata`],
        // TS 24.229 5.7.1.1: the S-CSCF looks at who asks.
        ['P-Asserted-Identity', `<${uri}>`],
        ['Event', 'reg'],
        ['Accept', reginfoType],
        ['Expires', String(subscribe.expires)],
        ['User-Agent', product.name],
      ],
      ...(dialog ? { dialog } : { callId, localTag, cseq }),
    });
  }

  /** The NOTIFY is answered already, so that nobody waits for an answer of the mailbox. */
  #submit(account: AccountId, register: RegisterFacts, owner: Owner): boolean {
    const { clock, limits } = this.#parts;
    const at = clock.now();
    const event = { type: 'register.received', at, transaction: owner, register, limits } as const;
    return this.#parts.submit(account, { kind: 'event', to: 'mailbox', event });
  }
}

/** Of owners, between account and number; no other owner has it. */
const mark = '#registrations/';

function isWatch(owner: Owner): boolean {
  return owner.lastIndexOf(mark) > 0 && owner.lastIndexOf(mark) === owner.lastIndexOf('#');
}
