/** SIP transactions as they were seen: a request, its responses, and what came again. */

import { WireError } from '../../wire/error.js';
import type { SipRequest, SipResponse } from '../../wire/sip/message.js';
import { parseCseq, type Cseq } from '../../wire/sip/cseq.js';
import { tagOf } from '../../wire/sip/name-addr.js';
import { parseVia } from '../../wire/sip/via.js';
import type { SpokenSip } from './spoken.js';

export type RequestSpoken = SpokenSip & { readonly message: SipRequest };
export type ResponseSpoken = SpokenSip & { readonly message: SipResponse };

export interface Exchange {
  /** Its place among the exchanges, as a name. */
  readonly id: string;
  readonly method: string;
  readonly cseq: number;
  readonly callId: string;
  readonly request: RequestSpoken;
  /** To the server, or from it. */
  readonly inbound: boolean;
  readonly responses: ResponseSpoken[];
  /** The first final one. */
  final: ResponseSpoken | undefined;
  /** Of the 2xx to INVITE. */
  ack: RequestSpoken | undefined;
}

export type SipStep =
  | { readonly kind: 'request'; readonly exchange: Exchange }
  | { readonly kind: 'response'; readonly exchange: Exchange; readonly response: ResponseSpoken }
  | { readonly kind: 'ack'; readonly exchange: Exchange; readonly ack: RequestSpoken }
  /** The same message once more. */
  | { readonly kind: 'again'; readonly exchange: Exchange; readonly first: SpokenSip }
  /** A response or an ACK of which the request was not seen. */
  | { readonly kind: 'stray' };

/** Takes note of what passes by, and tells what each message is. */
export class Exchanges {
  readonly #byKey = new Map<string, Exchange>();
  /** INVITEs by Call-ID and CSeq, for the ACK of a 2xx. */
  readonly #invites = new Map<string, Exchange>();
  readonly all: Exchange[] = [];
  again = 0;

  take(spoken: SpokenSip, inbound: boolean): SipStep {
    const { message } = spoken;
    const cseq = cseqOf(message.header('cseq'));
    const key = keyOf(spoken, cseq);
    const known = key === undefined ? undefined : this.#byKey.get(key);
    if (message.kind === 'response') {
      return known ? this.#response(known, spoken as ResponseSpoken) : { kind: 'stray' };
    }
    if (message.method === 'ACK') return this.#ack(spoken as RequestSpoken, known, cseq);
    if (known) {
      this.again++;
      return { kind: 'again', exchange: known, first: known.request };
    }
    return { kind: 'request', exchange: this.#begin(spoken as RequestSpoken, inbound, key, cseq) };
  }

  #begin(request: RequestSpoken, inbound: boolean, key: string | undefined, cseq: Cseq): Exchange {
    const exchange: Exchange = {
      id: `x${this.all.length}`,
      method: request.message.method,
      cseq: cseq.number,
      callId: request.message.header('call-id') ?? '',
      ...{ request, inbound, responses: [], final: undefined, ack: undefined },
    };
    this.all.push(exchange);
    if (key !== undefined) this.#byKey.set(key, exchange);
    if (exchange.method === 'INVITE') this.#invites.set(inviteKey(request, cseq), exchange);
    return exchange;
  }

  /** A second final response of another status is not the same once more. */
  #response(exchange: Exchange, response: ResponseSpoken): SipStep {
    const { status } = response.message;
    const tag = tagOf(response.message.header('to'));
    const first = exchange.responses.find(
      ({ message }) => message.status === status && tagOf(message.header('to')) === tag,
    );
    if (first) {
      this.again++;
      return { kind: 'again', exchange, first };
    }
    exchange.responses.push(response);
    if (status >= 200) exchange.final ??= response;
    return { kind: 'response', exchange, response };
  }

  #ack(ack: RequestSpoken, known: Exchange | undefined, cseq: Cseq): SipStep {
    const exchange = known ?? this.#invites.get(inviteKey(ack, cseq));
    if (!exchange) return { kind: 'stray' };
    if (exchange.ack) {
      this.again++;
      return { kind: 'again', exchange, first: exchange.ack };
    }
    exchange.ack = ack;
    return { kind: 'ack', exchange, ack };
  }
}

function inviteKey({ message }: RequestSpoken, { number }: Cseq): string {
  return `${message.header('call-id')} ${number} ${tagOf(message.header('from'))}`;
}

/** RFC 3261 17.2.3: branch, sent-by and method; ACK of a failure is of its INVITE. */
function keyOf({ message }: SpokenSip, { method, number }: Cseq): string | undefined {
  try {
    const { branch, host, port } = parseVia(message.list('via')[0] ?? '');
    const of = method === 'ACK' ? 'INVITE' : method;
    const callId = message.header('call-id');
    return `${branch} ${host.toLowerCase()}:${port} ${of} ${number} ${callId}`;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

export function cseqOf(value: string | undefined): Cseq {
  try {
    return parseCseq(value ?? '');
  } catch (error) {
    if (error instanceof WireError) return { number: 0, method: '' };
    throw error;
  }
}
