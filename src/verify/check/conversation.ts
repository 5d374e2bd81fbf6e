/** A trace as a conversation with the server: what was said, to whom, in which transaction. */

import { tagOf } from '../../wire/sip/name-addr.js';
import type { Observed } from '../capture/observed.js';
import { Exchanges, type Exchange, type SipStep } from './exchange.js';
import { serversOf } from './roles.js';
import { spokenOf, type Paths, type Spoken } from './spoken.js';
import type { SpokenHttp, SpokenMsrp, SpokenSip } from './spoken.js';
import { XcapExchanges, type XcapExchange } from './xcap-exchange.js';

export type Turn =
  | { readonly kind: 'sip'; readonly spoken: SpokenSip; readonly step: SipStep }
  | { readonly kind: 'msrp'; readonly spoken: SpokenMsrp }
  | { readonly kind: 'http'; readonly spoken: SpokenHttp; readonly xcap: XcapExchange }
  | { readonly kind: 'unreadable'; readonly spoken: Extract<Spoken, { kind: 'unreadable' }> };

export interface Conversation {
  readonly servers: ReadonlySet<string>;
  /** In order; what neither comes from the server nor goes to it is left out. */
  readonly turns: readonly Turn[];
  readonly exchanges: readonly Exchange[];
  /** Questions about documents of users, to whatever XDMS. */
  readonly xcap: readonly XcapExchange[];
  /** Number of the last message that each address has sent. */
  readonly lastSaid: ReadonlyMap<string, number>;
  readonly retransmissions: number;
  /** Messages between others. */
  readonly elsewhere: number;
  /** Messages that a capture has cut before their body. */
  readonly cutHeads: number;
}

/** `servers`: `host:port`, where they are known; else they are found. */
export function conversationOf(
  messages: readonly Observed[],
  servers?: ReadonlySet<string>,
): Conversation {
  const paths: Paths = new Map();
  const spoken = messages.map((one) => spokenOf(one, paths));
  const found = servers && servers.size > 0 ? servers : serversOf(spoken);
  const exchanges = new Exchanges();
  const xcap = new XcapExchanges();
  const turns: Turn[] = [];
  const lastSaid = new Map(messages.map(({ source, number }) => [source, number]));
  let elsewhere = 0;
  let cutHeads = 0;
  for (const one of spoken) {
    if (one.kind === 'cut') {
      cutHeads++;
      continue;
    }
    if (one.kind === 'msrp') {
      turns.push({ kind: 'msrp', spoken: one });
      continue;
    }
    if (one.kind === 'http') {
      const asked = xcap.take(one.message);
      if (asked) turns.push({ kind: 'http', spoken: one, xcap: asked });
      continue;
    }
    const { source, target } = one.observed;
    const fromServer = found.has(source);
    if (!fromServer && !found.has(target)) elsewhere++;
    else if (one.kind === 'unreadable') turns.push({ kind: 'unreadable', spoken: one });
    else turns.push({ kind: 'sip', spoken: one, step: exchanges.take(one, !fromServer) });
  }
  return {
    ...{ servers: found, turns, exchanges: exchanges.all, xcap: xcap.all, lastSaid },
    ...{ retransmissions: exchanges.again, elsewhere, cutHeads },
  };
}

/** Whether a request stands in a dialog. */
export function isInside({ request }: Exchange): boolean {
  return tagOf(request.message.header('to')) !== undefined;
}
