/** How large the machines are, and in which forms they are there. */

import { countsOf, machineNamed, machineNames } from '../../../src/verify/index.js';
import { table, type Section } from './section.js';

export const machinesSection: Section = {
  title: 'Machines',
  write: () => {
    const rows = machineNames.map((name) => {
      const { states, transitions } = countsOf(machineNamed(name));
      return [`[${name}](machines/${name}.md)`, String(states), String(transitions)];
    });
    return `Every transition of the machines of the account is taken by a test
(\`test/machines/paths.test.ts\` fails when one is not). All of them come back from SCXML and JSON as
they were (\`test/verify/machines.test.ts\`), and the SCXML compiler of Qt, which is not ours, takes each
with its states and guards (\`test/verify/scxml-compiler.test.ts\`).

${table(['machine', 'states', 'transitions'], rows)}`;
  },
};
