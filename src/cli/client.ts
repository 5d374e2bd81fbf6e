/** `poste-restante client`: the IM client on the command line. */

import { Command } from 'commander';

/** The command `client` with its subcommands. */
export function clientCommand(): Command {
  return new Command('client').description('act as an IM client');
}
