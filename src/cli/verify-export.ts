/** `poste-restante verify export`: the machines in forms that other tools read. */

import { Command, Option } from 'commander';
import { machineNamed, machineNames } from '../verify/catalogue.js';
import { exportFormats, exportMachine, type ExportFormat } from '../verify/export.js';
import { toPromela } from '../verify/export-promela.js';
import { scenarios } from '../verify/promela-scenarios.js';

interface ExportOptions {
  readonly format: ExportFormat | 'promela';
  readonly scenario: string;
  readonly machine?: string;
}

export function verifyExportCommand(
  write = (text: string): unknown => process.stdout.write(text),
): Command {
  return new Command('export')
    .description('write a machine, or all of them, to standard output')
    .addOption(
      new Option('-f, --format <format>', 'form')
        .choices(['promela', ...exportFormats])
        .makeOptionMandatory(),
    )
    .addOption(new Option('-m, --machine <name>', 'one machine').choices(machineNames))
    .addOption(
      new Option('-s, --scenario <name>', 'what the world of the Promela model does')
        .choices(scenarios.map(({ name }) => name))
        .default('push'),
    )
    .action(({ format, machine, scenario }: ExportOptions) => {
      if (format === 'promela') {
        const { text, inexact } = toPromela({
          scenario: scenarios.find(({ name }) => name === scenario)!,
        });
        for (const what of inexact) process.stderr.write(`left to chance: ${what}\n`);
        write(text);
        return;
      }
      const names = machine === undefined ? machineNames : [machine];
      const machines = names.map(machineNamed);
      if (format === 'json' && machine === undefined) {
        write(`${JSON.stringify(machines, undefined, 2)}\n`);
        return;
      }
      for (const described of machines) write(exportMachine(described, format));
    });
}
