/** What a trace lacks: with it, what was not seen may have been there all the same. */

import type { Loss, Observed } from '../capture/observed.js';
import type { Conversation } from './conversation.js';
import { isChange } from './xcap-exchange.js';

const namedMax = 5;

/**
 * Why it cannot be said of this trace that something has not happened; empty where it can. What
 * others say to each other is not missed.
 */
export function lostIn(
  { servers, exchanges, cutHeads, xcap }: Conversation,
  losses: readonly Loss[],
): string[] {
  const hosts = new Set([...servers].map(hostOf));
  const ofServer = losses.filter(({ source, target }) => {
    return hosts.size === 0 || hosts.has(hostOf(source)) || hosts.has(hostOf(target));
  });
  const told = new Map<string, { readonly first: number; count: number }>();
  for (const { what, number } of ofServer) {
    const known = told.get(what);
    if (known) known.count++;
    else told.set(what, { first: number, count: 1 });
  }
  return [
    ...[...told].map(([what, { first, count }]) => `${what}: ${count}, the first at ${first}`),
    ...(cutHeads > 0 ? [`messages of which the head is cut: ${cutHeads}`] : []),
    ...unknownChanges(xcap),
    ...oneWay(
      exchanges.map(({ request }) => request.observed),
      [...answersOf(exchanges)],
    ),
  ];
}

/** Documents whose users may have decided in them how messages reach them (D-41). */
const ofOthers = /^(?:resource-lists|rls-services|pres-rules|pidf-manipulation|xcap-)/;

function unknownChanges(xcap: Conversation['xcap']): string[] {
  const { length } = xcap.filter((exchange) => {
    const { method, uri, node, request, subject } = exchange;
    if (subject !== 'other' || !isChange(exchange) || ofOthers.test(uri.auid)) return false;
    return method === 'DELETE' || node !== undefined || request.body === undefined;
  });
  return length > 0 ? [`changes over XCAP of documents that are not known: ${length}`] : [];
}

function* answersOf(exchanges: Conversation['exchanges']): Generator<Observed> {
  for (const { responses, request } of exchanges) {
    yield request.observed;
    for (const { observed } of responses) yield observed;
  }
}

/** Hosts that say something to others of whom nothing is ever seen: half of it was captured. */
function oneWay(requests: readonly Observed[], all: readonly Observed[]): string[] {
  const ways = new Set(all.map((one) => wayOf(one.source, one.target)));
  const silent = new Set<string>();
  for (const { source, target } of requests) {
    if (!ways.has(wayOf(target, source))) silent.add(`${hostOf(target)} to ${hostOf(source)}`);
  }
  return [...silent].slice(0, namedMax).map((way) => `nothing was captured from ${way}`);
}

function wayOf(source: string, target: string): string {
  return `${hostOf(source)} ${hostOf(target)}`;
}

/** Without the port: answers may come from another one. */
function hostOf(address: string): string {
  return /^(\[[^\]]*\]|[^:]*):\d+$/.exec(address)?.[1] ?? address;
}
