/** How a machine declares guards, changes of context and effects by the event they belong to. */

import { assign } from 'xstate';
import type { Effect, Tell } from './effects.js';
import type { Address, EventFor } from './events.js';

/** The events of a machine that have one of these types. */
export type On<Event extends { type: string }, Type extends Event['type']> = Extract<
  Event,
  { readonly type: Type }
>;

export interface Args<Context, Event> {
  readonly context: Context;
  readonly event: Event;
}

/** An effect as an action without a body: XState names it, `step` collects what `params` makes. */
export interface EffectAction<Context, Event, Type extends Effect['type']> {
  readonly type: Type;
  readonly params: (args: Args<Context, Event>) => Effect | readonly Effect[];
}

type EffectOf<Type extends Effect['type']> = Extract<Effect, { readonly type: Type }>;

/**
 * The words of one machine. `copy` makes the same context anew; absent: it is spread. An engine that
 * spreads what was spread before defines field by field, so that machines in much use write the
 * fields of theirs out. A function may ask for the one event it stands under; the transitions
 * of that event are the only place for it, which the contract test walks.
 */
/* eslint-disable @typescript-eslint/no-unnecessary-type-parameters --
   the type of `event` is inferred from how the function asks for it */
export function declarations<Context extends object, Event extends { type: string }>(
  copy?: (context: Context) => Context,
) {
  return {
    /** A guard: a question to context and event. */
    ask<E extends Event>(question: (context: Context, event: E) => boolean) {
      return ({ context, event }: Args<Context, Event>): boolean => question(context, event as E);
    },
    /** New values of some fields of the context. */
    change<E extends Event>(fields: (context: Context, event: E) => Partial<Context>) {
      const changing = assign<Context, Event, undefined, Event, never>(({ context, event }) =>
        fields(context, event as unknown as E),
      );
      return copy ? Object.assign(changing, { copy }) : changing;
    },
    /** An effect, or several of one type. */
    effect<Type extends Effect['type'], E extends Event>(
      type: Type,
      make: (context: Context, event: E) => EffectOf<Type> | readonly EffectOf<Type>[],
    ): EffectAction<Context, Event, Type> {
      return { type, params: ({ context, event }) => make(context, event as E) };
    },
  };
}

/* eslint-enable @typescript-eslint/no-unnecessary-type-parameters */

/** Tells an actor what its address accepts. */
export function tell<To extends Address>(to: To, event: EventFor<To>): Tell {
  return { type: 'tell', to, event } as Tell;
}

type NoBody = (args: unknown, params: Effect | readonly Effect[]) => void;

/** Effects are data: `step` hands them to the shell. */
const noBody: NoBody = () => undefined;

/** Every effect as an action for `setup`. */
export const effectActions = {
  tell: noBody,
  'sip.respond': noBody,
  'sip.pass': noBody,
  'sip.refresh': noBody,
  'sip.forward': noBody,
  'sip.invite': noBody,
  'sip.accept': noBody,
  'sip.bye': noBody,
  'sip.forget': noBody,
  'sip.notify': noBody,
  'msrp.confirm': noBody,
  'conference.notify': noBody,
  'msrp.connect': noBody,
  'msrp.release': noBody,
  'msrp.send': noBody,
  'message.put': noBody,
  'message.delete': noBody,
  'timer.set': noBody,
  'timer.cancel': noBody,
  'history.put': noBody,
  'history.delete': noBody,
  'report.send': noBody,
  'serials.take': noBody,
  'message.defer': noBody,
  'message.passed': noBody,
  'account.forget': noBody,
  stop: noBody,
} satisfies Record<Effect['type'], NoBody>;
