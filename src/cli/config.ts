/** The command `poste-restante config`: what settings there are, and whether a file has them right. */

import { Command } from 'commander';
import { readSettings, settingsOf, settingsSchema } from '../config.js';
import { printLine } from './admin-connection.js';
import type { Print } from './admin-connection.js';

export function configCommand(print: Print = printLine): Command {
  const schema = new Command('schema')
    .description('the JSON Schema of the settings, for editors')
    .action(() => print(settingsSchema()));
  const check = new Command('check')
    .description('whether a file of settings can be used; opens nothing')
    .argument('<file>')
    .action((file: string) => {
      settingsOf(readSettings(file));
      print({ file, valid: true });
    });
  return new Command('config')
    .description('settings: schema, check')
    .addCommand(schema)
    .addCommand(check);
}
