/** The machines of the product in forms that others read. */

import type { MachineDescription } from '../machines/index.js';
import { toDot } from './export-dot.js';
import { toMermaid } from './export-mermaid.js';
import { toScxml } from './export-scxml.js';

export const exportFormats = ['scxml', 'mermaid', 'dot', 'json'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** One machine as text. */
export function exportMachine(machine: MachineDescription, format: ExportFormat): string {
  switch (format) {
    case 'scxml':
      return toScxml(machine);
    case 'mermaid':
      return toMermaid(machine);
    case 'dot':
      return toDot(machine);
    case 'json':
      return `${JSON.stringify(machine, undefined, 2)}\n`;
    default:
      return format satisfies never;
  }
}
