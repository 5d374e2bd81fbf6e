/** What the machines owe the world: an effect that has to be seen on the wire. */

import type { Effect } from '../../machines/effects.js';
import type { Address } from '../../machines/events.js';

const visible = [
  'sip.respond',
  'sip.accept',
  'sip.invite',
  'sip.bye',
  'sip.notify',
  'conference.notify',
  'msrp.send',
  'msrp.confirm',
  'report.send',
] as const;

type VisibleType = (typeof visible)[number];
export type VisibleEffect = Extract<Effect, { readonly type: VisibleType }>;

export interface Owed {
  readonly by: Address;
  readonly effect: VisibleEffect;
  /** The message that has brought it about. */
  readonly number: number;
  readonly at: number;
  /** When it counts as missing; undefined: it may stay away. */
  readonly until: number | undefined;
}

export function isVisible(effect: Effect): effect is VisibleEffect {
  return (visible as readonly string[]).includes(effect.type);
}

/** Timer F; what depends on a peer who may be slow has twice that. */
const timelyMs = 32_000;
const patientMs = 64_000;

/**
 * Answers are looked after with their transactions. IMDN-01: a store may report, so that a report
 * that stays away is no violation; whether it was asked for is.
 */
export function untilOf({ type }: VisibleEffect, at: number): number | undefined {
  switch (type) {
    case 'report.send':
    case 'sip.respond':
    case 'sip.accept':
      return undefined;
    case 'msrp.send':
    case 'sip.bye':
      return at + patientMs;
    default:
      return at + timelyMs;
  }
}

/** Said of it where it is allowed or missing. */
export function describeOwed({ by, effect }: Owed): string {
  switch (effect.type) {
    case 'sip.respond':
      return `${effect.status}${effect.warning === undefined ? '' : ` (${effect.warning})`}`;
    case 'sip.accept':
      return `200 with an answer (${by})`;
    case 'sip.invite':
      return `INVITE to ${effect.target.uri} (${by})`;
    case 'sip.bye':
      return `BYE (${by})`;
    case 'sip.notify': {
      const counted = Object.values(effect.counts);
      const fresh = counted.reduce((sum, one) => sum + one.new, 0);
      const old = counted.reduce((sum, one) => sum + one.old, 0);
      return `NOTIFY ${effect.state}, ${fresh} new, ${old} old (${by})`;
    }
    case 'conference.notify':
      return `NOTIFY conference version ${effect.version} (${by})`;
    case 'msrp.send':
      return `SEND of the message of Call-ID ${effect.message.callId} (${effect.session})`;
    case 'msrp.confirm':
      return `MSRP ${effect.status} (${by})`;
    default:
      return `IMDN ${effect.disposition} to ${effect.to}`;
  }
}
