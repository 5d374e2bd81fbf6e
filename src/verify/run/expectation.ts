/** What the model owes, as something to wait for: which item it belongs to, and in words. */

import type { Address } from '../../machines/events.js';
import type { ItemId } from './items.js';
import type { Owed } from './model.js';
import type { Step } from './step.js';

export interface Expectation {
  readonly owed: Owed;
  /** Index of the step that it is owed for. */
  readonly step: number;
  /** Absent: no item says so, the path just cannot go on without it. */
  readonly item: ItemId | undefined;
  readonly clause: string;
  readonly text: string;
  /** Which message it is about, by the order of submission. */
  readonly message?: number;
  /** ms that the server has for it. */
  readonly withinMs: number;
}

export interface Occasion {
  readonly step: Step;
  readonly index: number;
  readonly message?: number;
  readonly withinMs: number;
  /** The subscription was told of before. */
  readonly notified: boolean;
}

type Kind = Pick<Expectation, 'item' | 'clause' | 'text'>;

export function expectationOf(owed: Owed, occasion: Occasion): Expectation {
  const { index, message, withinMs } = occasion;
  return {
    ...{ owed, step: index, withinMs },
    ...(message !== undefined && { message }),
    ...kindOf(owed, occasion),
  };
}

function kindOf({ by, effect }: Owed, occasion: Occasion): Kind {
  const { step, message, notified } = occasion;
  switch (effect.type) {
    case 'sip.respond':
      return answerKind(step, effect.status);
    case 'sip.accept':
      return {
        item: 'IMSpec-DMT-S-006',
        clause: 'OMA IM 11.3.1',
        text: '200 to INVITE with an SDP answer',
      };
    case 'sip.invite':
      return {
        item: 'IMSpec-DMT-S-004',
        clause: 'OMA IM 11.3.2.5, D.x step 1',
        text: 'a push: INVITE with a sendonly offer',
      };
    case 'sip.bye':
      return { ...sessionKind(by), text: `the end of the session: BYE` };
    case 'msrp.send':
      return {
        ...(isSelection(step) ? selected : sessionKind(effect.session)),
        text: `SEND of message ${(message ?? 0) + 1}`,
      };
    case 'sip.notify': {
      const { new: fresh, old } = totals(effect.counts);
      const ended = effect.state === 'terminated';
      return {
        item: notified && !ended ? 'IMSpec-DMT-S-005' : 'IMSpec-DMT-S-002',
        clause: notified && !ended ? 'RFC 3842 3.5' : 'RFC 6665 4.2.1.2',
        text: `NOTIFY ${effect.state} with ${fresh} new and ${old} old`,
      };
    }
    case 'report.send':
      return reportKind(step, effect.disposition, message ?? 0);
  }
}

const selected = {
  item: 'IMSpec-DMT-S-009',
  clause: 'OMA IM 11.3.1.1.2 step 2a',
} as const satisfies Pick<Kind, 'item' | 'clause'>;

function isSelection(step: Step): boolean {
  return step.do === 'retrieve' && step.list !== undefined;
}

function sessionKind(session: Address): Pick<Kind, 'item' | 'clause'> {
  return session.startsWith('push/')
    ? { item: 'IMSpec-DMT-S-004', clause: 'OMA IM 11.3.2.5, D.x steps 8 to 13' }
    : { item: 'IMSpec-DMT-S-012', clause: 'OMA IM 11.3.1.1.2' };
}

function answerKind(step: Step, status: number): Kind {
  const text = `${status} to ${methodOf(step)}`;
  switch (step.do) {
    case 'submit':
      if (step.kind === 'zero') return { item: 'S1-EXP', clause: 'OMA IM 12.4.2.3', text };
      return { item: 'IMSpec-DMT-S-001', clause: 'OMA IM 11.3.2.4, X.X.1', text };
    case 'subscribe':
    case 'refresh':
    case 'unsubscribe':
      return { item: 'IMSpec-DMT-S-002', clause: 'RFC 6665 4.2.1', text };
    case 'retrieve':
      return refusalKind(step, text);
    case 'publish':
    case 'unpublish':
      return { item: 'IMSpec-DMT-S-008', clause: 'RFC 3903 6', text };
    case 'delete':
      return { item: 'S1-DEL-USER', clause: 'OMA IM 12.4.2.8', text };
    default:
      return { item: undefined, clause: 'RFC 3261 8.2', text };
  }
}

/** A single want of authority is what S-010 is about; everything else is the order of the checks. */
function refusalKind({ faults }: Extract<Step, { readonly do: 'retrieve' }>, text: string): Kind {
  if (faults.length === 0) {
    return { item: 'IMSpec-DMT-S-009', clause: 'OMA IM 11.3.1.1, RFC 5366 4.2', text };
  }
  const [only] = faults;
  const isAuthority = faults.length === 1 && (only === 'identity' || only === 'account');
  return isAuthority
    ? { item: 'IMSpec-DMT-S-010', clause: 'OMA IM 11.3.1.1.2 step 1', text }
    : { item: 'IMSpec-DMT-S-007', clause: 'OMA IM 11.3.1', text };
}

function reportKind(step: Step, disposition: string, message: number): Kind {
  const text = `report "${disposition}" of message ${message + 1} to its sender`;
  if (disposition === 'stored') return { item: 'S4-NOTE2', clause: 'RFC 5438 8.2', text };
  if (step.do === 'delete') return { item: 'S1-DEL-USER', clause: 'OMA IM 12.4.2.7', text };
  return { item: 'S1-EXP', clause: 'OMA IM 12.4.2.7', text };
}

/** The method that a step sends. */
export function methodOf({ do: kind }: Step): string {
  switch (kind) {
    case 'submit':
      return 'MESSAGE';
    case 'register':
      return 'REGISTER';
    case 'subscribe':
    case 'refresh':
    case 'unsubscribe':
      return 'SUBSCRIBE';
    case 'retrieve':
      return 'INVITE';
    case 'publish':
    case 'unpublish':
      return 'PUBLISH';
    case 'delete':
      return 'REFER';
    case 'hang-up':
      return 'BYE';
    default:
      return kind;
  }
}

/** What all classes count together: what they are called is not agreed upon (RFC 3458). */
export function totals(counts: Readonly<Record<string, { new: number; old: number }>>): {
  readonly new: number;
  readonly old: number;
} {
  let fresh = 0;
  let old = 0;
  for (const counted of Object.values(counts)) {
    fresh += counted.new;
    old += counted.old;
  }
  return { new: fresh, old };
}
