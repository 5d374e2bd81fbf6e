/** The machines of an account, by the address of the actor. */

import type { Address } from './events.js';
import { bridge } from './bridge.js';
import { conference } from './conference.js';
import { focus } from './focus.js';
import { forward } from './forward.js';
import { mailbox } from './mailbox.js';
import { push } from './push.js';
import { recording } from './recording.js';
import type { Definition } from './step.js';
import { subscription } from './subscription.js';
import { virtualUa } from './virtual-ua.js';

export { bridge, conference, focus, forward, mailbox, push, recording, subscription, virtualUa };
export type * from './effects.js';
export type * from './events.js';
export { describeMachine, statesOf } from './description.js';
export type * from './description.js';
export { sameAtRest, step } from './step.js';
export type { ActorSnapshot, AtRest, Definition, Step } from './step.js';

const definitions = new Map<string, Definition>([
  ['mailbox', mailbox],
  ['ua', virtualUa],
  ['push', push],
  ['focus', focus],
  ['recording', recording],
  ['subscription', subscription],
  ['forward', forward],
  ['bridge', bridge],
  ['conference', conference],
]);

/** The definition of the machine behind an address. Throws for a name that is no address. */
export function definitionOf(address: Address): Definition {
  // Every message asks for these two.
  if (address === 'mailbox') return mailbox;
  if (address.startsWith('ua/')) return virtualUa;
  const slash = address.indexOf('/');
  const definition = definitions.get(slash < 0 ? address : address.slice(0, slash));
  if (definition === undefined) throw new Error(`MACHINE_ADDRESS_UNKNOWN: ${address}`);
  return definition;
}
