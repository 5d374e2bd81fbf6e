/** Machines that were broken on purpose, given to the same export: Spin finds what is wrong. */

import { createMachine, type AnyStateMachine } from 'xstate';
import { describe, expect, test } from 'vitest';
import { mailbox, virtualUa, type Definition } from '../../src/machines/index.js';
import { unborn } from '../../src/machines/step.js';
import { scenarios, toPromela } from '../../src/verify/index.js';
import { hasSpin, verifierOf } from './spin.js';

/** The machine of a definition with another configuration or other guards. */
function broken(definition: Definition, machine: AnyStateMachine): Definition {
  return { ...definition, machine, unborn: unborn(machine) };
}

interface State {
  readonly on: Record<string, { readonly actions?: unknown }[]>;
}

/** Acknowledges without a word to the virtual UA that is to store the message. */
function forgetfulMailbox(): Definition {
  const { config, implementations } = mailbox.machine;
  const copy = { ...config, states: { ...(config.states as Record<string, State>) } };
  const offline = copy.states['offline']!;
  const received = offline.on['message.received']!.map((way) => {
    const actions = way.actions as readonly unknown[] | undefined;
    if (!Array.isArray(actions) || !actions.includes('countMessage')) return way;
    const at = actions.indexOf('countMessage') + 1;
    return { ...way, actions: actions.filter((_action, i) => i !== at) };
  });
  copy.states['offline'] = { ...offline, on: { ...offline.on, 'message.received': received } };
  return broken(mailbox, createMachine(copy as never, implementations as never));
}

/** Gives out to a push what a retrieval has delivered meanwhile: so it was once. */
function generousVirtualUa(): Definition {
  const machine = virtualUa.machine.provide({
    guards: { isPushedInVain: () => false },
  } as never) as AnyStateMachine;
  return broken(virtualUa, machine);
}

const cases = [
  {
    what: 'a mailbox that acknowledges what nobody stores',
    scenario: 'push',
    replaced: () => ({ mailbox: forgetfulMailbox() }),
    found: /assertion violated .*content/,
  },
  {
    what: 'a virtual UA that pushes what was retrieved',
    scenario: 'retrieval',
    replaced: () => ({ ua: generousVirtualUa() }),
    found: /assertion violated .*logged/,
  },
];

describe.skipIf(!hasSpin)('broken machines', () => {
  test.each(cases)('$what', ({ scenario, replaced, found }) => {
    const { text } = toPromela({
      scenario: scenarios.find(({ name }) => name === scenario)!,
      replaced: replaced(),
    });
    const verifier = verifierOf(text);
    try {
      const verdict = verifier.search();
      expect(verdict.errors).toBe(1);
      expect(verdict.found).toMatch(found);
    } finally {
      verifier[Symbol.dispose]();
    }
  });
});
