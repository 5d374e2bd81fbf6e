/** Rules about what follows what: repetitions, final answers, CSeq, and NOTIFYs of one dialog. */

import { parseMessageSummary } from '../../wire/message-summary.js';
import { tagOf, uriOf } from '../../wire/sip/name-addr.js';
import { canonicalAor } from '../../wire/sip/uri.js';
import type { Observed } from '../capture/observed.js';
import { isInside, type Conversation } from './conversation.js';
import type { Exchange, SipStep } from './exchange.js';
import { packageOf } from './inbound-subscribe.js';
import { requestRules } from './request-rules.js';
import { responseRules } from './response-rules.js';
import { isFor, isOf, violationOf } from './rule.js';
import { readable } from './session-media.js';
import type { SpokenSip } from './spoken.js';
import type { Violation } from './verdict.js';

/** Timer F; an INVITE may ring (Timer C). */
const answerMs = 32_000;
const ringingMs = 180_000;

export function sipViolations(conversation: Conversation, last: Observed | undefined): Violation[] {
  const found: Violation[] = [];
  const order = new DialogOrder(found);
  for (const turn of conversation.turns) {
    if (turn.kind === 'unreadable') {
      const { observed, code, hint } = turn.spoken;
      const id = observed.protocol === 'sip' ? 'SIP-20' : 'MSRP-01';
      const fromServer = conversation.servers.has(observed.source);
      if (fromServer) found.push(violationOf(observed, id, `${code}: ${hint}`));
    } else if (turn.kind === 'sip') judgeStep(turn.step, turn.spoken, order, found);
  }
  found.push(...replayed(conversation.exchanges));
  if (last) found.push(...unanswered(conversation.exchanges, last.at));
  return found;
}

function judgeStep(step: SipStep, spoken: SpokenSip, order: DialogOrder, found: Violation[]): void {
  const { observed } = spoken;
  if (step.kind === 'request' && !step.exchange.inbound) {
    const { exchange } = step;
    for (const rule of requestRules) {
      const fault = isFor(rule, exchange.method)
        ? rule.broken(exchange.request, exchange)
        : undefined;
      if (fault !== undefined) found.push(violationOf(observed, rule.clause, fault));
    }
    order.take(exchange);
  } else if (step.kind === 'response' && step.exchange.inbound) {
    const { exchange, response } = step;
    const { status } = response.message;
    for (const rule of responseRules) {
      if (!isFor(rule, exchange.method) || !isOf(rule, status)) continue;
      const fault = rule.broken(response, exchange);
      if (fault !== undefined) found.push(violationOf(observed, rule.clause, fault));
    }
    if (status >= 200 && exchange.final !== response) {
      const what = `${status} after ${exchange.final!.message.status}`;
      found.push(violationOf(observed, 'TX-03', what));
    }
  } else if (step.kind === 'again' && isServers(step, spoken)) {
    const same = step.first.message.bytes.equals(spoken.message.bytes);
    if (!same) found.push(violationOf(observed, 'TX-03', 'it is not what was sent before'));
  }
}

/** A repetition by the server: its request, or its response. */
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
    if (!isInside(exchange) && method !== 'INVITE') return;
    const { message, observed } = request;
    const side = `${callId} ${tagOf(message.header('from'))}`;
    const before = this.#cseqs.get(side);
    if (method !== 'CANCEL' && before !== undefined && cseq <= before) {
      const what = `CSeq ${cseq} after ${before}`;
      this.#found.push(violationOf(observed, 'DLG-02', what));
    }
    this.#cseqs.set(side, Math.max(cseq, before ?? 0));
    if (method === 'NOTIFY') this.#notify(exchange, side);
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

function unanswered(exchanges: readonly Exchange[], end: number): Violation[] {
  return exchanges.flatMap((exchange) => {
    const { inbound, method, request, final, ack } = exchange;
    const { at } = request.observed;
    if (!inbound) {
      const accepted = method === 'INVITE' && final?.message.status === 200 ? final : undefined;
      if (!accepted || ack || accepted.observed.at + answerMs >= end) return [];
      return [violationOf(accepted.observed, 'TX-02', 'the server has not acknowledged it')];
    }
    const until = at + (method === 'INVITE' ? ringingMs : answerMs);
    if (final || until >= end) return [];
    return [violationOf(request.observed, 'TX-01', `${method} is not answered`)];
  });
}

/** Messages of one user that are remembered, to know them when they come again. */
const rememberedMax = 1_000;

/** A message that was stored, and comes as another MESSAGE instead of in a session (S2). */
function replayed(exchanges: readonly Exchange[]): Violation[] {
  const stored = new Map<string, Exchange[]>();
  const found: Violation[] = [];
  for (const exchange of exchanges) {
    const { inbound, method, request, final } = exchange;
    const { message, observed } = request;
    if (method !== 'MESSAGE' || message.body.length === 0) continue;
    const user = canonicalAor(inbound ? message.uri : (uriOf(message.header('to')) ?? '')) ?? '';
    const kept = stored.get(user) ?? [];
    if (inbound && final?.message.status === 202) {
      if (kept.length < rememberedMax) stored.set(user, [...kept, exchange]);
    } else if (!inbound && kept.some((one) => isReplay(one, exchange))) {
      found.push(violationOf(observed, 'S2-PUSH-FLOW', 'a stored message comes as MESSAGE'));
    }
  }
  return found;
}

function isReplay({ request: { message }, final }: Exchange, { request }: Exchange): boolean {
  return (
    final!.observed.number < request.observed.number && request.message.body.includes(message.body)
  );
}
