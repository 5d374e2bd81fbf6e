/** What push and focus have in common: a window of virtual UAs that send in one MSRP session. */

import type { ActionFunction } from 'xstate';
import { declarations, type EffectAction } from './declaration.js';
import type { Effect, Tell } from './effects.js';
import type { Address, Limits, MediaFacts, SessionEvent } from './events.js';
import { addSerial, firstSerials, removeSerial, type SerialSet } from './serial-set.js';
import { waitTimer } from './wait-timer.js';

export interface DeliveryContext {
  /** Its own address. */
  readonly session: Address;
  readonly media: MediaFacts;
  /** Messages that wait for their turn. */
  readonly todo: SerialSet;
  /** Messages whose virtual UA has been invited; never more than the window. */
  readonly invited: readonly number[];
  readonly delivered: number;
  /** The session is for messages of this sender only. */
  readonly sender?: string | undefined;
  /** Messages that this client does not take. */
  readonly failed: SerialSet;
  /** When the timer `wait` is set for. */
  readonly waitAt: number | undefined;
}

export const noMedia: MediaFacts = { acceptTypes: [], acceptWrappedTypes: [] };

/** MSRP statuses that speak of the session or of the moment, not of the message. */
export function isTransient(status: number): boolean {
  return status === 408 || status === 423 || status === 481 || status === 506 || status >= 500;
}

/** Every message has been tried. */
export function isOver({ todo, invited }: DeliveryContext): boolean {
  return todo.length === 0 && invited.length === 0;
}

/** The serial of `ua/<serial>`; undefined for another address. */
export function serialOf(address: Address): number | undefined {
  return address.startsWith('ua/') ? Number(address.slice(3)) : undefined;
}

type Departure = Extract<SessionEvent, { type: 'ua.departed' }>;
type Failure = Extract<SessionEvent, { type: 'ua.failed' }>;
type Absence = Extract<SessionEvent, { type: 'undelivered' }>;
type Timed = Extract<SessionEvent, { readonly limits: Limits }>;

/** The declarations of a delivering session, for a machine whose context includes ours. */
export function deliveryDeclarations<
  Context extends DeliveryContext,
  Event extends { type: string; at: number; limits: Limits },
>(copy?: (context: Context) => Context) {
  const { ask, effect } = declarations<Context, Event>();
  return {
    actions: deliveryChanges<Context, Event>(copy),
    guards: {
      isOver: ask((context) => isOver(context)),
      isWait: ask((_context, event) => 'name' in event && event.name === 'wait'),
    },
    /** INVITEs to as many virtual UAs as the window has room for; `invite` takes note of them. */
    tellInvite: effect('tell', (context, { at, limits }) => {
      const { session, media, sender } = context;
      return admitted(context, limits).map((serial): Tell => ({
        type: 'tell',
        to: `ua/${serial}`,
        event: { type: 'invite', at, session, media, sender, limits },
      }));
    }),
    /** Every lease ends: the session does. */
    tellBye: effect('tell', ({ session, invited }, { at, limits }) =>
      invited.map((serial): Tell => ({
        type: 'tell',
        to: `ua/${serial}`,
        event: { type: 'bye', at, session, limits },
      })),
    ),
    ...waitTimer<Context, Event>(),
    respond: (status: number) =>
      effect('sip.respond', (_context, event) => {
        const { transaction } = event as unknown as { readonly transaction: string };
        return { type: 'sip.respond', transaction, status };
      }),
    forget: effect('sip.forget', () => ({ type: 'sip.forget' })),
    release: effect('msrp.release', () => ({ type: 'msrp.release' })),
    stop: effect('stop', () => ({ type: 'stop' })),
  } satisfies Record<string, unknown>;
}

export type DeliveryEffect<Context, Event> = EffectAction<Context, Event, Effect['type']>;

function deliveryChanges<
  Context extends DeliveryContext,
  Event extends { type: string; at: number; limits: Limits },
>(copy: ((context: Context) => Context) | undefined) {
  const { change } = declarations<DeliveryContext, Timed>(
    copy as ((context: DeliveryContext) => DeliveryContext) | undefined,
  );
  const changes = {
    invite: change((context, { limits }) => {
      const serials = admitted(context, limits);
      return {
        todo: serials.reduce<SerialSet>(removeSerial, context.todo),
        invited: [...context.invited, ...serials],
      };
    }),
    noteDeparture: change(({ invited, delivered }, { serial }: Departure) => ({
      invited: invited.filter((other) => other !== serial),
      delivered: invited.includes(serial) ? delivered + 1 : delivered,
    })),
    noteFailure: change(({ invited, failed }, { serial, status }: Failure) => ({
      invited: invited.filter((other) => other !== serial),
      failed: isTransient(status) ? failed : addSerial(failed, serial),
    })),
    noteAbsence: change(({ invited, failed }, { to }: Absence) => {
      const serial = serialOf(to);
      if (serial === undefined || !invited.includes(serial)) return {};
      return {
        invited: invited.filter((other) => other !== serial),
        failed: addSerial(failed, serial),
      };
    }),
    forgetInvited: change(() => ({ invited: [] })),
    startWait: change((_context, { at, limits }) => ({ waitAt: at + limits.retrieval.waitMs })),
    endWait: change(() => ({ waitAt: undefined })),
  };
  // The changes touch our part of the context only, whatever else the machine keeps.
  return changes as unknown as Record<
    keyof typeof changes,
    ActionFunction<Context, Event, Event, undefined, never, never, never, never, never>
  >;
}

function admitted({ todo, invited }: DeliveryContext, limits: Limits): number[] {
  return firstSerials(todo, Math.max(0, limits.push.window - invited.length));
}
