/** The machines whose mutants are judged, each with what judges it. */

import type { Definition } from '../../src/machines/step.js';
import { models } from '../machines/models.js';
import type { Kind } from '../machines/sip/model.js';
import { examplesFor, explorations, flows, testsOf, type Killer } from './killers.js';
import { scenariosOf } from './scenarios.js';
import { transactionKillers } from './transactions.js';

export interface Judged {
  readonly name: string;
  readonly definition: Definition;
  /** In the order in which they are asked. */
  readonly killers: readonly Killer[];
}

const testsOfMachine: Readonly<Record<string, readonly string[]>> = {
  mailbox: ['mailbox', 'mailbox-operation'],
  'virtual-ua': ['virtual-ua'],
  push: ['push', 'push-sender'],
  focus: ['focus'],
  subscription: ['subscription'],
};

const ofActors = ['actors/forward.test.ts', 'actors/recordings.test.ts'];

const kindsOfTransactions: Readonly<Record<string, Kind>> = {
  'sip-invite-server': 'inviteServer',
  'sip-server': 'server',
  'sip-invite-client': 'inviteClient',
  'sip-client': 'client',
};

/** All machines, or the one of that name. */
export async function judgedMachines(only: string | undefined): Promise<Judged[]> {
  const late = [...flows(), ...explorations, ...(await testsOf(ofActors))];
  const scenarios = await scenariosOf();
  const judged: Judged[] = [];
  for (const [name, [model]] of models) {
    if (only !== undefined && only !== name) continue;
    const { definition } = model!;
    const kind = kindsOfTransactions[name];
    const transcripts = scenarios.get(name.replace('client-', ''));
    if (kind !== undefined) judged.push({ name, definition, killers: transactionKillers(kind) });
    else if (name.startsWith('client-')) judged.push({ name, definition, killers: transcripts! });
    else {
      const files = (testsOfMachine[name] ?? []).map((unit) => `machines/${unit}.test.ts`);
      const killers = [...(await testsOf(files)), ...examplesFor(name), ...late];
      judged.push({ name, definition, killers });
    }
  }
  return judged;
}
