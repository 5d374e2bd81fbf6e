/** What a server passes on to clients instead of storing it: how, and what it answers. */

import { namesLargeMessageTag } from '../../wire/sip/accept-contact.js';
import { parseDigits } from '../../wire/sip/number.js';
import { isInside } from './conversation.js';
import type { Exchange } from './exchange.js';
import { violationOf } from './rule.js';
import type { Violation } from './verdict.js';

/** D-12: whoever answers so is inaccessible; 482 is a network that brings the request back. */
const inaccessible = new Set([408, 430, 480, 482, 500, 503, 504]);
/** Two clients that share no form: each of them may share one with the store (S4). */
const notAcceptable = 488;
/** Timer F. */
const endMs = 32_000;

/** A request that somebody has sent to the server, and what the server has made of it. */
interface PassedOn {
  readonly asked: Exchange;
  readonly sent: readonly Exchange[];
}

/** By its Call-ID and From, which stay; requests in dialogs are of the sessions themselves. */
export function passedOnIn(exchanges: readonly Exchange[]): readonly PassedOn[] {
  const asked = new Map<string, { readonly asked: Exchange; readonly sent: Exchange[] }>();
  for (const exchange of exchanges) {
    const { method, inbound } = exchange;
    if (isInside(exchange) || (method !== 'MESSAGE' && method !== 'INVITE')) continue;
    const key = keyOf(exchange);
    if (inbound) {
      if (!asked.has(key)) asked.set(key, { asked: exchange, sent: [] });
    } else asked.get(key)?.sent.push(exchange);
  }
  return [...asked.values()].filter(({ sent }) => sent.length > 0);
}

function keyOf({ method, callId, cseq }: Exchange): string {
  return `${method} ${callId} ${cseq}`;
}

/** Whether a client has said the 2xx that the sender was told, so that nothing was stored. */
export function isTaken({ asked, sent }: PassedOn): boolean {
  const answeredAt = asked.final?.observed.number ?? Infinity;
  return sent.some((one) => outcomeBefore(one, answeredAt) === 2);
}

/** `last`: when the trace ends; undefined: nothing is said of what has not come. */
export function passedOnViolations(
  exchanges: readonly Exchange[],
  last: number | undefined,
): Violation[] {
  const passed = passedOnIn(exchanges);
  return [
    ...passed.flatMap(({ asked, sent }) => sent.flatMap((one) => [...changed(asked, one)])),
    ...passed.flatMap((one) => answers(one)),
    ...bridgesLeft(exchanges, passed, last),
  ];
}

/** RFC 3261 16.6: one hop further, and otherwise as it came. */
function* changed({ request: before }: Exchange, { method, request: after }: Exchange) {
  const [hops, left] = [before, after].map(({ message }) =>
    parseDigits(message.header('max-forwards')),
  );
  if (hops !== undefined && left !== undefined && left >= hops) {
    yield violationOf(after.observed, 'FWD-01', `Max-Forwards is ${left}, and came as ${hops}`);
  }
  if (method !== 'MESSAGE' || !before.whole || !after.whole) return;
  if (!before.message.body.equals(after.message.body)) {
    yield violationOf(after.observed, 'FWD-01', 'its body is not what was sent');
  } else if (before.message.header('content-type') !== after.message.header('content-type')) {
    yield violationOf(after.observed, 'FWD-01', 'its Content-Type is not what was sent');
  }
}

/** D-12: what the clients have said decides what the sender is told. */
function answers({ asked, sent }: PassedOn): Violation[] {
  const { final, method } = asked;
  if (final === undefined) return [];
  const { observed } = final;
  const { status } = final.message;
  const before = sent.filter((one) => outcomeBefore(one, observed.number) !== undefined);
  const said = before.map((one) => one.final!.message.status);
  const told = (what: string): Violation[] => [violationOf(observed, 'D-12', what)];
  if (said.some((one) => one < 300)) {
    // A 2xx without a session that could be used is hung up (S4).
    if (status < 300 || method === 'INVITE') return [];
    return told(`a client has taken it, and the sender is told ${status}`);
  }
  // Somebody may still be asked, or ring.
  if (before.length < sent.length || said.length === 0) return [];
  const refusals = said.filter((one) => !isInaccessible(one, method));
  if (refusals.length === said.length && status < 300) {
    return told(`the user has refused it with ${refusals[0]!}, and it is taken in`);
  }
  const isPassedBack = inaccessible.has(status) && said.includes(status);
  return refusals.length === 0 && isPassedBack && isDeferrable(asked)
    ? told(`nobody is there, and the sender is told ${status}`)
    : [];
}

function isInaccessible(status: number, method: string): boolean {
  return inaccessible.has(status) || (method === 'INVITE' && status === notAcceptable);
}

/** D-15: of INVITEs those that bring a large message. */
function isDeferrable({ method, request: { message } }: Exchange): boolean {
  return (
    method === 'MESSAGE' ||
    namesLargeMessageTag([...message.fields('accept-contact'), ...message.fields('contact')])
  );
}

/** The first digit of the final response, if it had come by then. */
function outcomeBefore({ final }: Exchange, number: number): number | undefined {
  if (final === undefined || final.observed.number > number) return undefined;
  return Math.floor(final.message.status / 100);
}

/** ADR 0018: who ends one side of a session that was passed on has ended both. */
function bridgesLeft(
  exchanges: readonly Exchange[],
  passed: readonly PassedOn[],
  last: number | undefined,
): Violation[] {
  const bridged = new Set(
    passed
      .filter((one) => one.asked.method === 'INVITE' && isTaken(one))
      .filter(({ asked }) => asked.final?.message.status === 200)
      .map(({ asked }) => asked.callId),
  );
  const ends = exchanges.filter(({ method, callId }) => method === 'BYE' && bridged.has(callId));
  const ended = new Set(ends.filter(({ inbound }) => !inbound).map(({ callId }) => callId));
  const heard = new Map<string, Exchange[]>();
  for (const end of ends) {
    if (end.inbound) heard.set(end.callId, [...(heard.get(end.callId) ?? []), end]);
  }
  return [...heard].flatMap(([callId, [first, ...others]]) => {
    const { observed } = first!.request;
    const isOpen = !ended.has(callId) && others.length === 0;
    if (!isOpen || last === undefined || observed.at + endMs >= last) return [];
    return [violationOf(observed, 'FWD-02', 'the other side of the session is not ended')];
  });
}
