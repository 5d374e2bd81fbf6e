/** The timer `wait` of a session: how long it waits for somebody else. It ends with the process. */

import { declarations } from './declaration.js';

/** Effects that set and cancel it at `waitAt`; there is none while that is undefined. */
export function waitTimer<
  Context extends { readonly waitAt: number | undefined },
  Event extends { type: string },
>() {
  const { effect } = declarations<Context, Event>();
  return {
    setWait: effect('timer.set', ({ waitAt: at }) =>
      at === undefined ? [] : { type: 'timer.set', name: 'wait', at, durable: false },
    ),
    cancelWait: effect('timer.cancel', ({ waitAt: at }) =>
      at === undefined ? [] : { type: 'timer.cancel', name: 'wait', at, durable: false },
    ),
  };
}
