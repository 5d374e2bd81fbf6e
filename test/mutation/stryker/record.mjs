/** Keeps what Stryker has found for `docs/verification.md`: the last step of `npm run stryker`. */

import { readFileSync, writeFileSync } from 'node:fs';

const report = JSON.parse(readFileSync('coverage/stryker.json', 'utf8'));

const files = Object.entries(report.files).map(([file, { mutants }]) => {
  const having = (...statuses) => mutants.filter(({ status }) => statuses.includes(status));
  const survivors = having('Survived', 'NoCoverage').map(({ location, mutatorName, replacement }) =>
    [`${location.start.line}:${location.start.column}`, mutatorName, replacement].join(' '),
  );
  return { file, found: having('Killed', 'Timeout').length, survivors: survivors.sort() };
});

const score = new URL('score.json', import.meta.url);
writeFileSync(score, `${JSON.stringify(files, undefined, 2)}\n`);
