/** What happened to each served user, in order: the messages of a trace as inputs and effects. */

import { uriOf } from '../../wire/sip/name-addr.js';
import { canonicalAor } from '../../wire/sip/uri.js';
import type { Observed } from '../capture/observed.js';
import type { Conversation } from './conversation.js';
import { isInside } from './conversation.js';
import type { Exchange, ResponseSpoken, SipStep } from './exchange.js';
import type { Inbound } from './inbound.js';
import { inboundMessage } from './inbound-message.js';
import { inboundRegister } from './inbound-register.js';
import { inboundSubscribe, packageOf } from './inbound-subscribe.js';
import { expectedNotify } from './outbound-notify.js';
import type { ClauseId } from './clause.js';
import type { UserFlow } from './user-flow.js';

export interface Deed {
  readonly observed: Observed;
  play(flow: UserFlow): void;
}

/** The deeds of every user, and what was seen and is no deed of anybody. */
export interface Script {
  readonly users: ReadonlyMap<string, readonly Deed[]>;
  readonly unjudged: ReadonlyMap<string, number>;
}

export function scriptOf(conversation: Conversation): Script {
  return new Scribe(conversation).write();
}

class Scribe {
  readonly #conversation: Conversation;
  readonly #users = new Map<string, Deed[]>();
  readonly #unjudged = new Map<string, number>();
  /** Whose dialog a Call-ID is. */
  readonly #dialogs = new Map<string, string>();
  /** Exchanges that are deeds of somebody. */
  readonly #owners = new Map<Exchange, string>();

  constructor(conversation: Conversation) {
    this.#conversation = conversation;
  }

  write(): Script {
    for (const turn of this.#conversation.turns) {
      if (turn.kind === 'sip') this.#sip(turn.step);
      else if (turn.kind === 'unreadable') this.#pass(`unreadable ${turn.spoken.code}`);
    }
    return { users: this.#users, unjudged: this.#unjudged };
  }

  #sip(step: SipStep): void {
    switch (step.kind) {
      case 'request':
        if (step.exchange.inbound) this.#toServer(step.exchange);
        else this.#fromServer(step.exchange);
        return;
      case 'response':
        this.#response(step.exchange, step.response);
        return;
      case 'stray':
        this.#pass('response or ACK without its request');
        return;
      default:
    }
  }

  #toServer(exchange: Exchange): void {
    const { method } = exchange;
    const inbound = this.#inbound(exchange);
    if (inbound === undefined) {
      this.#pass(`${method} to the server`);
      return;
    }
    const { user, alternatives } = inbound;
    this.#owners.set(exchange, user);
    this.#dialogs.set(exchange.callId, user);
    const { observed } = exchange.request;
    this.#add(user, { observed, play: (flow) => flow.feed(observed, alternatives) });
  }

  #inbound(exchange: Exchange): Inbound | undefined {
    switch (exchange.method) {
      case 'MESSAGE':
        return inboundMessage(exchange, this.#isForwarded(exchange));
      case 'REGISTER':
        return inboundRegister(exchange);
      case 'SUBSCRIBE':
        return inboundSubscribe(exchange, this.#dialogs.get(exchange.callId));
      default:
        return undefined;
    }
  }

  /** The server has sent the same call on. */
  #isForwarded({ method, callId }: Exchange): boolean {
    return this.#conversation.exchanges.some(
      (other) => !other.inbound && other.method === method && other.callId === callId,
    );
  }

  #fromServer(exchange: Exchange): void {
    const { method, callId } = exchange;
    const user = this.#dialogs.get(callId);
    if (method === 'NOTIFY' && user !== undefined && packageOf(exchange) === 'message-summary') {
      this.#owners.set(exchange, user);
      const expected = expectedNotify(exchange);
      this.#add(user, { observed: expected.observed, play: (flow) => void flow.expect(expected) });
      return;
    }
    this.#pass(`${method} of the server${isInside(exchange) ? ' in a dialog' : ''}`);
  }

  #response(exchange: Exchange, response: ResponseSpoken): void {
    const user = this.#owners.get(exchange);
    if (user === undefined || exchange.final !== response) return;
    const { observed, message } = response;
    if (exchange.inbound) {
      const { id, method } = exchange;
      this.#add(user, { observed, play: (flow) => answer(flow, id, method, response) });
    } else if (exchange.method === 'NOTIFY') {
      const { callId } = exchange;
      const at = observed.at;
      this.#add(user, {
        observed,
        play: (flow) =>
          flow.feed(observed, ({ actors, limits }) => {
            const to = notifierOf(actors, callId);
            if (to === undefined) return [undefined];
            const { status } = message;
            return [{ to, event: { type: 'notify.answered', at, status, limits } }];
          }),
      });
    }
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

const answerClauses: Readonly<Record<string, ClauseId>> = {
  MESSAGE: 'S4-202',
  SUBSCRIBE: 'IMSpec-DMT-S-002',
  INVITE: 'IMSpec-DMT-S-006',
};

function answer(flow: UserFlow, id: string, method: string, response: ResponseSpoken): void {
  const { observed, message } = response;
  const { status } = message;
  const isOfIt = (transaction: string): boolean => transaction === id;
  const explained = flow.expect({
    observed,
    what: `${status} ${message.reason}`,
    clause: answerClauses[method] ?? 'TX-01',
    match: ({ effect }) => {
      if (effect.type === 'sip.accept') return isOfIt(effect.transaction) && status === 200;
      return (
        effect.type === 'sip.respond' && isOfIt(effect.transaction) && effect.status === status
      );
    },
    directly: true,
  });
  if (explained) return;
  flow.forgive(({ effect }) => 'transaction' in effect && isOfIt(effect.transaction));
}

function notifierOf(
  actors: ReadonlyMap<string, { readonly snapshot: { readonly context: unknown } }>,
  callId: string,
): `subscription/${number}` | undefined {
  for (const [address, { snapshot }] of actors) {
    if (!address.startsWith('subscription/')) continue;
    const { dialog } = snapshot.context as { readonly dialog: { readonly callId: string } };
    if (dialog.callId === callId) return address as `subscription/${number}`;
  }
  return undefined;
}

/** The served user that a request of the server is for. */
export function addresseeOf({ request }: Exchange): string | undefined {
  return canonicalAor(uriOf(request.message.header('to')) ?? '');
}
