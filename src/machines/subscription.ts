/** The machine of an actor. */

import { createMachine } from 'xstate';
import { unborn, type Definition } from './step.js';

const machine = createMachine({ id: 'subscription', initial: 'absent', states: { absent: {} } });

export const subscription: Definition = {
  machine,
  unborn: unborn(machine),
  birth: ['subscribe.received'],
  rest: () => undefined,
  revive: () => unborn(machine),
};
