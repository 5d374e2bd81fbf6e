/** Connections that one side closes too early (RFC 4975 5.4, S2 D.x 10). */

import type { Closing } from '../capture/observed.js';
import type { Exchange } from './exchange.js';
import type { MsrpRequestSeen, MsrpTalk } from './msrp-talk.js';
import { violationOf } from './rule.js';
import type { Violation } from './verdict.js';

/** RFC 4975 7.1.1: then it has waited for long enough. */
const answerMs = 30_000;

/** The server leaves a session in which it waits for an answer, and nobody has ended it. */
export function closingViolations(
  exchanges: readonly Exchange[],
  { all }: MsrpTalk,
  closings: readonly Closing[],
): Violation[] {
  const ended = endings(exchanges);
  const sends = new Map<string, MsrpRequestSeen[]>();
  for (const seen of all) {
    if (seen.kind !== 'request' || !seen.fromServer || seen.head.method !== 'SEND') continue;
    const { source, target } = seen.spoken.observed;
    const key = `${source} ${target}`;
    const known = sends.get(key);
    if (known) known.push(seen);
    else sends.set(key, [seen]);
  }
  const closed = new Set<string>();
  return closings.flatMap((closing) => {
    const { number, at, source, target, how } = closing;
    const isSecond = closed.has(`${target} ${source}`);
    closed.add(`${source} ${target}`);
    const waits = (sends.get(`${source} ${target}`) ?? []).find((send) => {
      const { observed, flag } = send.spoken;
      if (observed.number > number || flag !== '$' || at - observed.at >= answerMs) return false;
      const answeredAt = send.response?.spoken.observed.number ?? Infinity;
      return answeredAt > number && (ended.get(send.callId) ?? Infinity) > number;
    });
    if (isSecond || waits === undefined) return [];
    const left = `${how} in a session that nobody has ended, before its SEND is answered`;
    return [violationOf({ ...waits.spoken.observed, number, at }, 'D-73', left)];
  });
}

/** By which message each call was ended, or refused. */
function endings(exchanges: readonly Exchange[]): ReadonlyMap<string, number> {
  const ended = new Map<string, number>();
  for (const { method, callId, request } of exchanges) {
    if (method !== 'BYE' && method !== 'CANCEL') continue;
    const { number } = request.observed;
    ended.set(callId, Math.min(number, ended.get(callId) ?? Infinity));
  }
  return ended;
}
