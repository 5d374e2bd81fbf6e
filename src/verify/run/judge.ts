/** Holds what has come against what the model owes. */

import type { Address } from '../../machines/events.js';
import { parseCpim } from '../../wire/cpim.js';
import { parseImdn } from '../../wire/imdn.js';
import type { SipRequest } from '../../wire/sip/message.js';
import { atMost, deadlinePassed, type Deadline } from './at-most.js';
import { totals, type Expectation } from './expectation.js';
import {
  countsOf,
  inspectInvite,
  inspectNotify,
  inspectSend,
  namedIn,
  type Finding,
} from './inspection.js';
import type { ItemId } from './items.js';
import type { Cast } from './cast.js';
import { callIdOf, imdnIdOf, textOf } from './requests.js';
import { describeSeen, type Seen, type SeenSend } from './seen.js';

/** A verdict about one thing that is owed or forbidden. */
export interface Check extends Finding {
  /** Index of the step. */
  readonly step: number;
  /** Absent: it was looked at. Otherwise why it could not be. */
  readonly unknown?: string;
  /** With `unknown`: it was not tried for that, and nothing is held against the item. */
  readonly untried?: true;
}

/** Why a report that does not come is no fault. */
export const reportsElsewhere = 'the sender has an account there, and gets reports in his own way';

type Kept = Expectation & {
  state: 'open' | 'met' | 'missed' | 'dropped';
  readonly met: Promise<void>;
  readonly meet: () => void;
};

/** What is kept of that which nobody waits for: a target may say it without end. */
const surplusMax = 200;

export class Judge {
  readonly checks: Check[] = [];
  /** Owners of the tester by the session of the model. */
  readonly sessions = new Map<Address, string>();
  readonly #cast: Cast;
  readonly #deadline: Deadline;
  readonly #kept: Kept[] = [];
  readonly #surplus: Seen[] = [];
  readonly #sends = new Map<string, SeenSend>();
  readonly #notified = new Set<Address>();
  readonly #ids = new Map<number, string>();
  #invited: Extract<Seen, { readonly kind: 'invite' }> | undefined;
  /** Call-ID of the subscription; a path has one at a time. */
  #subscription: string | undefined;

  constructor(cast: Cast, deadline: Deadline) {
    this.#cast = cast;
    this.#deadline = deadline;
  }

  /** The INVITE that is to be answered. */
  get invite(): Extract<Seen, { readonly kind: 'invite' }> | undefined {
    return this.#invited;
  }

  subscribed(callId: string): void {
    this.#subscription = callId;
  }

  wasNotified(subscription: Address): boolean {
    return this.#notified.has(subscription);
  }

  /** The Message-ID of a message, where the server has told one. */
  idOf(message: number): string | undefined {
    return this.#ids.get(message);
  }

  /** Takes the SEND of the message of that serial, to answer it. */
  takeSend(session: Address, serial: number): SeenSend | undefined {
    const key = `${session} ${serial}`;
    const send = this.#sends.get(key);
    this.#sends.delete(key);
    return send;
  }

  expect(expectation: Expectation): void {
    let meet = (): void => undefined;
    const met = new Promise<void>((resolve) => (meet = resolve));
    const kept: Kept = { ...expectation, state: 'open', met, meet };
    this.#kept.push(kept);
    const at = this.#surplus.findIndex((seen) => this.#fits(kept, seen));
    if (at >= 0) this.#meet(kept, ...(this.#surplus.splice(at, 1) as [Seen]));
  }

  see(seen: Seen): void {
    const kept = this.#kept.find((one) => one.state === 'open' && this.#fits(one, seen));
    if (kept) this.#meet(kept, seen);
    else if (this.#surplus.length < surplusMax) this.#surplus.push(seen);
  }

  /** What is owed is the answer that has come. */
  meetOf(owed: Expectation['owed'] | undefined, findings: readonly Finding[]): void {
    const kept = this.#of(owed);
    if (!kept) return;
    kept.state = 'met';
    const { step, item, clause, text: expected } = kept;
    if (item !== undefined) this.note(step, [{ item, clause, expected }]);
    this.note(step, findings);
    kept.meet();
  }

  /** Something else than what is owed was the answer. */
  failOf(owed: Expectation['owed'] | undefined, seen: string): void {
    const kept = this.#of(owed);
    if (!kept) return;
    kept.state = 'missed';
    const { step, item, clause, text: expected } = kept;
    if (item !== undefined) this.note(step, [{ item, clause, expected, seen }]);
  }

  /** The answer says nothing of what is owed. */
  excuse(owed: Expectation['owed'] | undefined, why: string): void {
    const kept = this.#of(owed);
    if (kept) this.#leave(kept, why);
  }

  itemOf(owed: Expectation['owed'] | undefined): ItemId | undefined {
    return this.#of(owed)?.item;
  }

  #of(owed: Expectation['owed'] | undefined): Kept | undefined {
    return this.#kept.find((one) => one.state === 'open' && one.owed === owed);
  }

  /** Waits for everything that fits; says what has not come. */
  async until(wanted: (expectation: Expectation) => boolean): Promise<readonly Expectation[]> {
    const open = this.#kept.filter((one) => one.state === 'open' && wanted(one));
    if (open.length === 0) return [];
    const withinMs = Math.max(...open.map((one) => one.withinMs));
    await atMost(Promise.all(open.map(({ met }) => met)), this.#deadline.within(withinMs));
    const missed = open.filter((one) => one.state === 'open');
    for (const one of missed) {
      if (this.#deadline.isOver) this.#leave(one, deadlinePassed);
      else if (this.#isElsewhere(one)) this.#leave(one, reportsElsewhere);
      else this.#miss(one);
    }
    return missed.filter((one) => !this.#isElsewhere(one));
  }

  /** A report to somebody who has an account there may be kept for him. */
  #isElsewhere({ owed: { effect } }: Expectation): boolean {
    return effect.type === 'report.send' && this.#cast.settings.credentials !== undefined;
  }

  /** Nobody waits any more for what belongs to these. */
  drop(wanted: (expectation: Expectation) => boolean): void {
    for (const one of this.#kept) if (one.state === 'open' && wanted(one)) one.state = 'dropped';
  }

  /** The path ends here: what was open is not known. */
  abandon(why: string): void {
    for (const one of this.#kept) if (one.state === 'open') this.#leave(one, why);
  }

  #leave(kept: Kept, why: string): void {
    kept.state = 'dropped';
    const { step, item, clause, text: expected } = kept;
    if (item !== undefined) this.checks.push({ step, item, clause, expected, unknown: why });
  }

  note(step: number, findings: readonly Finding[]): void {
    for (const finding of findings) this.checks.push({ step, ...finding });
  }

  /** What came and was not owed, but for what a server is free to send. */
  surplus(): readonly Seen[] {
    return this.#surplus;
  }

  /** Whether it is a session that the server has opened. */
  isPush(session: string): boolean {
    for (const [address, owner] of this.sessions) {
      if (owner === session) return address.startsWith('push/');
    }
    return false;
  }

  /** Whether that message has come in that session as it was owed. */
  wasSent(session: string, wanted: number): boolean {
    return this.#kept.some(
      ({ state, message, owed: { effect } }) =>
        state === 'met' &&
        message === wanted &&
        effect.type === 'msrp.send' &&
        this.sessions.get(effect.session) === session,
    );
  }

  /** Whether the server has said that the session is over. */
  wasEnded(session: string): boolean {
    const isOfSession = ({ state, owed: { by, effect } }: Kept): boolean =>
      state === 'met' && effect.type === 'sip.bye' && this.sessions.get(by) === session;
    const isBye = (seen: Seen): boolean => seen.kind === 'bye' && seen.session === session;
    return this.#kept.some(isOfSession) || this.#surplus.some(isBye);
  }

  /** A NOTIFY of the subscription that is there. */
  isOurs({ request }: Extract<Seen, { readonly kind: 'notify' }>): boolean {
    return request.header('Call-ID') === this.#subscription;
  }

  /** The message in a SEND or MESSAGE, by its text. */
  messageIn(octets: Buffer, messages: number): number | undefined {
    const text = octets.toString('utf8');
    for (let message = 0; message < messages; message++) {
      if (text.includes(textOf(this.#cast, message))) return message;
    }
    return undefined;
  }

  // ------------------------------------------------------------------------------ matching

  #fits({ owed, message }: Expectation, seen: Seen): boolean {
    const { by, effect } = owed;
    switch (effect.type) {
      case 'sip.invite':
        return seen.kind === 'invite';
      case 'sip.bye':
        return seen.kind === 'bye' && seen.session === this.sessions.get(by);
      case 'sip.notify':
        return seen.kind === 'notify' && this.#isTold(effect, seen.request);
      case 'msrp.send':
        if (seen.kind !== 'send' || message === undefined) return false;
        if (seen.session !== this.sessions.get(effect.session)) return false;
        return seen.message.payload.includes(textOf(this.#cast, message));
      case 'report.send':
        return (
          seen.kind === 'message' &&
          message !== undefined &&
          isReport(seen.request, imdnIdOf(this.#cast, message), effect.disposition)
        );
      default:
        return false;
    }
  }

  #isTold(
    effect: Extract<Expectation['owed']['effect'], { readonly type: 'sip.notify' }>,
    request: SipRequest,
  ): boolean {
    if (request.header('Call-ID') !== this.#subscription) return false;
    const state = /^\s*(\w+)/.exec(request.header('Subscription-State') ?? 'active')?.[1];
    if (effect.state === 'terminated') return state?.toLowerCase() === 'terminated';
    const counts = countsOf(request);
    const owed = totals(effect.counts);
    return counts?.new === owed.new && counts.old === owed.old;
  }

  #meet(kept: Kept, seen: Seen): void {
    kept.state = 'met';
    const { owed, step, item, clause, text: expected, message } = kept;
    if (item !== undefined) this.note(step, [{ item, clause, expected }]);
    this.#look(kept, seen, message);
    if (owed.effect.type === 'sip.notify') this.#notified.add(owed.by);
    kept.meet();
  }

  #look({ owed, step, item }: Kept, seen: Seen, message: number | undefined): void {
    const { by, effect } = owed;
    if (seen.kind === 'invite') {
      this.#invited = seen;
      this.sessions.set(by, seen.transaction);
      this.note(step, inspectInvite(seen.request));
      const expected = 'a push to a user with a client for IM';
      this.note(step, [{ item: 'IMSpec-DMT-S-003', clause: 'OMA IM 11.3.2.3', expected }]);
    }
    if (seen.kind === 'notify') {
      this.note(step, inspectNotify(seen.request, !this.#notified.has(by)));
      // The one message that was submitted before it.
      const [id, ...others] = namedIn(seen.request);
      if (message !== undefined && id !== undefined && others.length === 0) {
        this.#ids.set(message, id);
      }
    }
    if (seen.kind !== 'send' || effect.type !== 'msrp.send') return;
    if (item === undefined || message === undefined) return;
    this.#sends.set(`${effect.session} ${effect.serial}`, seen);
    const { sender } = this.#cast;
    const sent = { text: textOf(this.#cast, message), callId: callIdOf(this.#cast, message) };
    const delivers = effect.session.startsWith('push/') ? 'IMSpec-DMT-S-004' : 'IMSpec-DMT-S-012';
    // In which order the messages of a list come is not said.
    if (item === delivers) this.note(step, [this.#inOrder(effect.session, item, message)]);
    this.note(step, inspectSend(seen, delivers, { ...sent, sender }));
  }

  /** Older messages come first (IMSpec-DMT-C-003). */
  #inOrder(session: Address, item: ItemId, message: number): Finding {
    const before = this.#kept.find(
      ({ state, owed: { effect }, message: other }) =>
        state === 'open' &&
        effect.type === 'msrp.send' &&
        effect.session === session &&
        other !== undefined &&
        other < message,
    );
    const expected = 'messages in the order of their receipt';
    const clause = 'OMA IM 11.3.1.1.2 step 4';
    if (before === undefined) return { item, clause, expected };
    const seen = `message ${message + 1} before message ${before.message! + 1}`;
    return { item, clause, expected, seen };
  }

  #miss(kept: Kept): void {
    kept.state = 'missed';
    const { step, item, clause, text: expected, withinMs } = kept;
    if (item === undefined) return;
    const instead = this.#surplus.map(describeSeen).join('; ');
    const seen = instead === '' ? `nothing within ${withinMs} ms` : `instead ${instead}`;
    this.checks.push({ step, item, clause, expected, seen });
  }
}

/** RFC 5438: an IMDN of that message with that disposition. */
function isReport(request: SipRequest, id: string, disposition: string): boolean {
  try {
    const imdn = parseImdn(parseCpim(request.body).body);
    return imdn.messageId === id && imdn.status === disposition;
  } catch {
    // A MESSAGE that is none of our reports.
    return false;
  }
}
