/** Simulated days down to the octets, of a run that takes too long to be repeated for the page. */

import { readFileSync } from 'node:fs';
import { table, type Section } from './section.js';

/** As `poste-restante verify sim --wire --json` prints it. */
interface Run {
  readonly seed: number;
  readonly hours: number;
  readonly users: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly memoryMiB: number;
  readonly digest: string;
  readonly failure?: { readonly text: string };
}

interface Days {
  readonly date: string;
  readonly runs: readonly Run[];
}

export const daysSection: Section = {
  title: 'Days down to the octets',
  write: () => {
    const file = new URL('../days/days.json', import.meta.url);
    const { date, runs } = JSON.parse(readFileSync(file, 'utf8')) as Days;
    const names = Object.keys(runs[0]!.counts);
    const broken = runs.flatMap(({ seed, failure }) =>
      failure ? [`${seed}: ${failure.text}`] : [],
    );
    const verdict = broken.length > 0 ? `violated: ${broken.join('; ')}` : 'every property held';
    const row = (what: string, of: (run: Run) => string): string[] => [what, ...runs.map(of)];
    const rows = [
      row('simulated hours', ({ hours }) => String(hours)),
      row('users', ({ users }) => String(users)),
      ...names.map((name) => row(name, ({ counts }) => String(counts[name] ?? 0))),
      row('s of a core', ({ cpuSeconds }) => cpuSeconds.toFixed(0)),
      row('MiB at most', ({ memoryMiB }) => memoryMiB.toFixed(0)),
      row('digest begins with', ({ digest }) => `\`${digest.slice(0, 16)}\``),
    ];
    return `The record of runs of ${date}, for each takes long (\`npm run days\`, a process for each
seed: \`poste-restante verify sim --wire --seed <n> --hours <n> --users <n>\`): ${verdict}.

${table(['what', ...runs.map(({ seed }) => `seed ${seed}`)], rows)}`;
  },
};
