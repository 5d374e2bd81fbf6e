/** What the world may do next: plain data, so that a path of choices can be kept and replayed. */

import type { Address, Leg } from '../machines/events.js';
import type { Bounds } from './bounded-account.js';

/** A dialog of a bridge, or the one way of a MESSAGE. */
export type PassedLeg = Leg | 'message';

export type Act =
  /** `passed`: it may be passed on to a user who is there. */
  | { readonly do: 'send' | 'offer'; readonly message: number; readonly passed?: true }
  | { readonly do: 'import'; readonly message: number; readonly read: boolean }
  /** SUBSCRIBE to the conference of a focus. */
  | { readonly do: 'watch'; readonly of: Address }
  /** The last octet of a large message has come. */
  | { readonly do: 'record'; readonly of: Address }
  /** The final response of a client to what was passed on. */
  | {
      readonly do: 'pass';
      readonly of: Address;
      readonly leg: PassedLeg;
      readonly outcome: 'accepted' | 'unusable' | 'refused' | 'unreachable' | 'failed';
    }
  /** What happens in a dialog of a bridge. */
  | {
      readonly do: 'ring' | 'leg-hang-up' | 'leg-lost' | 'leg-bye-answered';
      readonly of: Address;
      readonly leg: Leg;
    }
  /** The sender does not wait any more. */
  | { readonly do: 'cancel'; readonly of: Address }
  | { readonly do: 'register' }
  | { readonly do: 'deregister' }
  | { readonly do: 'subscribe' }
  | { readonly do: 'retrieve' }
  | { readonly do: 'delete'; readonly serial: number }
  | { readonly do: 'requeue'; readonly serial: number }
  | { readonly do: 'pause' | 'resume' | 'push-at-once' }
  /** The final response to an INVITE of ours. */
  | {
      readonly do: 'invite';
      readonly of: Address;
      readonly outcome: 'accepted' | 'refused' | 'failed' | 'unusable';
    }
  | { readonly do: 'ack'; readonly of: Address }
  | { readonly do: 'no-ack'; readonly of: Address }
  | { readonly do: 'bind'; readonly of: Address }
  | { readonly do: 'disconnect'; readonly of: Address }
  /** The answer to a SEND, and the REPORT. */
  | {
      readonly do: 'answer' | 'report';
      readonly serial: number;
      readonly of: Address;
      readonly status: number;
    }
  | { readonly do: 'hang-up'; readonly of: Address }
  | { readonly do: 'bye-answered'; readonly of: Address }
  | {
      readonly do: 'notify';
      readonly of: Address;
      readonly outcome: 'answered' | 'refused' | 'failed';
    }
  | { readonly do: 'timer'; readonly of: Address; readonly name: string }
  /** A durable effect is done; `twice`: the process dies before it knows. */
  | { readonly do: 'outbox'; readonly number: number }
  /** The account comes into memory: now, or when its first timer runs out. */
  | { readonly do: 'load'; readonly later: boolean }
  | { readonly do: 'crash' }
  | { readonly do: 'passivate' };

/** `crash`: right behind the commit of this; `fail`: its commit fails. */
export type Choice = Act & { readonly then?: 'crash' | 'fail' };

/** A choice, and what it means for the exploration. */
export interface Option {
  readonly choice: Choice;
  /** Which bound it takes from. Absent: a fair world does it sooner or later. */
  readonly spends?: keyof Bounds;
}

/** `answer 200 to ua/1 of push/1`: a choice in words. */
export function describeChoice(choice: Choice): string {
  const { do: verb, then, ...rest } = choice;
  const words = Object.entries(rest).map(([name, value]) => {
    if (name === 'of') return String(value);
    return typeof value === 'boolean' ? (value ? name : '') : `${name} ${String(value)}`;
  });
  const ends = { crash: '; the process dies behind the commit', fail: '; the commit fails' };
  const end = then === undefined ? '' : ends[then];
  return [verb, ...words].filter((word) => word !== '').join(' ') + end;
}
