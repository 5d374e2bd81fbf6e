/** What a virtual UA keeps in mind of its message, and reports of it. */

import { declarations, type On as EventOn } from './declaration.js';
import type { Effect } from './effects.js';
import type { VirtualUaEvent } from './events.js';
import type { CountedFacts, FieldFacts, MessageFacts } from './facts.js';
import type { Lease } from './lease.js';

export interface VirtualUaContext {
  readonly serial: number;
  readonly message: MessageFacts;
  readonly receivedAt: number;
  readonly expiresAt: number | undefined;
  /** When the expiry timer is set for. */
  readonly timerAt: number | undefined;
  /** Delivered and kept: an old message (D-44). */
  readonly read: boolean;
  /** Header fields of the BYE that ended the session of a large message (D-14). */
  readonly bye?: FieldFacts;
  readonly leases: readonly Lease[];
  /** Why the message goes when the last lease has ended. */
  readonly doomed: 'delivered' | 'user' | undefined;
}

export type On<Type extends VirtualUaEvent['type']> = EventOn<VirtualUaEvent, Type>;
/** How a session has fared with the message. */
export type Outcome = On<'msrp.sent' | 'msrp.reported'>;

export const { ask, change, effect } = declarations<VirtualUaContext, VirtualUaEvent>(copyOf);

function copyOf(context: VirtualUaContext): VirtualUaContext {
  const copy: VirtualUaContext = {
    serial: context.serial,
    message: context.message,
    receivedAt: context.receivedAt,
    expiresAt: context.expiresAt,
    timerAt: context.timerAt,
    read: context.read,
    leases: context.leases,
    doomed: context.doomed,
  };
  return context.bye ? { ...copy, bye: context.bye } : copy;
}

/** What the mailbox counts. */
export function counted({ class: messageClass, urgent, size }: MessageFacts): CountedFacts {
  return { class: messageClass, urgent, size };
}

/** A report to the sender; an anonymous one gets none (IMDN-04). */
export function report(
  { serial, message }: VirtualUaContext,
  disposition: 'stored' | 'failed' | 'forbidden',
): readonly Extract<Effect, { type: 'report.send' }>[] {
  const { imdn, from } = message;
  if (imdn === undefined || from.endsWith('@anonymous.invalid')) return [];
  const wanted = disposition === 'stored' ? imdn.processing : imdn.negativeDelivery;
  return wanted ? [{ type: 'report.send', serial, disposition, to: from, imdn }] : [];
}
