#!/usr/bin/env node
/** The command `poste-restante`. */

import { Command } from 'commander';
import { clientCommand } from './cli/client.js';
import { demoCommand } from './cli/demo.js';
import { describeError, serveCommand } from './cli/serve.js';
import { storeCommand } from './cli/store.js';
import { version } from './version.js';

const program = new Command('poste-restante')
  .description('Deferred messaging for IMS: keep a message for an offline user and deliver it.')
  .version(version)
  .addCommand(serveCommand(), { isDefault: true })
  .addCommand(clientCommand())
  .addCommand(storeCommand())
  .addCommand(demoCommand());

process.on('uncaughtException', (error) => {
  process.stderr.write(`${error.stack ?? String(error)}\n`);
  process.exit(70);
});

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`poste-restante: ${describeError(error)}\n`);
  process.exitCode = 1;
}
