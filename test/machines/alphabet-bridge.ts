/** The events that a bridge may meet in some state. */

import type { BridgeContext } from '../../src/machines/bridge-legs.js';
import type { BridgeEvent, Leg } from '../../src/machines/events.js';
import { bridge, type ActorSnapshot } from '../../src/machines/index.js';
import type { Alphabet } from './alphabet.js';
import { limits } from './facts.js';

export const bridgeAlphabet: Alphabet = {
  name: 'bridge',
  definition: bridge,
  events: bridgeEvents,
  essence: ({ value, context }) => {
    const { targets, pending, next, rings, refusal, callee, open } =
      context as Partial<BridgeContext>;
    const ringing = rings === undefined ? undefined : Math.min(rings, 1);
    return [value, targets?.length, pending, next, ringing, refusal, callee, open];
  },
};

function bridgeEvents({ context }: ActorSnapshot, at: number): readonly BridgeEvent[] {
  const of = { at, limits };
  const target = { uri: 'sip:bob@192.0.2.1', route: [] };
  const { pending = [], callee } = context as Partial<BridgeContext>;
  const born = { ...of, type: 'start', bridge: 1, transaction: 't', offer: 'o' } as const;
  const all = { ...limits, forward: { ...limits.forward, devices: 'all' } } as const;
  // Of a session there are two legs; a third one is that of a client which was too late.
  const asked: readonly Leg[] = callee === undefined ? pending : ['callee/9'];
  const both: readonly Leg[] =
    callee === undefined ? pending.slice(0, 1) : ['caller', callee, 'callee/9'];
  return [
    { ...born, targets: [target, target] },
    { ...born, targets: [target] },
    { ...born, targets: [target, target], limits: all },
    ...asked.flatMap((leg): BridgeEvent[] => [
      { ...of, type: 'leg.progressed', leg },
      { ...of, type: 'leg.answered', leg, status: 200, answer: 'a' },
      ...[200, 404, 480, 603].map((status) => {
        return { ...of, type: 'leg.answered', leg, status } as const;
      }),
      { ...of, type: 'leg.failed', leg },
    ]),
    ...both.flatMap((leg): BridgeEvent[] => [
      { ...of, type: 'bye.received', transaction: 'b', leg },
      { ...of, type: 'bye.received', transaction: 'b', leg, reason: 'SIP;cause=200' },
      { ...of, type: 'leg.lost', leg },
      { ...of, type: 'bye.answered', leg },
      { ...of, type: 'reinvite.received', transaction: 'r', leg },
      ...['o', 'a'].map((offer) => {
        return { ...of, type: 'reinvite.received', transaction: 'r', leg, offer } as const;
      }),
    ]),
    { ...of, type: 'invite.cancelled' },
    { ...of, type: 'timer.expired', name: 'wait' },
  ];
}
