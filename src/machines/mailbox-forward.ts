/** What a mailbox says when a request may be passed on to a user who is available (D-12). */

import { clientTargets } from './binding.js';
import { tell } from './declaration.js';
import type { ForwardFacts, Limits, TargetFacts } from './facts.js';
import { ask, change, effect, type MailboxContext, type On } from './mailbox-context.js';

type Received = On<'message.received'>;
type Invited = On<'invitation.received'>;

export const forwardGuards = {
  isPassedOn: ask((context, event: Received) => isPassedOn(context, event)),
  hasNoHops: ask(
    (context, event: Received) => event.forward?.hops === 0 && isPassedOn(context, event),
  ),
  isBridged: ask((context, event: Invited) => isBridged(context, event)),
  isInvitedWithoutHops: ask(
    (context, event: Invited) => event.forward?.hops === 0 && isBridged(context, event),
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
  addBridge: change(({ number, bridges }) => ({
    number: number + 1,
    bridges: [...bridges, number],
  })),
  dropBridge: change(({ bridges }, { bridge }: On<'bridge.ended'>) => ({
    bridges: bridges.filter((other) => other !== bridge),
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

/** The same for a large message: beyond the bound it is taken in. */
function isBridged({ bindings, bridges, paused }: MailboxContext, event: Invited): boolean {
  const { forward, at, limits } = event;
  if (paused) return false; // U25
  if (forward === undefined || limits.forward.mode !== 'all') return false;
  if (bridges.length >= limits.forward.bridges) return false;
  return clientTargets(bindings, at).length > 0;
}

interface Asked {
  readonly at: number;
  readonly forward?: ForwardFacts | undefined;
  readonly limits: Limits;
}

/** The S-CSCF that has sent a request here knows best how it goes on from here. */
function targetsOf({ bindings }: MailboxContext, { forward, at }: Asked): readonly TargetFacts[] {
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

const tellBridge = effect('tell', (context, event: Invited) => {
  const { at, transaction, forward, limits } = event;
  const bridge = context.number - 1;
  const targets = targetsOf(context, event);
  const offer = forward?.offer ?? '';
  const start = { type: 'start', at, bridge, transaction, targets, offer, limits } as const;
  return tell(`bridge/${bridge}`, start);
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

const tooManyHops = effect('sip.respond', (_context, { transaction }: Received | Invited) => ({
  type: 'sip.respond',
  transaction,
  status: 483,
}));

/** RFC 3261 16.3: nobody passes on what has no hop left. */
export const forwarding = [
  { guard: 'hasNoHops', actions: tooManyHops },
  { guard: 'isPassedOn', actions: ['addForward', tellStart] },
] as const;

export const bridging = [
  { guard: 'isInvitedWithoutHops', actions: tooManyHops },
  { guard: 'isBridged', actions: ['addBridge', tellBridge] },
] as const;

export const endForward = { actions: 'dropForward' } as const;
export const endBridge = { actions: 'dropBridge' } as const;
