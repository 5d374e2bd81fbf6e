/** The commands of `poste-restante`: only those are loaded that may be meant. */

import type { Command } from 'commander';

interface Loadable {
  readonly name: string;
  load(): Promise<Command>;
}

/** What runs when no command is named. */
const unnamed = 'serve';

const commands: readonly Loadable[] = [
  { name: unnamed, load: async () => (await import('./serve.js')).serveCommand() },
  { name: 'client', load: async () => (await import('./client.js')).clientCommand() },
  { name: 'account', load: async () => (await import('./account.js')).accountCommand() },
  { name: 'mailbox', load: async () => (await import('./mailbox.js')).mailboxCommand() },
  { name: 'config', load: async () => (await import('./config.js')).configCommand() },
  { name: 'doctor', load: async () => (await import('./doctor.js')).doctorCommand() },
  { name: 'store', load: async () => (await import('./store.js')).storeCommand() },
  { name: 'verify', load: async () => (await import('./verify.js')).verifyCommand() },
  { name: 'why', load: async () => (await import('./why.js')).whyCommand() },
  { name: 'ladder', load: async () => (await import('./why.js')).ladderCommand() },
  { name: 'demo', load: async () => (await import('./demo.js')).demoCommand() },
];

/**
 * Adds what these arguments may mean: one command, or all of them where a list of them is to be
 * shown. A server that starts again after a crash is waited for: it loads nothing it does not need.
 */
export async function addCommands(program: Command, args: readonly string[]): Promise<void> {
  for (const { name, load } of meant(args)) {
    program.addCommand(await load(), { isDefault: name === unnamed });
  }
}

/** The first argument names a command, or all of them are options of `serve`. */
function meant(args: readonly string[]): readonly Loadable[] {
  const [first = '-'] = args;
  const asksForHelp = first.startsWith('-') && args.some((one) => one === '-h' || one === '--help');
  const named = first.startsWith('-') ? unnamed : first;
  const found = asksForHelp ? undefined : commands.find(({ name }) => name === named);
  return found ? [found] : commands;
}
