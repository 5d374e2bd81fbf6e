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
    return `Every transition of every machine is taken on paths that two generators find alike,
\`xstate/graph\` over the tables of the product and \`@xstate/test\` over XState itself, with a save and
a restore by the codec of the store between any two events (\`test/machines/every-machine.test.ts\`
fails when one is not). Paths of whole accounts run on the store in memory and in LevelDB, with
restarts (\`test/machines/account\`). All of them come back from SCXML and JSON as
they were (\`test/verify/machines.test.ts\`), and the SCXML compiler of Qt, which is not ours, takes each
with its states and guards (\`test/verify/scxml-compiler.test.ts\`).

${table(['machine', 'states', 'transitions'], rows)}`;
  },
};
