/** What a shard answers about its accounts, by the names of the ports. */

import type { AccountId, OperatorPort, ProvisionedAccount, StorePort } from '../ports.js';
import type { Server } from '../server.js';
import type { LevelStore } from '../store/level.js';
import { StoreError } from '../store/store-error.js';
import { importAnswers } from './import-answers.js';

interface Running {
  readonly server: Pick<Server, 'accounts'>;
  readonly store: StorePort & Pick<LevelStore, 'backup'>;
}

/** Questions of the operator that go to the shard of an account as they are. */
export const accountQuestions = [
  ...(['exists', 'summary', 'histories', 'deleteMessages', 'configure'] as const),
  ...(['purge', 'remove', 'push', 'pause', 'requeue', 'records'] as const),
] as const;

type Act = (...parameters: readonly never[]) => unknown;

export function operatorAnswers(running: () => Running | undefined): Record<string, Act> {
  const answers: Record<string, Act> = Object.create(null) as Record<string, Act>;
  const operator = (): OperatorPort => present(running()).server.accounts;
  for (const name of [...accountQuestions, 'accounts'] as const) {
    answers[name] = (...parameters) => {
      const accounts = operator();
      const act = accounts[name].bind(accounts) as unknown as Act;
      return act(...parameters);
    };
  }
  answers['contentSize'] = async (account: AccountId, serial: number) =>
    (await operator().content(account, serial))?.size;
  answers['contentRead'] = async (
    account: AccountId,
    serial: number,
    range: { readonly offset: number; readonly length: number },
  ) => {
    const content = await operator().content(account, serial);
    if (!content) throw new StoreError('STORE_GONE', 'the message is gone');
    return content.read(range.offset, range.length);
  };
  let backup: AsyncGenerator<Buffer> | undefined;
  answers['backupBegin'] = () => {
    const { store } = present(running());
    backup = store.backup();
  };
  answers['backupNext'] = async () => {
    const next = await backup?.next();
    return next?.done === true ? undefined : next?.value;
  };
  answers['backupEnd'] = async () => {
    await backup?.return(undefined);
    backup = undefined;
  };
  Object.assign(answers, importAnswers(operator));
  answers['provision'] = (record: ProvisionedAccount) => provisioning(running()).put(record);
  answers['unprovision'] = (account: AccountId) => provisioning(running()).remove(account);
  return answers;
}

function present(running: Running | undefined): Running {
  if (running) return running;
  throw new StoreError('STORE_UNAVAILABLE', 'the shard is not open');
}

function provisioning(running: Running | undefined) {
  const { provisioning: directory } = present(running).store;
  if (directory) return directory;
  throw new StoreError('STORE_UNAVAILABLE', 'the shard has no directory');
}
