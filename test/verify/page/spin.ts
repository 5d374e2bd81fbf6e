/** What Spin says of the production machines. */

import { formulas, scenarios, toPromela } from '../../../src/verify/index.js';
import { hasSpin, verifierOf } from '../spin.js';
import { table, type Section } from './section.js';

export const spinSection: Section = {
  title: 'Spin',
  write: () => {
    if (!hasSpin) throw new Error('this section needs spin and gcc');
    const rows = scenarios.flatMap((scenario) => {
      const { text, inexact } = toPromela({ scenario });
      const verifier = verifierOf(text);
      try {
        return [undefined, ...Object.keys(formulas)].map((formula) => {
          const { states, errors, found } = verifier.search(formula);
          const verdict = errors === 0 ? 'holds' : `fails: ${found ?? 'a cycle'}`;
          const what = formula === undefined ? 'assertions, deadlock' : `\`${formula}\``;
          return [scenario.name, what, String(states), verdict, String(inexact.length)];
        });
      } finally {
        verifier[Symbol.dispose]();
      }
    });
    const named = Object.entries(formulas).map(
      ([name, formula]) => `- \`${name}\`: \`${formula}\``,
    );
    return `\`poste-restante verify export --format promela --scenario <name>\` makes a model of mailbox,
virtual UAs, push and focus with sender, user, client, time and power around them; Spin searches it to
the end, formulas under weak fairness. A guard that the bounded variables cannot decide is left to
chance and counted as inexact. The model has one push and one retrieval at a time, pager messages,
and sessions for all senders. \`test/verify/spin-broken.test.ts\` breaks machines on purpose: Spin finds it.

${table(['scenario', 'what', 'states', 'verdict', 'inexact'], rows)}

Assertions: the 202 leaves behind the commit of its message; a message goes because it was delivered,
has expired or was deleted; nothing is pushed after its delivery was logged; no session waits on
nobody; counts equal the store; stored while registered leads to a push. Formulas:

${named.join('\n')}`;
  },
};
