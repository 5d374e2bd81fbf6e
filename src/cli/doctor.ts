/** The command `poste-restante doctor`: why a server would not start, before it is started (U27). */

import { Command } from 'commander';
import { readSettings, settingsOf } from '../config.js';
import type { Settings } from '../config.js';
import { addressChecks, clockChecks, storeChecks, tlsChecks, xdmsChecks } from './doctor-checks.js';
import type { Check } from './doctor-checks.js';
import { describeError } from './described-error.js';

export interface Finding {
  readonly check: string;
  readonly ok: boolean;
  /** What was found; of a failure the code and the statement that failed. */
  readonly found: string;
}

/** Goes through everything, whatever has failed before. */
export async function examine(file: string | undefined): Promise<readonly Finding[]> {
  let settings: Settings;
  try {
    settings = settingsOf(file === undefined ? {} : readSettings(file));
  } catch (error) {
    return [{ check: 'settings', ok: false, found: describeError(error) }];
  }
  const findings: Finding[] = [{ check: 'settings', ok: true, found: file ?? 'defaults' }];
  const checks: readonly Check[] = [
    ...tlsChecks(settings),
    ...addressChecks(settings),
    ...(await storeChecks(settings)),
    ...xdmsChecks(settings),
    ...clockChecks(settings),
  ];
  for (const { name, run } of checks) {
    try {
      findings.push({ check: name, ok: true, found: await run() });
    } catch (error) {
      findings.push({ check: name, ok: false, found: describeError(error) });
    }
  }
  return findings;
}

export function doctorCommand(
  write = (text: string): unknown => process.stdout.write(text),
): Command {
  return new Command('doctor')
    .description('checks settings, certificates, addresses, store, XDMS and clock; serves nobody')
    .option('-c, --config <file>', 'configuration (YAML)')
    .option('--json', 'one JSON value in a line')
    .action(async (options: { readonly config?: string; readonly json?: boolean }) => {
      const findings = await examine(options.config);
      for (const finding of findings) {
        const { check, ok, found } = finding;
        const line = `${ok ? 'ok  ' : 'FAIL'}  ${check}: ${found}`;
        write(`${options.json === true ? JSON.stringify(finding) : line}\n`);
      }
      process.exitCode = findings.every(({ ok }) => ok) ? 0 : 1;
    });
}
