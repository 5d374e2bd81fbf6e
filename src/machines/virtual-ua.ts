/** The machine of an actor. */

import { createMachine } from 'xstate';
import { unborn, type Definition } from './step.js';

const machine = createMachine({ id: 'virtual-ua', initial: 'absent', states: { absent: {} } });

export const virtualUa: Definition = {
  machine,
  unborn: unborn(machine),
  birth: ['store'],
  rest: () => undefined,
  revive: () => unborn(machine),
};
