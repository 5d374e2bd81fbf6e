/** A machine as a state diagram of Mermaid, and as a page with its diagram and its transitions. */

import {
  statesOf,
  type ActionDescription,
  type MachineDescription,
  type StateDescription,
  type TransitionDescription,
} from '../machines/index.js';
import { arrowsOf } from './export-arrows.js';

/** Ways that stay where they are have no arrow; `toPage` lists them. */
export function toMermaid(machine: MachineDescription): string {
  const lines = ['stateDiagram-v2', `  [*] --> ${idOf(machine.initial)}`];
  for (const state of machine.states) lines.push(...stateLines(state, '  '));
  for (const { from, to, labels } of arrowsOf(machine)) {
    lines.push(`  ${idOf(from)} --> ${idOf(to)}: ${labels.join('<br/>')}`);
  }
  return `${lines.join('\n')}\n`;
}

/** A page of `docs/machines`. */
export function toPage(machine: MachineDescription): string {
  return `# ${machine.name}

Generated from the machine by \`npm run machines\`; do not edit. The diagram shows where the machine
goes, the table everything that it does. Of several transitions for one event the first whose guard
holds is taken; what stands in \`*\` is asked last, in every state.

\`\`\`mermaid
${toMermaid(machine)}\`\`\`

${table(['state', 'event', 'guard', 'what is done', 'goes to'], rowsOf(machine))}
`;
}

/** The contents of `docs/machines`: a line for each machine. */
export function toIndex(machines: readonly MachineDescription[]): string {
  const rows = machines.map((machine) => {
    const { states, transitions } = countsOf(machine);
    return [`[${machine.name}](${machine.name}.md)`, String(states), String(transitions)];
  });
  return `# Machines

Generated from \`src/machines\` by \`npm run machines\`; do not edit. Other forms:
\`poste-restante verify export --format scxml|mermaid|dot|json --machine <name>\`.

${table(['machine', 'states', 'transitions'], rows)}
`;
}

/** States that hold no others, and transitions as they are declared. */
export function countsOf(machine: MachineDescription): { states: number; transitions: number } {
  const states = statesOf(machine);
  return {
    states: states.filter(({ type }) => type !== 'compound').length,
    transitions: states.reduce(
      (sum, state) => sum + state.transitions.length,
      machine.transitions.length,
    ),
  };
}

function stateLines(state: StateDescription, indent: string): string[] {
  const id = idOf(state.path);
  const name = state.path.split('.').at(-1) ?? state.path;
  const lines = id === name ? [] : [`${indent}state "${name}" as ${id}`];
  if (state.type === 'final') return [...lines, `${indent}${id} --> [*]`];
  if (state.initial === undefined) return id === name ? [`${indent}${id}`] : lines;
  return [
    ...lines,
    `${indent}state ${id} {`,
    `${indent}  [*] --> ${idOf(state.initial)}`,
    ...state.states.flatMap((inner) => stateLines(inner, `${indent}  `)),
    `${indent}}`,
  ];
}

function idOf(path: string): string {
  return path.replaceAll('.', '_');
}

function rowsOf(machine: MachineDescription): string[][] {
  const rows = statesOf(machine).flatMap((state) => [
    ...actionRows(state.path, 'entry', state.entry),
    ...transitionRows(state.path, state.transitions),
    ...actionRows(state.path, 'exit', state.exit),
  ]);
  return [...rows, ...transitionRows('\\*', machine.transitions)];
}

function actionRows(
  path: string,
  when: 'entry' | 'exit',
  actions: readonly ActionDescription[],
): string[][] {
  return actions.length === 0 ? [] : [[path, `_${when}_`, '', namesOf(actions), '']];
}

function transitionRows(path: string, transitions: readonly TransitionDescription[]): string[][] {
  return transitions.map(({ event, guard, actions, target }) => [
    path,
    event === undefined ? '_always_' : code(event),
    guard === undefined ? '' : code(guard),
    namesOf(actions),
    target ?? '',
  ]);
}

/** Effects are set apart from changes of the context. */
function namesOf(actions: readonly ActionDescription[]): string {
  return actions.map(({ kind, name }) => (kind === 'effect' ? code(name) : name)).join(', ');
}

function code(text: string): string {
  return `\`${text}\``;
}

/** As the formatter of the project writes it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, column) =>
    Math.max(3, name.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = line(widths.map((width) => '-'.repeat(width)));
  return [line(head), rule, ...rows.map(line)].join('\n');
}
