/** Rules for what one side does over MSRP (RFC 4975): the server, or the clients. */

import type { Observed } from '../capture/observed.js';
import { rangeOf, type MsrpRequestSeen, type MsrpSeen, type MsrpTalk } from './msrp-talk.js';
import { violationOf } from './rule.js';
import type { Violation } from './verdict.js';

/** RFC 4975 7.1.1, and as much for a REPORT. */
const answerMs = 30_000;

interface Incoming {
  readonly first: MsrpRequestSeen;
  received: number;
  total: number | undefined;
  /** Its last chunk was seen, and answered with 200. */
  complete: Observed | undefined;
  reported: number;
}

interface Outgoing {
  readonly first: MsrpRequestSeen;
  next: number;
}

/** `last`: the end of the trace; without it nothing is said of what has not come. */
export function msrpViolations(
  { all }: MsrpTalk,
  last: Observed | undefined,
  byServer = true,
): Violation[] {
  const found: Violation[] = [];
  const incoming = new Map<string, Incoming>();
  const outgoing = new Map<string, Outgoing>();
  for (const seen of all) {
    if (seen.kind === 'response') {
      if (seen.fromServer === byServer) noteAnswer(seen, incoming);
      continue;
    }
    const key = `${seen.callId} ${seen.head.messageId}`;
    if (seen.head.method === 'REPORT') {
      if (seen.fromServer === byServer) judgeReport(seen, incoming.get(key), found);
    } else if (seen.head.contentType === undefined) continue;
    else if (seen.fromServer === byServer) judgeChunk(seen, key, outgoing, found);
    else noteChunk(seen, key, incoming);
  }
  if (last) found.push(...owed(all, incoming, { end: last.at, byServer }));
  return found;
}

function noteChunk(seen: MsrpRequestSeen, key: string, incoming: Map<string, Incoming>): void {
  const { from, to, total } = rangeOf(seen);
  const known = incoming.get(key);
  const one = known ?? { first: seen, received: 0, total, complete: undefined, reported: 0 };
  one.received += to - from + 1;
  if (seen.spoken.flag === '$') one.total = total ?? to;
  incoming.set(key, one);
}

function noteAnswer(
  { request, head, spoken }: Extract<MsrpSeen, { kind: 'response' }>,
  incoming: Map<string, Incoming>,
): void {
  if (request === undefined || request.spoken.flag !== '$') return;
  const one = incoming.get(`${request.callId} ${request.head.messageId}`);
  if (one && head.status === 200) one.complete ??= spoken.observed;
}

/** MSRP-21: of what has come, and once. */
function judgeReport(report: MsrpRequestSeen, of: Incoming | undefined, found: Violation[]): void {
  const { head, spoken } = report;
  const { observed } = spoken;
  if (of === undefined || (head.status?.code ?? 200) !== 200) return;
  if (!of.first.head.successReport) {
    found.push(violationOf(observed, 'MSRP-21', 'nobody has asked for this REPORT'));
    return;
  }
  const { start = 1, end = of.total ?? 0 } = head.byteRange ?? {};
  of.reported += end - start + 1;
  if (end > of.received) {
    const id = report.fromServer ? 'D-16' : 'MSRP-21';
    found.push(violationOf(observed, id, `octet ${end} has not come`));
  } else if (of.total !== undefined && of.reported > of.total) {
    found.push(violationOf(observed, 'MSRP-21', 'it was reported before'));
  }
}

/** MSRP-05, MSRP-08: chunks follow each other, want the same reports, and the last one is whole. */
function judgeChunk(
  seen: MsrpRequestSeen,
  key: string,
  outgoing: Map<string, Outgoing>,
  found: Violation[],
): void {
  const { head, spoken } = seen;
  const { observed, flag } = spoken;
  const { from, to, total } = rangeOf(seen);
  const known = from === 1 ? undefined : outgoing.get(key);
  const one = known ?? { first: seen, next: from };
  if (known === undefined && from > 1) return;
  if (from !== one.next) {
    const what = `octet ${from} where ${one.next} is next`;
    found.push(violationOf(observed, 'MSRP-05', what));
  }
  one.next = to + 1;
  outgoing.set(key, one);
  if (head.successReport !== one.first.head.successReport) {
    found.push(violationOf(observed, 'MSRP-08', 'it wants other reports than the first chunk'));
  }
  if (flag === '$' && total !== undefined && to !== total) {
    found.push(violationOf(observed, 'MSRP-05', `it ends at octet ${to} of ${total}`));
  }
  if (from === 1 && seen.fromServer && isNaked(head.contentType)) {
    found.push(violationOf(observed, 'S2-ENCAP', `the content is ${head.contentType}`));
  }
}

/** S2 D.x 8: inside another message, or as the CPIM or the medium that it is (D-48). */
function isNaked(contentType: string | undefined): boolean {
  return /^\s*text\/plain\b/i.test(contentType ?? '');
}

/** Responses and REPORTs that have not come. */
function* owed(
  all: readonly MsrpSeen[],
  incoming: ReadonlyMap<string, Incoming>,
  { end, byServer }: { readonly end: number; readonly byServer: boolean },
): Generator<Violation> {
  for (const seen of all) {
    if (seen.kind === 'response' || seen.head.method !== 'SEND') continue;
    if (seen.fromServer === byServer) continue;
    const { head, response, spoken } = seen;
    const { observed } = spoken;
    if (head.failureReport !== 'yes' || response || observed.at + answerMs >= end) continue;
    yield violationOf(observed, 'MSRP-20', 'it is not answered');
  }
  for (const { first, complete, reported, total = 0 } of incoming.values()) {
    if (!first.head.successReport || complete === undefined || reported >= total) continue;
    if (complete.at + answerMs >= end) continue;
    yield violationOf(complete, 'MSRP-21', 'the REPORT that was asked for is missing');
  }
}
