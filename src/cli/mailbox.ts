/** The command `poste-restante mailbox`: what is stored for a user (U15, U25). */

import { Argument, Command } from 'commander';
import { accountPath, ask, OperatorError, printLine, withConnection } from './admin-connection.js';
import type { ConnectionOptions, Print } from './admin-connection.js';
import { exportCommand, importCommand } from './mailbox-transfer.js';

/** Results are printed as JSON, one value in a line. */
export function mailboxCommand(print: Print = printLine): Command {
  return new Command('mailbox')
    .description('mailboxes of a running server: list, drop, push, pause, move')
    .addCommand(listCommand(print))
    .addCommand(removeCommand(print))
    .addCommand(flushCommand(print))
    .addCommand(settingsCommand(print))
    .addCommand(pauseCommand(print, 'pause', 'stops delivery: nothing is pushed or passed on'))
    .addCommand(pauseCommand(print, 'resume', 'resumes delivery, and pushes what waits'))
    .addCommand(requeueCommand(print))
    .addCommand(exportCommand(print))
    .addCommand(importCommand(print));
}

function pauseCommand(print: Print, word: 'pause' | 'resume', description: string): Command {
  return withConnection(new Command(word).argument('<aor>'))
    .description(description)
    .action(async (aor: string, options: ConnectionOptions) => {
      print(await ask(options, 'POST', accountPath(aor, `/${word}`)));
    });
}

function requeueCommand(print: Print): Command {
  return withConnection(new Command('requeue').argument('<aor>').argument('<id>', 'Message-ID'))
    .description('makes a message that was delivered and kept a new one, to be pushed again')
    .action(async (aor: string, id: string, options: ConnectionOptions) => {
      const path = accountPath(aor, `/messages/${encodeURIComponent(id)}/requeue`);
      print(await ask(options, 'POST', path));
    });
}

function listCommand(print: Print): Command {
  return withConnection(new Command('ls').argument('<aor>'))
    .description('metadata of the stored messages, oldest first')
    .option('--count', 'count, octets and age alone')
    .action(async (aor: string, options: ConnectionOptions & { readonly count?: boolean }) => {
      if (options.count === true) {
        const { messages, unread, octets, oldestAt } = await ask(options, 'GET', accountPath(aor));
        print({ messages, unread, octets, oldestAt });
        return;
      }
      let after: string | undefined;
      do {
        const query = after === undefined ? '' : `&after=${after}`;
        const path = accountPath(aor, `/messages?limit=1000${query}`);
        const page = await ask(options, 'GET', path);
        for (const one of page['messages'] as readonly unknown[]) print(one);
        after = page['next'] as string | undefined;
      } while (after !== undefined);
    });
}

/** Named at a time in one request. */
const idsAtOnce = 1_000;

function removeCommand(print: Print): Command {
  return withConnection(new Command('rm').argument('<aor>').argument('[ids...]', 'Message-IDs'))
    .description('deletes messages for good, with the reports owed')
    .option('--all', 'every message')
    .action(
      async (
        aor: string,
        ids: readonly string[],
        options: ConnectionOptions & { readonly all?: boolean },
      ) => {
        if (ids.length > 0 === (options.all === true)) {
          throw new OperatorError('OPERATOR_USAGE', 'name messages, or say --all', 2);
        }
        if (options.all === true) {
          print(await ask(options, 'DELETE', accountPath(aor, '/messages?all=true')));
          return;
        }
        let deleted = 0;
        for (let from = 0; from < ids.length; from += idsAtOnce) {
          const path = accountPath(aor, '/messages/delete');
          const some = { ids: ids.slice(from, from + idsAtOnce) };
          deleted += Number((await ask(options, 'POST', path, some))['deleted']);
        }
        print({ deleted });
      },
    );
}

function flushCommand(print: Print): Command {
  return withConnection(new Command('flush').argument('<aor>'))
    .description('pushes at once what waits, also what the client has not taken before')
    .action(async (aor: string, options: ConnectionOptions) => {
      print(await ask(options, 'POST', accountPath(aor, '/push')));
    });
}

function settingsCommand(print: Print): Command {
  const push = new Argument('[offline-delivery]', 'whether messages are pushed');
  return withConnection(new Command('settings').argument('<aor>'))
    .addArgument(push.choices(['on', 'off', 'default']))
    .description('shows or provisions the settings of the user')
    .action(async (aor: string, value: string | undefined, options: ConnectionOptions) => {
      const path = accountPath(aor, '/settings');
      const offlineDelivery = value === 'default' ? null : value === 'on';
      const asked =
        value === undefined
          ? ask(options, 'GET', path)
          : ask(options, 'PUT', path, { offlineDelivery });
      print(await asked);
    });
}
