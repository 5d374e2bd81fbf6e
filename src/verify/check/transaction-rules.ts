/** Rules about what follows what: repetitions, final answers, CSeq, and NOTIFYs of one dialog. */

import { parseMessageSummary } from '../../wire/message-summary.js';
import { tagOf } from '../../wire/sip/name-addr.js';
import type { Observed } from '../capture/observed.js';
import type { ClauseId } from './clause.js';
import { isInside, type Conversation } from './conversation.js';
import type { Exchange, SipStep } from './exchange.js';
import { packageOf } from './inbound-subscribe.js';
import { replayed } from './replayed.js';
import { requestRules } from './request-rules.js';
import { responseRules } from './response-rules.js';
import { isFor, isOf, violationOf, type RequestRule, type ResponseRule } from './rule.js';
import { readable } from './session-media.js';
import type { SpokenSip } from './spoken.js';
import type { Violation } from './verdict.js';

/** Timer F; an INVITE may ring (Timer C). */
const answerMs = 32_000;
const ringingMs = 180_000;

/** Whose messages are judged, and by what. */
export interface Side {
  readonly isServer: boolean;
  readonly requestRules: readonly RequestRule[];
  readonly responseRules: readonly ResponseRule[];
  /** What is broken where a request to it has no answer. */
  unanswered(exchange: Exchange): ClauseId;
}

const server: Side = { isServer: true, requestRules, responseRules, unanswered: () => 'TX-01' };

/** `last`: the end of the trace; without it nothing is said of what has not come. */
export function sipViolations(
  conversation: Conversation,
  last: Observed | undefined,
  side: Side = server,
): Violation[] {
  const found: Violation[] = [];
  const order = new DialogOrder(found);
  for (const turn of conversation.turns) {
    if (turn.kind === 'unreadable') {
      const { observed, code, hint } = turn.spoken;
      const id = observed.protocol === 'sip' ? 'SIP-20' : 'MSRP-01';
      const { servers } = conversation;
      if (servers.has(observed.source) === side.isServer)
        found.push(violationOf(observed, id, `${code}: ${hint}`));
    } else if (turn.kind === 'sip') judgeStep(turn.step, turn.spoken, { order, found, side });
  }
  if (side.isServer) found.push(...replayed(conversation.exchanges));
  if (last) found.push(...unanswered(conversation, last.at, side));
  return found;
}

interface Judging {
  readonly order: DialogOrder;
  readonly found: Violation[];
  readonly side: Side;
}

function judgeStep(step: SipStep, spoken: SpokenSip, { order, found, side }: Judging): void {
  const { observed } = spoken;
  if (step.kind === 'request' && step.exchange.inbound !== side.isServer) {
    const { exchange } = step;
    for (const rule of side.requestRules) {
      const fault = isFor(rule, exchange.method)
        ? rule.broken(exchange.request, exchange)
        : undefined;
      if (fault !== undefined) found.push(violationOf(observed, rule.clause, fault));
    }
    order.take(exchange);
  } else if (step.kind === 'response' && step.exchange.inbound === side.isServer) {
    const { exchange, response } = step;
    const { status } = response.message;
    for (const rule of side.responseRules) {
      if (!isFor(rule, exchange.method) || !isOf(rule, status)) continue;
      const fault = rule.broken(response, exchange);
      if (fault !== undefined) found.push(violationOf(observed, rule.clause, fault));
    }
    if (status >= 200 && exchange.final !== response) {
      const what = `${status} after ${exchange.final!.message.status}`;
      found.push(violationOf(observed, 'TX-03', what));
    }
  } else if (step.kind === 'again' && isServers(step, spoken) === side.isServer) {
    const same = step.first.message.bytes.equals(spoken.message.bytes);
    if (!same) found.push(violationOf(observed, 'TX-03', 'it is not what was sent before'));
  }
}

/** A repetition by the server: its request, or its response; else by a client. */
function isServers({ exchange }: { readonly exchange: Exchange }, { message }: SpokenSip): boolean {
  return exchange.inbound === (message.kind === 'response');
}

/** RFC 3261 12.2.1.1: the CSeq of one side of a dialog rises. MWI-03 is about the first NOTIFY. */
class DialogOrder {
  readonly #cseqs = new Map<string, number>();
  readonly #notified = new Set<string>();
  readonly #found: Violation[];

  constructor(found: Violation[]) {
    this.#found = found;
  }

  take(exchange: Exchange): void {
    const { callId, cseq, method, request } = exchange;
    const { message, observed } = request;
    const isRegister = method === 'REGISTER';
    if (!isInside(exchange) && method !== 'INVITE' && !isRegister) return;
    // RFC 3261 10.2: the CSeq of REGISTERs of one call rises, whatever their tags are.
    const side = `${callId} ${isRegister ? method : tagOf(message.header('from'))}`;
    const before = this.#cseqs.get(side);
    if (method !== 'CANCEL' && before !== undefined && cseq <= before) {
      const what = `CSeq ${cseq} after ${before}`;
      this.#found.push(violationOf(observed, 'DLG-02', what));
    }
    this.#cseqs.set(side, Math.max(cseq, before ?? 0));
    if (method === 'NOTIFY' && !exchange.inbound) this.#notify(exchange, side);
  }

  /** Of a subscription that begins in the trace, which its first CSeq tells. */
  #notify(exchange: Exchange, side: string): void {
    if (this.#notified.has(side)) return;
    this.#notified.add(side);
    const { message, observed, whole } = exchange.request;
    if (packageOf(exchange) !== 'message-summary' || !whole || exchange.cseq > 1) return;
    const blocks = readable(() => parseMessageSummary(message.body))?.headers.length ?? 0;
    if (blocks > 0) this.#found.push(violationOf(observed, 'MWI-03', `it has ${blocks} of them`));
  }
}

function unanswered({ exchanges, lastSaid }: Conversation, end: number, side: Side): Violation[] {
  return exchanges.flatMap((exchange) => {
    const { inbound, method, request, final, ack } = exchange;
    const { observed } = request;
    if (inbound !== side.isServer) {
      const accepted = method === 'INVITE' && final?.message.status === 200 ? final : undefined;
      if (!accepted || ack || accepted.observed.at + answerMs >= end) return [];
      return [
        violationOf(accepted.observed, 'TX-02', `the ${nameOf(side)} has not acknowledged it`),
      ];
    }
    const until = observed.at + (method === 'INVITE' ? ringingMs : answerMs);
    if (final || until >= end) return [];
    // A client that is gone answers nothing, and is nobody's fault.
    const isGone = (lastSaid.get(observed.target) ?? 0) <= observed.number;
    if (!side.isServer && isGone) return [];
    return [violationOf(observed, side.unanswered(exchange), `${method} is not answered`)];
  });
}

function nameOf({ isServer }: Side): string {
  return isServer ? 'server' : 'client';
}
