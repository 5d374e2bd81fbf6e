/** A defect for every property of the explorer that shows in what is passed on, recorded or imported. */

import { bridge, focus, forward, mailbox, recording, virtualUa } from '../../src/machines/index.js';
import type { StateConfig } from '../mutation/altered.js';
import { dropAction, nameOf } from '../mutation/altered.js';
import { plant, type Planted } from './planted.js';

/** A message for a user who is there, and who answers too late. */
const late = { messages: 1, registrations: 1, passages: 1, faults: 1 };
/** The same of a large message, with time to ask. */
const asked = { offers: 1, registrations: 1, passages: 1 };

function isImported(states: Record<string, StateConfig>): unknown[] {
  return states['absent']!.on!['store']![0]!.actions as unknown[];
}

export const plantedPassages: readonly Planted[] = [
  plant(
    ['durable', 'an import is answered and not kept'],
    mailbox,
    { imports: 1 },
    (_states, all) => dropAction(all.on!['message.imported']!.at(-1)!.actions, 'tell'),
  ),
  plant(['twice', 'a late answer of the client is not heard'], forward, late, (states) =>
    dropAction(states['late']!.on!['forward.answered']![0]!.actions, 'tell'),
  ),
  plant(
    ['end', 'a late refusal counts as taken'],
    forward,
    { ...late, faults: 2 },
    (states) => delete states['late']!.on!['forward.answered']![0]!.guard,
  ),
  plant(
    ['report', 'what the user has taken after all is reported undelivered'],
    virtualUa,
    late,
    (states) => dropAction(states['stored']!.on!['taken']![0]!.actions, 'markTaken'),
  ),
  plant(['stops', 'a session that closes opens again'], bridge, asked, (states) => {
    states['closing']!.always = [{ target: 'established' }];
    states['established']!.always = [{ target: 'closing' }];
  }),
  plant(['counts', 'a large message is not counted'], mailbox, { offers: 1 }, (states) =>
    dropAction(states['offline']!.on!['message.recorded']!.at(-1)!.actions, 'countMessage'),
  ),
  plant(['whole', 'an import has no timer'], virtualUa, { imports: 1 }, (states) =>
    dropAction(isImported(states), 'timer.set'),
  ),
  plant(['waits', 'a sender that never comes is waited for'], recording, { offers: 1 }, (states) =>
    dropAction(states['absent']!.on!['invitation.received']![0]!.actions, 'timer.set'),
  ),
  plant(['believes', 'a passage ends without a word'], forward, late, (states) =>
    dropAction(states['ended']!.entry, 'tell'),
  ),
  plant(['metadata', 'an import is not in the metadata'], virtualUa, { imports: 1 }, (states) =>
    dropAction(isImported(states), 'history.put'),
  ),
  plant(['ends', 'a large message is kept and not answered'], mailbox, { offers: 1 }, (states) => {
    for (const kept of states['offline']!.on!['message.recorded']!) {
      kept.actions = (kept.actions as unknown[]).filter((one) => nameOf(one) !== 'msrp.confirm');
    }
  }),
  plant(
    ['pushes', 'what comes from elsewhere waits for the next REGISTER'],
    mailbox,
    { imports: 1, registrations: 1 },
    (states) => {
      const imported = states['available']!.states!['idle']!.on!['message.imported']!;
      delete imported.at(-1)!.target;
    },
  ),
  plant(
    ['tells', 'nobody hears of what comes from elsewhere'],
    mailbox,
    { imports: 1, subscriptions: 1 },
    (_states, all) => dropAction(all.on!['message.imported']!.at(-1)!.actions, 'tell', 1),
  ),
  plant(
    ['believes', 'a conference is not told that it is over'],
    focus,
    { sessions: 1, watchers: 1 },
    (states) => dropAction(states['closing']!.entry, 'tell', 1),
  ),
  plant(['closes', 'the other leg of a session is not ended'], bridge, asked, (states) => {
    dropAction(states['established']!.on!['bye.received']![0]!.actions, 'sip.bye');
    delete states['closing']!.on!['timer.expired'];
  }),
  plant(['durable', 'a large message is answered and not kept'], mailbox, { offers: 1 }, (states) =>
    dropAction(states['offline']!.on!['message.recorded']!.at(-1)!.actions, 'tell'),
  ),
  plant(['counts', 'an import is not counted'], mailbox, { imports: 1 }, (_states, machine) =>
    dropAction(machine.on!['message.imported']!.at(-1)!.actions, 'countImported'),
  ),
];
