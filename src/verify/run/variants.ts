/** Paths that vary what is said where the machines take the same transition: data, not states. */

import type { Path } from './play.js';
import { retrievalFaults } from './possible-steps.js';
import type { Step } from './step.js';

const submit: Step = { do: 'submit', message: 0, kind: 'plain' };
const another: Step = { do: 'submit', message: 1, kind: 'urgent' };
const take: Step = { do: 'take' };

/** Every one of them, however often a transition is taken in another path. */
export function variants(): readonly Path[] {
  return [...precedence(), ...availability(), ...selection(), ...delivery(), ...deletion()];
}

/** D-60: of every two things that are wrong the earlier check answers. */
function precedence(): Path[] {
  return retrievalFaults.map((fault, place) => {
    const pairs = retrievalFaults.slice(place + 1).map((other) => [fault, other]);
    const wrong = [[fault], ...pairs].filter((faults) => !isContradiction(faults));
    return [submit, ...wrong.map((faults): Step => ({ do: 'retrieve', faults }))];
  });
}

/** Nobody is both unknown and without an account. */
function isContradiction(faults: readonly string[]): boolean {
  return faults.includes('identity') && faults.includes('account');
}

/** IMSpec-DMT-S-003 and S-008: which client has registered, and what the settings say. */
function availability(): Path[] {
  const settings: readonly (readonly Step[])[] = [
    [],
    [{ do: 'publish', deliver: true }],
    [{ do: 'publish', deliver: false }],
    [
      { do: 'publish', deliver: false },
      { do: 'publish', deliver: true },
    ],
    [{ do: 'publish', deliver: false }, { do: 'unpublish' }],
  ];
  const clients = ['im', 'other', 'none'] as const;
  const table = settings.flatMap((said) =>
    clients.map((client): Path => [...said, submit, { do: 'register', client }]),
  );
  const late: Path = [
    submit,
    { do: 'register', client: 'other' },
    { do: 'register', client: 'none' },
    { do: 'register', client: 'im' },
  ];
  return [...table, late];
}

/** IMSpec-DMT-S-009: what is named comes, and nothing else. */
function selection(): Path[] {
  const named: Step[] = [{ do: 'subscribe' }, submit, another];
  const lists = [[0], [1], [0, 1], [1, 0], [0, 'unknown'], ['unknown', 1], [1, 1]] as const;
  return lists.map((list) => [...named, { do: 'retrieve', faults: [], list }]);
}

/** IMSpec-DMT-S-004, S-011 and S-012: roles, order, and a message that comes again. */
function delivery(): Path[] {
  const register: Step = { do: 'register', client: 'im' };
  const retrieve: Step = { do: 'retrieve', faults: [] };
  return [
    [submit, register, { do: 'accept', role: 'passive' }],
    [submit, another, register, { do: 'accept', role: 'passive' }],
    [submit, retrieve, { do: 'disconnect' }, retrieve, take],
    [submit, another, retrieve, take, { do: 'hang-up' }, retrieve, take, take],
    [submit, retrieve, take, register],
  ];
}

/** S1-DEL-USER: the report that is owed then, and that it is gone. */
function deletion(): Path[] {
  const begin: Step[] = [{ do: 'subscribe' }, { do: 'submit', message: 0, kind: 'reports' }];
  const gone: Step[] = [{ do: 'delete', entry: 0 }, another];
  return [[...begin, ...gone, { do: 'retrieve', faults: [] }]];
}
