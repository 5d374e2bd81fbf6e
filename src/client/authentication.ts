/** Answers the challenges of servers for the user (RFC 3261 22.2 and 22.3, RFC 7616, RFC 8760). */

import type { Owner, Peer, Random, SipAnswer, SipHandler, SipOutgoing } from '../ports.js';
import type { SipPort, TransactionId } from '../ports.js';
import { WireError } from '../wire/error.js';
import { requestTarget, routedTarget } from '../wire/sip/dialog.js';
import type { HeaderField, SipResponse } from '../wire/sip/message.js';
import { Realms } from './realms.js';
import type { Authorization, KnownCredentials, Realm, SentToRealm } from './realms.js';

/** Answers to challenges of one realm for one request: the first, and one to a stale nonce. */
const answersMax = 2;
/** Call-IDs whose CSeq runs ahead of what their users count. */
const offsetsMax = 1_000;

interface Pending {
  readonly outgoing: SipOutgoing;
  /** Realms whose challenges to this request were answered, and how often. */
  readonly answers: Map<string, number>;
  /** The credentials that it carried last. */
  sent: readonly SentToRealm[];
  /** The user has asked to end this INVITE. */
  isWithdrawn: boolean;
}

/**
 * A SipPort before another one: a request that is challenged goes out again with credentials, and
 * whoever sent it hears of the last answer only. Later requests carry credentials at once.
 */
export class AuthenticatingSip implements SipPort {
  readonly #port: () => SipPort;
  readonly #random: Random;
  readonly #realms: Realms;
  readonly #unproven: (method: string) => void;
  readonly #pending = new Map<string, Pending>();
  /** BYEs to sessions that somebody else has accepted; nobody waits for their outcome. */
  readonly #endings = new Set<string>();
  /** By Call-ID: how many more requests it has had than its user knows of. */
  readonly #offsets = new Map<string, number>();

  constructor(options: {
    readonly port: () => SipPort;
    readonly random: Random;
    readonly credentials: KnownCredentials;
    /** Somebody has answered who does not know the credentials (RFC 7616 3.5). */
    readonly unproven: (method: string) => void;
  }) {
    this.#port = options.port;
    this.#random = options.random;
    this.#unproven = options.unproven;
    this.#realms = new Realms(options.credentials, options.random);
  }

  /** What the port underneath has to be started with. */
  handler(handler: SipHandler): SipHandler {
    return {
      request: (received) => handler.request(received),
      response: (owner, id, response) => {
        if (response.status >= 200 && this.#endings.delete(keyOf(owner, id))) return;
        if (!this.#isAnswered(owner, id, response)) return;
        if (this.#isProven(owner, id, response)) handler.response(owner, id, response);
        else handler.failure(owner, id, 'transport');
      },
      failure: (owner, id, cause) => {
        if (this.#endings.delete(keyOf(owner, id))) return;
        this.#pending.delete(keyOf(owner, id));
        handler.failure(owner, id, cause);
      },
      cancelled: (transaction) => handler.cancelled(transaction),
      acknowledged: (owner) => handler.acknowledged(owner),
      unacknowledged: (owner) => handler.unacknowledged(owner),
    };
  }

  start(handler: SipHandler): Promise<void> {
    return this.#port().start(this.handler(handler));
  }

  request(outgoing: SipOutgoing): void {
    const pending: Pending = {
      outgoing: this.#identified(outgoing),
      answers: new Map(),
      sent: [],
      isWithdrawn: false,
    };
    this.#pending.set(keyOf(outgoing.owner, outgoing.id), pending);
    this.#send(pending);
  }

  respond(transaction: TransactionId, answer: SipAnswer): void {
    this.#port().respond(transaction, answer);
  }

  bye(owner: Owner, id: string, headers: readonly HeaderField[]): void {
    const invite = this.#inviteOf(owner);
    if (invite) invite.isWithdrawn = true;
    this.#port().bye(owner, id, headers);
  }

  forget(owner: Owner): void {
    const invite = this.#inviteOf(owner);
    if (invite) this.#pending.delete(keyOf(owner, invite.outgoing.id));
    this.#port().forget(owner);
  }

  contactUri(user: string, transport?: Peer['transport']): string {
    return this.#port().contactUri(user, transport);
  }

  stop(graceMs: number): Promise<void> {
    this.#pending.clear();
    this.#endings.clear();
    return this.#port().stop(graceMs);
  }

  /** 22.2: the same Call-ID and From tag with the next CSeq, so they have to be known here. */
  #identified(outgoing: SipOutgoing): SipOutgoing {
    if (outgoing.dialog) return outgoing;
    return {
      ...outgoing,
      callId: outgoing.callId ?? this.#random.token(24),
      localTag: outgoing.localTag ?? this.#random.token(10),
      cseq: outgoing.cseq ?? 1,
    };
  }

  #send(pending: Pending): void {
    const { outgoing } = pending;
    const { fields, sent } = this.#authorization(outgoing);
    pending.sent = sent;
    const headers = [...outgoing.headers, ...fields];
    const { dialog } = outgoing;
    const offset = this.#offsets.get(callIdOf(outgoing)) ?? 0;
    if (dialog) {
      const localCseq = dialog.localCseq + offset;
      this.#port().request({ ...outgoing, headers, dialog: { ...dialog, localCseq } });
    } else {
      this.#port().request({ ...outgoing, headers, cseq: (outgoing.cseq ?? 1) + offset });
    }
  }

  #authorization(outgoing: SipOutgoing): Authorization {
    const { method, body } = outgoing;
    return this.#realms.authorize({ method, uri: requestUriOf(outgoing), body });
  }

  /** False: the request is on its way again. */
  #isAnswered(owner: Owner, id: string, response: SipResponse): boolean {
    const key = keyOf(owner, id);
    const pending = this.#pending.get(key);
    if (!pending || response.status < 200) return true;
    if (this.#answers(pending, response)) {
      this.#count(pending.outgoing);
      this.#send(pending);
      return false;
    }
    if (!isLasting(pending.outgoing.method)) this.#offsets.delete(callIdOf(pending.outgoing));
    return true;
  }

  /** Whether the response challenges us in a way that we can answer, and have not in vain. */
  #answers({ answers, isWithdrawn }: Pending, response: SipResponse): boolean {
    if (isWithdrawn || (response.status !== 401 && response.status !== 407)) return false;
    const realms = this.#realms.challenged(response);
    const refused = realms.filter((realm) => isRefused(answers, realm));
    // What is not good enough for this request is not for the next one either.
    for (const realm of refused) this.#realms.forget(realm);
    if (realms.length === 0 || refused.length > 0) return false;
    for (const realm of realms) {
      answers.set(realm.key, (answers.get(realm.key) ?? 0) + 1);
      this.#realms.keep(realm);
    }
    return true;
  }

  #count(outgoing: SipOutgoing): void {
    const callId = callIdOf(outgoing);
    const offset = (this.#offsets.get(callId) ?? 0) + 1;
    this.#offsets.delete(callId);
    this.#offsets.set(callId, offset);
    for (const oldest of this.#offsets.keys()) {
      if (this.#offsets.size <= offsetsMax) return;
      this.#offsets.delete(oldest);
    }
  }

  /** False: a 2xx of somebody who does not know the credentials, which is as good as none. */
  #isProven(owner: Owner, id: string, response: SipResponse): boolean {
    const key = keyOf(owner, id);
    const pending = this.#pending.get(key);
    if (!pending || response.status < 200) return true;
    this.#pending.delete(key);
    if (response.status >= 300 || this.#realms.isProven(pending.sent, response)) return true;
    const { method } = pending.outgoing;
    this.#unproven(method);
    if (method === 'INVITE') this.#end(owner);
    return false;
  }

  /** The port has acknowledged the 2xx, so that there is a session to end. */
  #end(owner: Owner): void {
    const id = this.#random.token(10);
    this.#endings.add(keyOf(owner, id));
    this.#port().bye(owner, id, []);
  }

  #inviteOf(owner: Owner): Pending | undefined {
    for (const pending of this.#pending.values()) {
      const { outgoing } = pending;
      if (outgoing.owner === owner && outgoing.method === 'INVITE') return pending;
    }
    return undefined;
  }
}

/** The answer that was given was not good enough, and a fresh nonce would not help. */
function isRefused(answers: ReadonlyMap<string, number>, { key, challenge }: Realm): boolean {
  const given = answers.get(key) ?? 0;
  return given >= answersMax || (given > 0 && challenge.stale !== true);
}

/** Requests of a registration and of a subscription count on under one Call-ID. */
function isLasting(method: string): boolean {
  return method === 'REGISTER' || method === 'SUBSCRIBE' || method === 'PUBLISH';
}

function keyOf(owner: Owner, id: string): string {
  return `${owner} ${id}`;
}

function callIdOf({ dialog, callId }: SipOutgoing): string {
  return dialog?.callId ?? callId ?? '';
}

/** As it will stand in the request. */
function requestUriOf({ dialog, uri, route }: SipOutgoing): string {
  try {
    return (dialog ? requestTarget(dialog) : routedTarget(uri, route)).uri;
  } catch (error) {
    // The request fails for it in the port underneath.
    if (error instanceof WireError) return uri;
    throw error;
  }
}
