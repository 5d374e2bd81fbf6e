/** A machine as a picture of Graphviz. */

import type { MachineDescription, StateDescription } from '../machines/index.js';
import { arrowsOf, innermost } from './export-arrows.js';

/** Ways that stay where they are have no arrow; `docs/machines` lists them. */
export function toDot(machine: MachineDescription): string {
  const lines = [
    `digraph ${quoted(machine.name)} {`,
    '  compound=true; rankdir=TB; fontname="sans-serif";',
    '  node [shape=box, style=rounded, fontname="sans-serif"];',
    '  edge [fontname="sans-serif", fontsize=9];',
    '  "" [shape=point];',
    ...machine.states.flatMap((state) => stateLines(state, '  ')),
    `  "" -> ${quoted(innermost(machine, machine.initial))};`,
  ];
  for (const { from, to, labels } of arrowsOf(machine)) {
    const [tail, head] = [innermost(machine, from), innermost(machine, to)];
    const options = [
      `label=${quoted(labels.join('\n'))}`,
      ...(tail === from || inside(to, from) ? [] : [`ltail=${quoted(`cluster_${from}`)}`]),
      ...(head === to || inside(from, to) ? [] : [`lhead=${quoted(`cluster_${to}`)}`]),
    ];
    lines.push(`  ${quoted(tail)} -> ${quoted(head)} [${options.join(', ')}];`);
  }
  return `${[...lines, '}'].join('\n')}\n`;
}

function stateLines(state: StateDescription, indent: string): string[] {
  const name = state.path.split('.').at(-1) ?? state.path;
  if (state.type !== 'compound') {
    const border = state.type === 'final' ? ', peripheries=2' : '';
    return [`${indent}${quoted(state.path)} [label=${quoted(name)}${border}];`];
  }
  return [
    `${indent}subgraph ${quoted(`cluster_${state.path}`)} {`,
    `${indent}  label=${quoted(name)}; style=rounded;`,
    ...state.states.flatMap((inner) => stateLines(inner, `${indent}  `)),
    `${indent}}`,
  ];
}

/** Graphviz cuts no arrow at the border of what is around both its ends. */
function inside(path: string, around: string): boolean {
  return path === around || path.startsWith(`${around}.`);
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
