/** The events that a virtual UA may meet in some state. */

import type { VirtualUaEvent } from '../../src/machines/events.js';
import { virtualUa, type ActorSnapshot } from '../../src/machines/index.js';
import type { VirtualUaContext } from '../../src/machines/virtual-ua-context.js';
import type { Alphabet } from './alphabet.js';
import { limits, media, noneAccepted, reported } from './facts.js';

const sessions = ['push/1', 'focus/2'] as const;

export const virtualUaAlphabet: Alphabet = {
  name: 'virtual-ua',
  definition: virtualUa,
  events: virtualUaEvents,
  essence: ({ value, context }) => {
    const { leases = [], doomed, read } = context as Partial<VirtualUaContext>;
    const held = leases.map(({ session, media: { acceptTypes }, graceAt }) => {
      return [session, acceptTypes, graceAt !== undefined];
    });
    return [value, held, doomed, read];
  },
};

function virtualUaEvents(_snapshot: ActorSnapshot, at: number): readonly VirtualUaEvent[] {
  const quick = { ...limits, reportGraceMs: 0 };
  const wide = { acceptTypes: ['*'], acceptWrappedTypes: [] };
  const of = { at, limits };
  return [
    { ...of, type: 'store', serial: 7, message: reported, expiresAt: at + 60_000 },
    {
      ...of,
      type: 'store',
      serial: 7,
      message: reported,
      imported: { read: true, bye: [['Reason', 'SIP;cause=200']] },
    },
    { ...of, type: 'delete' },
    { ...of, type: 'delete', silent: true },
    { ...of, type: 'requeue' },
    { ...of, type: 'session.closed', fields: [['Reason', 'SIP;cause=200']] },
    { ...of, type: 'taken' },
    { ...of, type: 'session.lost' },
    { ...of, type: 'session.lost', at: at + 100_000_000 },
    { ...of, type: 'timer.expired', name: 'expiry' },
    { ...of, type: 'timer.expired', name: 'expiry', at: at + 100_000_000 },
    { ...of, type: 'timer.expired', name: 'grace' },
    { ...of, type: 'timer.expired', name: 'grace', at: at + 30_000 },
    ...sessions.flatMap((session): VirtualUaEvent[] => [
      { ...of, type: 'invite', session, media },
      { ...of, type: 'invite', session, media: wide },
      { ...of, type: 'invite', at: at + 100_000_000, session, media },
      { ...of, type: 'invite', session, media: noneAccepted },
      { ...of, type: 'invite', session, media: wide, carried: true },
      { ...of, type: 'invite', session, media, sender: 'sip:other@example.org' },
      { ...of, type: 'introduce', session },
      { ...of, type: 'bye', session },
      { ...of, type: 'msrp.sent', session, status: 200 },
      { type: 'msrp.sent', at, limits: quick, session, status: 200 },
      { ...of, type: 'msrp.sent', session, status: 415 },
      { ...of, type: 'msrp.sent', session, status: 408 },
      { ...of, type: 'msrp.reported', session, status: 200 },
      { ...of, type: 'msrp.reported', session, status: 413 },
      { ...of, type: 'undelivered', to: session },
    ]),
  ];
}
