/** Bindings of a served user: where and until when the user can be reached (RFC 3261 10.3, D-40). */

import type { ContactBinding } from './effects.js';
import type { ContactFacts, Limits, RegisterFacts, TargetFacts } from './facts.js';

export interface Binding {
  readonly uri: string;
  readonly expiresAt: number;
  readonly im: boolean | 'unknown';
  readonly q: number;
  readonly path: readonly string[];
  readonly callId: string;
  readonly cseq: number;
  readonly by: RegisterFacts['by'];
  /** When it was made or refreshed last. */
  readonly at: number;
}

/** RFC 3261 10.3 step 7: the same Call-ID with a CSeq that is not higher. */
export function isOutOfOrder(bindings: readonly Binding[], register: RegisterFacts): boolean {
  const { callId, cseq, contacts, removeAll } = register;
  return bindings.some(
    (binding) =>
      binding.callId === callId &&
      binding.cseq >= cseq &&
      (removeAll || contacts.some(({ uri }) => uri === binding.uri)),
  );
}

/** RFC 3261 10.3 step 6: our own registrar refuses what is briefer than its minimum. */
export function isRegisteredTooBriefly(register: RegisterFacts, limits: Limits): boolean {
  if (register.by === 'scscf') return false;
  return register.contacts.some(({ expires }) => expires > 0 && expires < limits.register.min);
}

/**
 * TPR-05: one third-party REGISTER for each identity of the user comes at a time; those behind the
 * first tell nothing of the client that it has not told.
 */
export function isOfBurst(
  bindings: readonly Binding[],
  register: RegisterFacts,
  at: number,
  limits: Limits,
): boolean {
  return firstOfBurst(bindings, register, at, limits) !== undefined;
}

function firstOfBurst(
  bindings: readonly Binding[],
  { by, contacts, path }: RegisterFacts,
  at: number,
  limits: Limits,
): Binding | undefined {
  if (by !== 'scscf') return undefined;
  return bindings.find(
    (binding) =>
      binding.by === 'scscf' &&
      binding.path[0] === path[0] &&
      at - binding.at < limits.register.burstMs &&
      contacts.every(({ uri, expires }) => uri !== binding.uri && expires > 0),
  );
}

/** The bindings after this REGISTER; those that are past go at the same time. */
export function rebind(
  bindings: readonly Binding[],
  register: RegisterFacts,
  at: number,
  limits: Limits,
): readonly Binding[] {
  const { by, contacts, removeAll } = register;
  if (removeAll) return bindings.filter((binding) => binding.by !== by);
  const first = firstOfBurst(bindings, register, at, limits);
  const touched = new Map(contacts.map((contact) => [contact.uri, contact]));
  // The S-CSCF speaks for the user as a whole: what it says replaces what it has said.
  const kept = bindings.filter(
    (binding) =>
      binding.expiresAt > at &&
      !touched.has(binding.uri) &&
      !(by === 'scscf' && binding.by === 'scscf' && contacts.length > 0),
  );
  const made = [...touched.values()]
    .filter(({ expires }) => expires > 0)
    .map((contact) => bind(contact, register, at, limits))
    // U22: a client answers to its sip identity, whatever else is registered with it.
    .map((binding) => (isSip(first?.uri) ? { ...binding, uri: first.uri } : binding));
  return [...kept, ...made];
}

function isSip(uri: string | undefined): uri is string {
  return uri !== undefined && /^sips?:/i.test(uri);
}

function bind(contact: ContactFacts, register: RegisterFacts, at: number, limits: Limits): Binding {
  const { by, callId, cseq, path } = register;
  const { uri, im, q } = contact;
  // The S-CSCF has granted the time already; ours would only end it early.
  const seconds = by === 'ue' ? Math.min(contact.expires, limits.register.max) : contact.expires;
  return { uri, expiresAt: at + seconds * 1000, im, q, path, callId, cseq, by, at };
}

export function unexpired(bindings: readonly Binding[], at: number): readonly Binding[] {
  return bindings.some(({ expiresAt }) => expiresAt <= at)
    ? bindings.filter(({ expiresAt }) => expiresAt > at)
    : bindings;
}

/** When the first of them is past. */
export function earliestExpiry(bindings: readonly Binding[]): number | undefined {
  let earliest: number | undefined;
  for (const { expiresAt } of bindings) {
    if (earliest === undefined || expiresAt < earliest) earliest = expiresAt;
  }
  return earliest;
}

/** D-40: whether an IM client of the user can be reached. */
export function isReachable(bindings: readonly Binding[], at: number): boolean {
  return bindings.some((binding) => isClient(binding, at));
}

/** D-40: where the IM clients are reached: by q, then the latest. */
export function clientTargets(bindings: readonly Binding[], at: number): readonly TargetFacts[] {
  return targetsOf(bindings, at, (a, b) => b.q - a.q || b.at - a.at);
}

/** U3: the client that has just registered comes first. */
export function latestTargets(bindings: readonly Binding[], at: number): readonly TargetFacts[] {
  return targetsOf(bindings, at, (a, b) => b.at - a.at || b.q - a.q);
}

function targetsOf(
  bindings: readonly Binding[],
  at: number,
  order: (a: Binding, b: Binding) => number,
): readonly TargetFacts[] {
  return bindings
    .filter((binding) => isClient(binding, at))
    .sort(order)
    .map(({ uri, path, by }) => ({ uri, route: path, ...(by === 'scscf' && { trusted: true }) }));
}

function isClient({ im, expiresAt }: Binding, at: number): boolean {
  return im !== false && expiresAt > at;
}

/** As the answer to a REGISTER lists them. */
export function contactList(bindings: readonly Binding[], at: number): readonly ContactBinding[] {
  return unexpired(bindings, at).map(({ uri, expiresAt }) => ({
    uri,
    expires: Math.ceil((expiresAt - at) / 1000),
  }));
}
