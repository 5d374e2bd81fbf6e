#!/usr/bin/env node
/** The command `poste-restante`. */

import { Command } from 'commander';
import { addCommands } from './cli/commands.js';
import { describeError } from './cli/described-error.js';
import { version } from './version.js';

const program = new Command('poste-restante')
  .description('Deferred messaging for IMS: keep a message for an offline user and deliver it.')
  .version(version);

process.on('uncaughtException', (error) => {
  process.stderr.write(`${error.stack ?? String(error)}\n`);
  process.exit(70);
});

try {
  await addCommands(program, process.argv.slice(2));
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`poste-restante: ${describeError(error)}\n`);
  process.exitCode = exitCodeOf(error);
}

/** Commands of the operator say by theirs who has refused. */
function exitCodeOf(error: unknown): number {
  const { exitCode } = (error ?? {}) as { readonly exitCode?: unknown };
  return typeof exitCode === 'number' ? exitCode : 1;
}
