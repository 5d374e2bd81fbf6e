/** The command `poste-restante verify`: a sub-command in a file of its own for each tool. */

import { Command } from 'commander';
import { verifyCheckCommand } from './verify-check.js';
import { verifyExploreCommand } from './verify-explore.js';
import { verifyExportCommand } from './verify-export.js';
import { verifyRunCommand } from './verify-run.js';
import { verifySimCommand } from './verify-sim.js';

export function verifyCommand(): Command {
  return new Command('verify')
    .description('verify signalling flows, and the machines that decide them')
    .addCommand(verifyCheckCommand())
    .addCommand(verifyExploreCommand())
    .addCommand(verifyExportCommand())
    .addCommand(verifyRunCommand())
    .addCommand(verifySimCommand());
}
