/** The published tools that verify: machines in other forms, explorer, simulator, traces. */

export { machineNamed, machineNames } from './catalogue.js';
export { exportFormats, exportMachine, type ExportFormat } from './export.js';
export { toMermaid, toPage, toIndex, countsOf } from './export-mermaid.js';
export { fromScxml, toScxml } from './export-scxml.js';
export { toDot } from './export-dot.js';
export { VerifyError } from './verify-error.js';
