/** `poste-restante demo`: Alice, Bob and a server on this machine, shown as a ladder. */

import { Command } from 'commander';

/** The command `demo`. */
export function demoCommand(): Command {
  return new Command('demo').description('show deferred messaging on this machine');
}
