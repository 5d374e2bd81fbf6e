#!/usr/bin/env node
/** The command `poste-restante`. */

import { Command } from 'commander';
import { accountCommand } from './cli/account.js';
import { OperatorError } from './cli/admin-connection.js';
import { clientCommand } from './cli/client.js';
import { configCommand } from './cli/config.js';
import { demoCommand } from './cli/demo.js';
import { doctorCommand } from './cli/doctor.js';
import { mailboxCommand } from './cli/mailbox.js';
import { describeError, serveCommand } from './cli/serve.js';
import { storeCommand } from './cli/store.js';
import { verifyCommand } from './cli/verify.js';
import { ladderCommand, whyCommand } from './cli/why.js';
import { version } from './version.js';

const program = new Command('poste-restante')
  .description('Deferred messaging for IMS: keep a message for an offline user and deliver it.')
  .version(version)
  .addCommand(serveCommand(), { isDefault: true })
  .addCommand(clientCommand())
  .addCommand(accountCommand())
  .addCommand(mailboxCommand())
  .addCommand(configCommand())
  .addCommand(doctorCommand())
  .addCommand(storeCommand())
  .addCommand(verifyCommand())
  .addCommand(whyCommand())
  .addCommand(ladderCommand())
  .addCommand(demoCommand());

process.on('uncaughtException', (error) => {
  process.stderr.write(`${error.stack ?? String(error)}\n`);
  process.exit(70);
});

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`poste-restante: ${describeError(error)}\n`);
  process.exitCode = error instanceof OperatorError ? error.exitCode : 1;
}
