/** A defect for every property of the explorer, planted in a copy of a production machine. */

import type { Address } from '../../src/machines/events.js';
import {
  definitionOf as productDefinitionOf,
  focus,
  mailbox,
  push,
  subscription,
  virtualUa,
  type Definition,
} from '../../src/machines/index.js';
import type { Bounds } from '../../src/verify/index.js';
import { altered, dropAction, nameOf, type StateConfig } from '../mutation/altered.js';

export interface Planted {
  /** The property that is expected to break. */
  readonly property: string;
  readonly defect: string;
  readonly definitionOf: (address: Address) => Definition;
  readonly bounds: Partial<Bounds>;
}

export function plant(
  [property, defect]: readonly [string, string],
  definition: Definition,
  bounds: Partial<Bounds>,
  alter: (states: Record<string, StateConfig>, machine: StateConfig) => void,
): Planted {
  const broken = altered(definition, (config) => alter(config.states!, config));
  return {
    ...{ property, defect, bounds },
    definitionOf: (address) => {
      const found = productDefinitionOf(address);
      return found === definition ? broken : found;
    },
  };
}

/** What a virtual UA does when its message comes. */
function storing(states: Record<string, StateConfig>): unknown[] {
  return states['absent']!.on!['store']!.at(-1)!.actions as unknown[];
}

/** A message, and a registration behind it. */
const pushed = { messages: 1, registrations: 1 };

export const planted: readonly Planted[] = [
  plant(['durable', 'a message is stored without its content'], virtualUa, pushed, (states) =>
    dropAction(storing(states), 'message.put'),
  ),
  plant(['twice', 'a delivery is not marked'], virtualUa, pushed, (states) => {
    const [delivered] = states['leased']!.on!['msrp.reported']!;
    dropAction(delivered!.actions, 'markDelivered');
    (delivered!.actions as unknown[]).push('endLease');
  }),
  plant(
    ['end', 'a message goes whenever a session lets go of it'],
    virtualUa,
    { ...pushed, faults: 1 },
    (states) => delete states['settling']!.always![1]!.guard,
  ),
  plant(['report', 'nobody hears of an expiry'], virtualUa, { messages: 1 }, (states) =>
    dropAction(states['stored']!.on!['timer.expired']![0]!.actions, 'report.send'),
  ),
  plant(['report', 'a message that was delivered is reported'], virtualUa, pushed, (states) => {
    const erase = states['settling']!.always![1]!.actions as unknown[];
    erase.push(storing(states).at(-1));
  }),
  plant(['stops', 'a message is lent without an end'], virtualUa, pushed, (states) => {
    states['stored']!.always = [{ target: 'leased' }];
    states['leased']!.always = [{ target: 'stored' }];
  }),
  plant(['counts', 'a message that is gone is counted on'], mailbox, pushed, (_states, machine) =>
    dropAction(machine.on!['message.gone']![0]!.actions, 'discountMessage'),
  ),
  plant(['whole', 'a message has no timer'], virtualUa, { messages: 1 }, (states) =>
    dropAction(storing(states), 'timer.set'),
  ),
  plant(['waits', 'a push closes without a timer'], push, pushed, (states) =>
    dropAction(states['closing']!.entry, 'timer.set'),
  ),
  plant(
    ['believes', 'a retrieval ends without a word'],
    focus,
    { messages: 1, sessions: 1 },
    (states) => dropAction(states['ended']!.entry, 'tell'),
  ),
  plant(
    ['metadata', 'what the user deletes stays in the metadata'],
    virtualUa,
    { messages: 1, deletions: 1 },
    (states) => dropAction(states['stored']!.on!['delete']![0]!.actions, 'history.delete'),
  ),
  plant(
    ['ends', 'a message that a session holds when it expires is forgotten'],
    virtualUa,
    { messages: 1 },
    (states) => {
      states['stored']!.on!['timer.expired'] = [
        { actions: storing(states).filter((one) => nameOf(one) === 'timer.set') },
      ];
    },
  ),
  plant(['closes', 'a push waits for an answer to its BYE for ever'], push, pushed, (states) => {
    delete states['closing']!.on!['bye.answered'];
    states['closing']!.on!['timer.expired'] = [
      { actions: (states['closing']!.entry as unknown[]).slice(-1) },
    ];
  }),
  plant(
    ['pushes', 'what comes while the user is there waits for the next REGISTER'],
    mailbox,
    pushed,
    (states) => {
      const received = states['available']!.states!['idle']!.on!['message.received']!;
      delete received.at(-1)!.target;
    },
  ),
  plant(
    ['pushes', 'a push that failed is not tried again'],
    mailbox,
    { ...pushed, faults: 1 },
    (states) => {
      delete states['available']!.states!['backoff']!.on;
    },
  ),
  plant(
    ['tells', 'a subscription does not hear of changes'],
    subscription,
    { messages: 1, subscriptions: 1 },
    (states) => dropAction(states['active']!.on!['counts.changed']![0]!.actions, 'keepChange'),
  ),
];

/** After a restart the mailbox goes on with a push that went with the process. */
export const forgetful: Planted = {
  property: 'believes',
  defect: 'the mailbox does not hear that its sessions are lost',
  bounds: { ...pushed, crashes: 1 },
  definitionOf: (address) => {
    if (address !== 'mailbox') return productDefinitionOf(address);
    const deaf = altered(mailbox, ({ states, on }) => {
      delete on!['session.lost'];
      delete states!['available']!.states!['pushing']!.on!['session.lost'];
    });
    return {
      ...deaf,
      revive: (atRest) => {
        const revived = deaf.revive(atRest);
        return atRest.state === 'backoff'
          ? { ...revived, value: { available: 'pushing' } }
          : revived;
      },
    };
  },
};
