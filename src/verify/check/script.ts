/** What happened to each served user, in order: the messages of a trace as inputs and effects. */

import { uriOf } from '../../wire/sip/name-addr.js';
import { canonicalAor } from '../../wire/sip/uri.js';
import { answered } from './answer.js';
import { isInside, type Conversation } from './conversation.js';
import type { Deed } from './deed.js';
import type { Exchange, RequestSpoken, ResponseSpoken, SipStep } from './exchange.js';
import type { Inbound } from './inbound.js';
import type { Identities } from './identities.js';
import { inboundInvitation, isLargeMessage } from './inbound-invitation.js';
import { inboundMessage } from './inbound-message.js';
import { inboundRegister } from './inbound-register.js';
import { inboundRetrieval } from './inbound-retrieval.js';
import { inboundDeletion, inboundPublish } from './inbound-settings.js';
import { inboundSubscribe, packageOf } from './inbound-subscribe.js';
import { MsrpDeeds } from './msrp-deeds.js';
import { MsrpTalk } from './msrp-talk.js';
import { expectedNotify, notifyAnswered } from './outbound-notify.js';
import { report, reporterOf } from './outbound-report.js';
import { isTaken, passedOnIn } from './passed-on.js';
import { userOf } from './roles.js';
import * as session from './session-deeds.js';
import { SessionMedia } from './session-media.js';
import type { SpokenMsrp } from './spoken.js';
import type { Expected } from './user-flow.js';
import { XcapDeeds } from './xcap-deeds.js';

/** The deeds of every user, and what was seen and is no deed of anybody. */
export interface Script {
  readonly users: ReadonlyMap<string, readonly Deed[]>;
  readonly unjudged: ReadonlyMap<string, number>;
  /** Number of the last message of a session that had begun before the trace. */
  readonly lastOfBefore: number;
  readonly talk: MsrpTalk;
}

export function scriptOf(conversation: Conversation, identities: Identities): Script {
  return new Scribe(conversation, identities).write();
}

class Scribe {
  readonly #conversation: Conversation;
  readonly #identities: Identities;
  readonly #talk: MsrpTalk;
  readonly #users = new Map<string, Deed[]>();
  readonly #unjudged = new Map<string, number>();
  /** Whose dialog a Call-ID is. */
  readonly #dialogs = new Map<string, string>();
  /** Exchanges that are deeds of somebody. */
  readonly #owners = new Map<Exchange, string>();
  /** INVITEs that bring large messages, by Call-ID. */
  readonly #recordings = new Map<string, Exchange>();
  readonly #msrp: MsrpDeeds;
  readonly #xcap: XcapDeeds;
  /** The last of what the server has sent to somebody, by method and call or sender. */
  readonly #passedOn = new Map<string, number>();
  /** Requests that a client has answered with 2xx, so that no account has to do with them. */
  readonly #taken: ReadonlySet<Exchange>;
  /** Who sends INVITEs to the server. */
  readonly #inviters = new Set<string>();
  #lastOfBefore = 0;

  constructor(conversation: Conversation, identities: Identities) {
    this.#conversation = conversation;
    this.#identities = identities;
    this.#talk = new MsrpTalk(conversation.turns, new SessionMedia(conversation.exchanges));
    for (const exchange of conversation.exchanges) this.#index(exchange);
    const passed = passedOnIn(conversation.exchanges);
    this.#taken = new Set(passed.filter(isTaken).map(({ asked }) => asked));
    this.#msrp = new MsrpDeeds(this.#talk, this.#recordings, (callId, deed) => {
      const user = this.#dialogs.get(callId);
      if (user !== undefined) this.#add(user, deed);
    });
    this.#xcap = new XcapDeeds(conversation, identities, {
      write: (user, deed) => this.#add(user, deed),
      pass: (what) => this.#pass(what),
    });
  }

  #index(exchange: Exchange): void {
    const { inbound, method, callId, request } = exchange;
    if (inbound) {
      if (method === 'INVITE') this.#inviters.add(fromOf(request));
      return;
    }
    if (isInside(exchange) || reporterOf(exchange) !== undefined) return;
    const { number } = request.observed;
    this.#passedOn.set(`${method} ${callId}`, number);
    this.#passedOn.set(`${method} of ${fromOf(request)}`, number);
  }

  write(): Script {
    for (const turn of this.#conversation.turns) {
      if (turn.kind === 'sip') this.#sip(turn.step, turn.spoken.observed.number);
      else if (turn.kind === 'msrp') this.#msrpFrame(turn.spoken);
      else if (turn.kind === 'http')
        this.#xcap.take(turn.xcap, turn.xcap.answer === turn.spoken.message);
      else this.#pass(`unreadable ${turn.spoken.code}`);
    }
    const talk = this.#talk;
    const lastOfBefore = this.#lastOfBefore;
    return { users: this.#users, unjudged: this.#unjudged, lastOfBefore, talk };
  }

  #sip(step: SipStep, number: number): void {
    switch (step.kind) {
      case 'request':
        if (step.exchange.inbound) this.#toServer(step.exchange, number);
        else this.#fromServer(step.exchange, number);
        return;
      case 'response':
        this.#response(step.exchange, step.response);
        return;
      case 'ack':
        this.#ack(step.exchange, step.ack);
        return;
      case 'stray':
        this.#lastOfBefore = number;
        this.#pass('responses and ACKs without their requests');
        return;
      default:
    }
  }

  #toServer(exchange: Exchange, number: number): void {
    const { callId, method, request } = exchange;
    const inside = isInside(exchange) && method !== 'SUBSCRIBE';
    const user = this.#dialogs.get(callId);
    if (isInside(exchange) && user === undefined) {
      this.#lastOfBefore = number;
      this.#pass('requests in dialogs from before the trace');
      return;
    }
    if (inside) {
      const deed = insideDialog(exchange);
      if (deed !== undefined) this.#own(exchange, user!, deed);
      else this.#pass(`${method} in a dialog`);
      return;
    }
    const inbound = this.#inbound(exchange);
    if (inbound === undefined) {
      this.#pass(`${method} to the server`);
      return;
    }
    const { observed } = request;
    const owner = this.#identities.of(inbound.user);
    this.#dialogs.set(callId, owner);
    const play: Deed['play'] = (flow) => flow.feed(observed, inbound.alternatives);
    this.#own(exchange, owner, { observed, play });
  }

  #inbound(exchange: Exchange): Inbound | undefined {
    if (this.#taken.has(exchange)) return undefined;
    const { uri } = exchange.request.message;
    switch (exchange.method) {
      case 'MESSAGE':
        if (userOf(uri) === 'Delete') return inboundDeletion(exchange);
        return inboundMessage(exchange, this.#isForwarded(exchange));
      case 'REGISTER':
        return inboundRegister(exchange);
      case 'SUBSCRIBE':
        return inboundSubscribe(exchange, this.#dialogs.get(exchange.callId));
      case 'PUBLISH':
        return inboundPublish(exchange);
      case 'REFER':
        return inboundDeletion(exchange);
      case 'INVITE':
        return this.#invitation(exchange);
      default:
        return undefined;
    }
  }

  #invitation(exchange: Exchange): Inbound | undefined {
    if (!isLargeMessage(exchange)) {
      return inboundRetrieval(exchange, this.#talk.sent(exchange.callId));
    }
    this.#recordings.set(exchange.callId, exchange);
    return inboundInvitation(exchange, this.#isForwarded(exchange));
  }

  /** The server has sent the same on. */
  #isForwarded({ method, callId, request }: Exchange): boolean {
    const { number } = request.observed;
    const names = [`${method} ${callId}`, `${method} of ${fromOf(request)}`];
    return names.some((name) => (this.#passedOn.get(name) ?? 0) > number);
  }

  #fromServer(exchange: Exchange, number: number): void {
    const { method, callId, request } = exchange;
    const user = this.#dialogs.get(callId);
    if (method === 'NOTIFY' && packageOf(exchange) === 'message-summary' && user !== undefined) {
      const expected = expectedNotify(exchange);
      this.#own(exchange, user, { observed: request.observed, play: notified(expected, callId) });
    } else if (method === 'INVITE' && !isInside(exchange)) this.#invite(exchange);
    else if (method === 'BYE' || method === 'CANCEL') {
      if (user !== undefined) this.#own(exchange, user, session.ended(exchange));
      else this.#ofBefore(number);
    } else if (method === 'MESSAGE') this.#message(exchange);
    else if (isInside(exchange) && user === undefined) this.#ofBefore(number);
    else this.#pass(`${method} of the server`);
  }

  #ofBefore(number: number): void {
    this.#lastOfBefore = number;
    this.#pass('requests in dialogs from before the trace');
  }

  /** A push, unless it is what somebody else has sent to the user. */
  #invite(exchange: Exchange): void {
    const { message } = exchange.request;
    const name = canonicalAor(uriOf(message.header('to')) ?? '');
    const user = name && this.#identities.of(name);
    if (user === undefined || this.#inviters.has(fromOf(exchange.request))) {
      this.#pass('INVITE that is passed on');
      return;
    }
    this.#dialogs.set(exchange.callId, user);
    this.#own(exchange, user, session.pushInvitation(exchange));
  }

  #message(exchange: Exchange): void {
    const reporter = reporterOf(exchange);
    const user = reporter && this.#identities.of(reporter);
    const deed = user === undefined ? undefined : report(exchange);
    if (user === undefined || deed === undefined) this.#pass('MESSAGE that is passed on');
    else this.#own(exchange, user, deed);
  }

  #response(exchange: Exchange, response: ResponseSpoken): void {
    const user = this.#owners.get(exchange);
    if (user === undefined || exchange.final !== response) return;
    if (exchange.inbound) {
      this.#add(user, answered(exchange, response));
      return;
    }
    const { method } = exchange;
    if (method === 'NOTIFY') this.#add(user, notifyAnswered(exchange, response));
    else if (method === 'INVITE') this.#add(user, session.invitationAnswered(exchange, response));
    else if (method === 'BYE') this.#add(user, session.endAnswered(exchange, response));
  }

  #ack(exchange: Exchange, ack: RequestSpoken): void {
    const user = this.#owners.get(exchange);
    const isOfSession = exchange.inbound && exchange.final?.message.status === 200;
    if (user !== undefined && isOfSession) this.#add(user, session.acknowledged(exchange, ack));
  }

  #msrpFrame(spoken: SpokenMsrp): void {
    if (this.#talk.again.has(spoken)) return;
    const seen = this.#talk.of(spoken);
    if (seen !== undefined) {
      this.#msrp.take(seen);
      return;
    }
    this.#lastOfBefore = spoken.observed.number;
    this.#pass('MSRP of sessions whose description was not seen');
  }

  #own(exchange: Exchange, user: string, deed: Deed): void {
    this.#owners.set(exchange, user);
    this.#add(user, deed);
  }

  #add(user: string, deed: Deed): void {
    const deeds = this.#users.get(user);
    if (deeds) deeds.push(deed);
    else this.#users.set(user, [deed]);
  }

  #pass(what: string): void {
    this.#unjudged.set(what, (this.#unjudged.get(what) ?? 0) + 1);
  }
}

function fromOf({ message }: RequestSpoken): string {
  return uriOf(message.header('from')) ?? '';
}

/** What was told wrongly is told all the same. */
function notified(expected: Expected, callId: string): Deed['play'] {
  return (flow) => {
    if (flow.expect(expected)) return;
    flow.forgive(({ effect }) => effect.type === 'sip.notify' && effect.dialog.callId === callId);
  };
}

function insideDialog(exchange: Exchange): Deed | undefined {
  if (exchange.method === 'BYE') return session.hungUp(exchange);
  if (exchange.method === 'INVITE') return session.reinvited(exchange);
  return undefined;
}
