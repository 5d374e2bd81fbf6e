/** The machine of an actor. */

import { createMachine } from 'xstate';
import { unborn, type Definition } from './step.js';

const machine = createMachine({ id: 'push', initial: 'absent', states: { absent: {} } });

export const push: Definition = {
  machine,
  unborn: unborn(machine),
  birth: ['start'],
  rest: () => undefined,
  revive: () => unborn(machine),
};
