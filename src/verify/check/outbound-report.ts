/** MESSAGE of the server with a report: of which message, and whether it was asked for (RFC 5438). */

import { cpimFacts, parseCpim } from '../../wire/cpim.js';
import { parseImdn } from '../../wire/imdn.js';
import { uriOf } from '../../wire/sip/name-addr.js';
import { canonicalAor } from '../../wire/sip/uri.js';
import type { Deed } from './deed.js';
import type { Exchange } from './exchange.js';
import { readable } from './session-media.js';

/** Who sends a report: the account whose message it is of; undefined: it is none. */
export function reporterOf({ request: { message, whole } }: Exchange): string | undefined {
  if (!whole) return undefined;
  const cpim = readable(() => parseCpim(message.body));
  if (cpim === undefined || !/^\s*message\/imdn\+xml/i.test(cpim.contentType)) return undefined;
  return canonicalAor(cpimFacts(cpim).from ?? uriOf(message.header('from')) ?? '');
}

export function report({ request }: Exchange): Deed | undefined {
  const { observed, message } = request;
  const imdn = readable(() => parseImdn(parseCpim(message.body).body));
  if (imdn === undefined) return undefined;
  return {
    observed,
    play: (flow) => {
      // Of a message from before the trace nobody knows what it asked for.
      if (!flow.accounts.some((account) => account.hasImdn(imdn.messageId))) return;
      flow.expect({
        observed,
        what: `IMDN ${imdn.status} of ${imdn.messageId}`,
        clause: 'IMDN-01',
        blame: (accounts) =>
          accounts.every(({ notes }) => notes.reported.has(`${imdn.messageId} ${imdn.status}`))
            ? 'IMDN-02'
            : undefined,
        match: ({ effect }) =>
          effect.type === 'report.send' &&
          effect.imdn.id === imdn.messageId &&
          effect.disposition === imdn.status,
        after: (account) => account.withReport(`${imdn.messageId} ${imdn.status}`),
      });
    },
  };
}
