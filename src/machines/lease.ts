/** Leases of a message: the sessions that are delivering it, several at a time (D-50). */

import type { PayloadForm } from './effects.js';
import type { Address, Limits, MediaFacts, MessageFacts } from './events.js';
import { exceedsMaxSize, payloadForm } from './policy.js';

export interface Lease {
  readonly session: Address;
  readonly media: MediaFacts;
  readonly form: PayloadForm;
  /** Set when all octets are answered and the REPORT is awaited: when it counts as given (D-33). */
  readonly graceAt: number | undefined;
}

/** Why a message cannot be given to this client, as a SIP status; undefined: it can. */
export function refusal(message: MessageFacts, media: MediaFacts): number | undefined {
  if (payloadForm(message, media) === undefined) return 488;
  return exceedsMaxSize(message, media) ? 413 : undefined;
}

/** The leases with one more, in the first form that the client accepts. */
export function withLease(
  leases: readonly Lease[],
  message: MessageFacts,
  session: Address,
  media: MediaFacts,
): readonly Lease[] {
  const form = payloadForm(message, media);
  if (form === undefined) return leases;
  return [...leases, { session, media, form, graceAt: undefined }];
}

export function leaseOf(leases: readonly Lease[], session: Address): Lease | undefined {
  return leases.find((lease) => lease.session === session);
}

export function withoutLease(leases: readonly Lease[], session: Address): readonly Lease[] {
  return leases.filter((lease) => lease.session !== session);
}

/** The lease goes on in the form behind the one that was refused with 415 (D-47). */
export function withNextForm(
  leases: readonly Lease[],
  message: MessageFacts,
  session: Address,
): readonly Lease[] {
  return leases.map((lease) => {
    const form =
      lease.session === session ? payloadForm(message, lease.media, lease.form) : undefined;
    return form === undefined ? lease : { ...lease, form };
  });
}

/** The lease waits for the REPORT. */
export function withGrace(
  leases: readonly Lease[],
  session: Address,
  at: number,
  limits: Limits,
): readonly Lease[] {
  const graceAt = at + limits.reportGraceMs;
  return leases.map((lease) => (lease.session === session ? { ...lease, graceAt } : lease));
}

/** When the earliest grace is over. */
export function nextGrace(leases: readonly Lease[]): number | undefined {
  let next: number | undefined;
  for (const { graceAt } of leases) {
    if (graceAt !== undefined && (next === undefined || graceAt < next)) next = graceAt;
  }
  return next;
}

export function isOverdue(lease: Lease, at: number): boolean {
  return lease.graceAt !== undefined && lease.graceAt <= at;
}
