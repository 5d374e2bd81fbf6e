/** The events that a forward may meet in some state. */

import type { ForwardEvent } from '../../src/machines/events.js';
import type { ForwardContext } from '../../src/machines/forward.js';
import { forward, type ActorSnapshot } from '../../src/machines/index.js';
import type { Alphabet } from './alphabet.js';
import { limits } from './facts.js';

export const forwardAlphabet: Alphabet = {
  name: 'forward',
  definition: forward,
  events: forwardEvents,
  essence: ({ value, context }) => {
    const { targets, pending, refusal, serial } = context as Partial<ForwardContext>;
    return [value, targets?.length, pending, refusal, serial];
  },
};

function forwardEvents(_snapshot: ActorSnapshot, at: number): readonly ForwardEvent[] {
  const of = { at, limits };
  const target = { uri: 'sip:bob@192.0.2.1', route: [] };
  const all = { ...limits, forward: { ...limits.forward, devices: 'all' } } as const;
  const born = { ...of, type: 'start', forward: 1, transaction: 't' } as const;
  return [
    { ...born, targets: [target, target, target, target, target] },
    { ...born, targets: [target] },
    { ...born, targets: [target, target], limits: all },
    ...[200, 404, 480, 500, 503, 504].map((status) => {
      return { ...of, type: 'forward.answered', status } as const;
    }),
    { ...of, type: 'forward.failed' },
    { ...of, type: 'message.stored', serial: 7 },
    { ...of, type: 'timer.expired', name: 'wait' },
  ];
}
