/** What a mailbox says when a request may be passed on to a user who is available (D-12). */

import { clientTargets } from './binding.js';
import { tell } from './declaration.js';
import type { TargetFacts } from './facts.js';
import { ask, change, effect, type MailboxContext, type On } from './mailbox-context.js';

type Received = On<'message.received'>;

export const forwardGuards = {
  isPassedOn: ask((context, event: Received) => isPassedOn(context, event)),
  hasNoHops: ask(
    (context, event: Received) => event.forward?.hops === 0 && isPassedOn(context, event),
  ),
};

export const forwardChanges = {
  addForward: change(({ number, forwards }) => ({
    number: number + 1,
    forwards: [...forwards, number],
  })),
  dropForward: change(({ forwards }, { forward }: On<'forward.ended'>) => ({
    forwards: forwards.filter((other) => other !== forward),
  })),
};

/** Beyond the bound a message is stored at once, and pushed. */
function isPassedOn({ bindings, forwards, paused }: MailboxContext, event: Received): boolean {
  const { forward, at, limits } = event;
  if (paused) return false; // U25
  if (forward === undefined || limits.forward.mode === 'off') return false;
  if (forwards.length >= limits.forward.count) return false;
  return clientTargets(bindings, at).length > 0;
}

/** The S-CSCF that has sent a request here knows best how it goes on from here. */
function targetsOf(
  { bindings }: MailboxContext,
  { forward, at }: Received,
): readonly TargetFacts[] {
  const targets = clientTargets(bindings, at);
  const through = forward?.through;
  return through !== undefined && targets[0]?.trusted === true ? [through] : targets;
}

const tellStart = effect('tell', (context, event: Received) => {
  const { at, transaction, limits } = event;
  const forward = context.number - 1;
  const targets = targetsOf(context, event);
  return tell(`forward/${forward}`, { type: 'start', at, forward, transaction, targets, limits });
});

/** A late answer of the user has to find the message. */
export const tellStored = effect('tell', ({ block }, { at, deferred, limits }: Received) =>
  deferred?.forward === undefined
    ? []
    : tell(`forward/${deferred.forward}`, {
        type: 'message.stored',
        at,
        serial: block.next - 1,
        limits,
      }),
);

/** RFC 3261 16.3: nobody passes on what has no hop left. */
export const forwarding = [
  {
    guard: 'hasNoHops',
    actions: effect('sip.respond', (_context, { transaction }: Received) => ({
      type: 'sip.respond',
      transaction,
      status: 483,
    })),
  },
  { guard: 'isPassedOn', actions: ['addForward', tellStart] },
] as const;

export const endForward = { actions: 'dropForward' } as const;
