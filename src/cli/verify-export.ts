/** `poste-restante verify export`: the machines in forms that other tools read. */

import { Command, Option } from 'commander';
import { machineNamed, machineNames } from '../verify/catalogue.js';
import { exportFormats, exportMachine, type ExportFormat } from '../verify/export.js';

interface ExportOptions {
  readonly format: ExportFormat;
  readonly machine?: string;
}

export function verifyExportCommand(
  write = (text: string): unknown => process.stdout.write(text),
): Command {
  return new Command('export')
    .description('write a machine, or all of them, to standard output')
    .addOption(
      new Option('-f, --format <format>', 'form').choices(exportFormats).makeOptionMandatory(),
    )
    .addOption(new Option('-m, --machine <name>', 'one machine').choices(machineNames))
    .action(({ format, machine }: ExportOptions) => {
      const names = machine === undefined ? machineNames : [machine];
      const machines = names.map(machineNamed);
      if (format === 'json' && machine === undefined) {
        write(`${JSON.stringify(machines, undefined, 2)}\n`);
        return;
      }
      for (const described of machines) write(exportMachine(described, format));
    });
}
