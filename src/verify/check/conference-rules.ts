/** NOTIFYs of a retrieval's conference (RFC 4575, CNF-01): their form, and how messages fare. */

import { WireError } from '../../wire/error.js';
import {
  conferenceInfoType,
  parseConferenceInfo,
  type ConferenceInfo,
} from '../../wire/xml/conference-info.js';
import type { Exchange } from './exchange.js';
import { packageOf } from './inbound-subscribe.js';
import { violationOf } from './rule.js';
import type { Violation } from './verdict.js';

/** Timer F. */
const notifyMs = 32_000;

/** How far each participant has come: what has ended never begins again. */
const order = ['pending', 'dialing-out', 'alerting', 'connected', 'disconnecting', 'disconnected'];

interface Subscription {
  version: number;
  readonly statuses: Map<string, string>;
}

/** `last`: when the trace ends; undefined: nothing is said of what has not come. */
export function conferenceViolations(
  exchanges: readonly Exchange[],
  last: number | undefined,
): Violation[] {
  const found: Violation[] = [];
  const subscriptions = new Map<string, Subscription>();
  const notified = new Set<string>();
  const accepted: Exchange[] = [];
  for (const exchange of exchanges) {
    const { method, inbound, callId, final } = exchange;
    if (packageOf(exchange) !== 'conference') continue;
    if (method === 'SUBSCRIBE' && inbound && final?.message.status === 200) accepted.push(exchange);
    if (method !== 'NOTIFY' || inbound) continue;
    notified.add(callId);
    judge(exchange, subscriptions, found);
  }
  for (const { callId, final } of accepted) {
    const { observed } = final!;
    if (last === undefined || notified.has(callId) || observed.at + notifyMs >= last) continue;
    found.push(violationOf(observed, 'EVT-01', 'no NOTIFY of the conference follows'));
  }
  return found;
}

function judge(
  { callId, request }: Exchange,
  subscriptions: Map<string, Subscription>,
  found: Violation[],
): void {
  const { message, observed, whole } = request;
  if (!whole) return;
  const violates = (what: string): void => {
    found.push(violationOf(observed, 'CNF-01', what));
  };
  const terminated = /^\s*terminated/i.test(message.header('subscription-state') ?? '');
  if (message.body.length === 0) {
    if (!terminated) violates('it has no body');
    return;
  }
  const type = message.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  const info = type === conferenceInfoType ? infoOf(message.body) : `its body is ${type ?? 'none'}`;
  if (typeof info === 'string') violates(info);
  else compare(info, callId, { subscriptions, violates });
}

function infoOf(body: Buffer): ConferenceInfo | string {
  try {
    return parseConferenceInfo(body);
  } catch (error) {
    if (error instanceof WireError) return `${error.code}: ${error.hint}`;
    throw error;
  }
}

interface Comparing {
  readonly subscriptions: Map<string, Subscription>;
  readonly violates: (what: string) => void;
}

function compare(
  { state, version, users }: ConferenceInfo,
  callId: string,
  { subscriptions, violates }: Comparing,
): void {
  const known = subscriptions.get(callId);
  const subscription = known ?? { version, statuses: new Map<string, string>() };
  subscriptions.set(callId, subscription);
  if (known && version !== known.version + 1) {
    violates(`version ${version} follows ${known.version}`);
  }
  subscription.version = version;
  for (const { entity, status } of users) {
    const before = subscription.statuses.get(entity);
    const isBack = before !== undefined && placeOf(status) < placeOf(before);
    if (isBack) violates(`${entity} is ${status} after ${before}`);
    subscription.statuses.set(entity, status);
  }
  if (!known && version <= 1 && state !== 'full') violates(`the first one is ${state}`);
}

function placeOf(status: string): number {
  return order.indexOf(status);
}
