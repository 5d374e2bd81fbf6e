/** What tests of the client's machines import instead of `scenarios.ts` while mutants are judged. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { drive } from '../client/drive.js';
import type { describeMachines as declare, Scenarios } from '../client/scenarios.js';
import type { Killer } from './killers.js';

export { answered, expired, failed } from '../client/scenarios.js';

const folder = join(import.meta.dirname, '../client/transcripts');
const collected = new Map<string, Killer[]>();

/** Every scenario of a machine against its part of the transcript. */
export const describeMachines: typeof declare = (machines) => {
  for (const [name, definition, scenarios] of machines) {
    const written = readFileSync(join(folder, `${name}.txt`), 'utf8');
    collected.set(name, killersOf(definition as never, scenarios, written));
  }
};

function killersOf(definition: never, scenarios: Scenarios, written: string): Killer[] {
  return Object.entries(scenarios).map(([title, events]) => {
    const run = (): void => {
      const text = `# ${title}\n${drive(definition, events).transcript.join('\n')}\n`;
      // Behind each there is an empty line, so that one that ends too soon is not found either.
      if (!`${written}\n`.includes(`${text}\n`))
        throw new Error(`${title}: the transcript differs`);
    };
    return { name: title, kind: 'tests', run };
  });
}

/** The scenarios of the client by the name of their machine. */
export async function scenariosOf(): Promise<ReadonlyMap<string, readonly Killer[]>> {
  await import('../client/request-machines.test.js');
  await import('../client/session-machines.test.js');
  return collected;
}
