/** The machine of an actor. */

import { createMachine } from 'xstate';
import { unborn, type Definition } from './step.js';

const machine = createMachine({ id: 'mailbox', initial: 'absent', states: { absent: {} } });

export const mailbox: Definition = {
  machine,
  unborn: unborn(machine),
  birth: ['message.received', 'register.received', 'subscribe.received', 'retrieval.requested'],
  rest: () => undefined,
  revive: () => unborn(machine),
};
