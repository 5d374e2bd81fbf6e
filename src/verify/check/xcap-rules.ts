/** Rules that one XDMS is held to, whatever its documents say (RFC 4825). */

import type { Violation } from './verdict.js';
import { violationOf } from './rule.js';
import type { XcapExchange } from './xcap-exchange.js';

/** XCAP-06: the same ETag is of the same octets. */
export function xcapViolations(exchanges: readonly XcapExchange[]): Violation[] {
  const found: Violation[] = [];
  const known = new Map<string, Buffer>();
  for (const { method, request, answer, status } of exchanges) {
    const etag = answer?.fields.get('etag');
    const body = answer?.body;
    if (method !== 'GET' || status !== 200 || etag === undefined || body === undefined) continue;
    // What is sent piece by piece may have changed meanwhile.
    if (answer!.observed.number !== request.observed.number + 1) continue;
    if (answer!.fields.has('content-encoding')) continue;
    const [, target = ''] = request.start.split(' ');
    const accept = request.fields.get('accept-encoding') ?? '';
    const key = [request.observed.target, target, accept, etag].join(' ');
    const before = known.get(key);
    known.set(key, body);
    if (before === undefined || before.equals(body) || etag.startsWith('W/')) continue;
    found.push(violationOf(answer!.observed, 'XCAP-06', `another document has the ETag ${etag}`));
  }
  return found;
}
