/** What a client does one after the other: its subscription, what it asks for, what it reports. */

import { cpimFacts, parseCpim } from '../../wire/cpim.js';
import { parseImdn } from '../../wire/imdn.js';
import { parseMessageSummary } from '../../wire/message-summary.js';
import { tagOf, uriOf } from '../../wire/sip/name-addr.js';
import { parseDigits } from '../../wire/sip/number.js';
import { canonicalAor } from '../../wire/sip/uri.js';
import type { Observed } from '../capture/observed.js';
import { isInside, type Conversation } from './conversation.js';
import type { ClauseId } from './clause.js';
import type { Exchange, ResponseSpoken } from './exchange.js';
import { namedIn } from './inbound-settings.js';
import { packageOf } from './inbound-subscribe.js';
import { canonicalMessageId } from './outbound-notify.js';
import { reporterOf } from './outbound-report.js';
import { violationOf } from './rule.js';
import { offeredIn, readable } from './session-media.js';
import type { Violation } from './verdict.js';

/** Timer F, in which whoever leaves also ends what he has subscribed to. */
const leaveMs = 32_000;
/** Clocks differ, and answers take their time. */
const graceMs = 5_000;

interface Subscription {
  /** Where it was asked for from. */
  readonly source: string;
  expiresAt: number;
  /** Ended by either side. */
  isOver: boolean;
}

interface Leaving {
  readonly observed: Observed;
  readonly subscriptions: readonly Subscription[];
}

/** `isWhole`: nobody has told the client anything but what is in the trace. */
export function clientLife(
  { turns }: Conversation,
  last: Observed | undefined,
  isWhole: boolean,
): Violation[] {
  const life = new ClientLife(isWhole);
  for (const turn of turns) {
    if (turn.kind !== 'sip') continue;
    const { step } = turn;
    if (step.kind === 'request') life.request(step.exchange);
    else if (step.kind === 'response' && step.exchange.final === step.response) {
      life.answered(step.exchange, step.response);
    }
  }
  if (last !== undefined) life.end(last.at);
  return life.found;
}

class ClientLife {
  readonly found: Violation[] = [];
  readonly #isWhole: boolean;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #leaving: Leaving[] = [];
  /** Message-IDs that were told. */
  readonly #told = new Set<string>();
  /** Tags of publications by whom they are of and who has them. */
  readonly #tags = new Map<string, string>();
  /** Reports that were asked for, by imdn.Message-ID. */
  readonly #wishes = new Map<string, ReadonlySet<string>>();
  readonly #reported = new Set<string>();

  constructor(isWhole: boolean) {
    this.#isWhole = isWhole;
  }

  request(exchange: Exchange): void {
    const { inbound, method } = exchange;
    if (!inbound) {
      if (method === 'NOTIFY') this.#notified(exchange);
      return;
    }
    if (method === 'SUBSCRIBE') this.#subscribes(exchange);
    else if (method === 'PUBLISH') this.#publishes(exchange);
    else if (method === 'MESSAGE') this.#message(exchange);
    if (method === 'INVITE' || method === 'REFER') this.#names(exchange);
  }

  answered(exchange: Exchange, { message, observed }: ResponseSpoken): void {
    const { inbound, method, callId } = exchange;
    const { status } = message;
    if (!inbound) {
      const isRefusal = status >= 300 && status !== 401 && status !== 407;
      if (method === 'NOTIFY' && isRefusal && this.#isLive(callId, observed.at)) {
        this.#violates(observed, 'IMSpec-DMT-C-001', `${status} to a NOTIFY of its subscription`);
      }
      return;
    }
    if (status >= 300) return;
    if (method === 'SUBSCRIBE') this.#granted(exchange, message.header('expires'));
    else if (method === 'REGISTER' && isLeaving(exchange)) this.#leaves(exchange);
    else if (method === 'PUBLISH') {
      const tag = message.header('sip-etag');
      if (tag !== undefined) this.#tags.set(publisherOf(exchange), tag);
    }
  }

  end(at: number): void {
    for (const { observed, subscriptions } of this.#leaving) {
      const left = subscriptions.some(
        (one) => !one.isOver && one.expiresAt > observed.at + leaveMs,
      );
      if (!left || observed.at + leaveMs >= at) continue;
      this.#violates(observed, 'IMSpec-DMO-C-010', 'it leaves without ending its subscription');
    }
  }

  #isLive(callId: string, at: number): boolean {
    const known = this.#subscriptions.get(callId);
    return known !== undefined && !known.isOver && at + graceMs < known.expiresAt;
  }

  /** C-010: what has lapsed is asked for in another call. */
  #subscribes(exchange: Exchange): void {
    const { callId, request } = exchange;
    const known = this.#subscriptions.get(callId);
    if (packageOf(exchange) !== 'message-summary' || known === undefined) return;
    const { at } = request.observed;
    if (parseDigits(request.message.header('expires')) === 0) {
      known.isOver = true;
    } else if (known.isOver || at > known.expiresAt + graceMs) {
      const what = 'a subscription that is over goes on in the same call';
      this.#violates(request.observed, 'IMSpec-DMO-C-010', what);
    }
  }

  #granted(exchange: Exchange, expires: string | undefined): void {
    const { callId, request } = exchange;
    const { message, observed } = request;
    if (packageOf(exchange) !== 'message-summary') return;
    const granted = parseDigits(expires) ?? parseDigits(message.header('expires')) ?? 3_600;
    const known = this.#subscriptions.get(callId);
    const expiresAt = observed.at + granted * 1_000;
    if (known) known.expiresAt = expiresAt;
    else {
      const { source } = observed;
      this.#subscriptions.set(callId, { source, expiresAt, isOver: granted === 0 });
    }
  }

  /** Whoever logs out from there, with what is subscribed to from there. */
  #leaves({ request: { observed } }: Exchange): void {
    const { at, source } = observed;
    const subscriptions = [...this.#subscriptions.values()].filter(
      (one) => one.source === source && !one.isOver && one.expiresAt > at,
    );
    if (subscriptions.length > 0) this.#leaving.push({ observed, subscriptions });
  }

  #notified({ callId, request }: Exchange): void {
    const { message, whole } = request;
    const state = message.header('subscription-state') ?? '';
    const known = this.#subscriptions.get(callId);
    if (known && /^\s*terminated/i.test(state)) known.isOver = true;
    if (!whole) return;
    for (const block of readable(() => parseMessageSummary(message.body))?.headers ?? []) {
      for (const [name, value] of block) {
        if (/^message-id$/i.test(name)) this.#told.add(canonicalMessageId(value));
      }
    }
  }

  /** C-002: what is asked for by name was told by that name. */
  #names(exchange: Exchange): void {
    if (!this.#isWhole || isInside(exchange)) return;
    const { observed, message } = exchange.request;
    const isRetrieval = exchange.method === 'INVITE';
    const uris = (isRetrieval ? offeredIn(message).list : namedIn(exchange)) ?? [];
    const unknown = uris.find((uri) => !this.#told.has(canonicalMessageId(uri)));
    if (unknown === undefined) return;
    const id = isRetrieval ? 'IMSpec-DMT-C-002' : 'D-31';
    this.#violates(observed, id, `nobody has told it of ${unknown}`);
  }

  #publishes(exchange: Exchange): void {
    const { observed, message } = exchange.request;
    const tag = message.header('sip-if-match');
    const known = this.#tags.get(publisherOf(exchange));
    if (tag === undefined || known === undefined || tag === known) return;
    this.#violates(observed, 'PUB-01', `SIP-If-Match is ${tag}, and ${known} was given last`);
  }

  /** What it reports was asked for, and it does so once. */
  #message(exchange: Exchange): void {
    const { observed, message, whole } = exchange.request;
    if (!whole) return;
    const cpim = readable(() => parseCpim(message.body));
    if (cpim === undefined) return;
    if (reporterOf(exchange) === undefined) {
      const { messageId, dispositions } = cpimFacts(cpim);
      if (messageId !== undefined) this.#wishes.set(messageId, dispositions);
      return;
    }
    const imdn = readable(() => parseImdn(cpim.body));
    if (imdn === undefined) return;
    const { messageId, status } = imdn;
    const reporter = canonicalAor(uriOf(message.header('from')) ?? '') ?? '';
    const wishes = this.#wishes.get(messageId);
    const report = `${reporter} ${messageId} ${status}`;
    if (this.#reported.has(report)) {
      this.#violates(observed, 'IMDN-02', `${status} of ${messageId} was reported before`);
    } else if (wishes ? !isWished(wishes, status) : this.#isWhole) {
      this.#violates(observed, 'IMDN-01', `nobody has asked for ${status} of ${messageId}`);
    }
    this.#reported.add(report);
  }

  #violates(observed: Observed, clause: ClauseId, found: string): void {
    this.found.push(violationOf(observed, clause, found));
  }
}

function isWished(wishes: ReadonlySet<string>, status: string): boolean {
  switch (status) {
    case 'delivered':
      return wishes.has('positive-delivery');
    case 'failed':
    case 'forbidden':
    case 'error':
      return wishes.size > 0;
    case 'displayed':
      return wishes.has('display');
    default:
      return wishes.has('processing');
  }
}

/** Who publishes what from where. */
function publisherOf({ request: { message, observed } }: Exchange): string {
  return `${message.uri} ${observed.source} ${message.header('event') ?? ''}`;
}

/** Expires 0 of all that it registers. */
function isLeaving({ request: { message } }: Exchange): boolean {
  const from = tagOf(message.header('from')) !== undefined && uriOf(message.header('from'));
  if (from !== uriOf(message.header('to'))) return false;
  const contacts = message.list('contact');
  const whole = parseDigits(message.header('expires'));
  return (
    contacts.length > 0 &&
    contacts.every((one) => {
      const own = /;\s*expires\s*=\s*(\d+)/i.exec(one)?.[1];
      return (parseDigits(own) ?? whole) === 0;
    })
  );
}
