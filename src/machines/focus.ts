/** The machine of an actor. */

import { createMachine } from 'xstate';
import { unborn, type Definition } from './step.js';

const machine = createMachine({ id: 'focus', initial: 'absent', states: { absent: {} } });

export const focus: Definition = {
  machine,
  unborn: unborn(machine),
  birth: ['retrieval.requested'],
  rest: () => undefined,
  revive: () => unborn(machine),
};
