/** The contract of StorePort: accounts by name, and the directory of those that were provisioned. */

import assert from 'node:assert/strict';
import type { ProvisionedAccount, ProvisioningPort, StorePort } from '../ports.js';
import type { StoreHarness } from './store-contract.js';

interface ProvisioningCase {
  readonly name: string;
  check(harness: StoreHarness): Promise<void>;
}

function record(user: string, more: Partial<ProvisionedAccount> = {}): ProvisionedAccount {
  const account = `${user}@example.net`;
  return { account, identities: [], disabled: false, limits: {}, ...more };
}

function directoryOf(store: StorePort): ProvisioningPort {
  assert(store.provisioning, 'the store has a directory');
  return store.provisioning;
}

const isConflict = { code: 'STORE_CONFLICT' };

export const provisioningCases: readonly ProvisioningCase[] = [
  {
    name: 'accounts come by name in pages, however many rows each has',
    check: async ({ store }) => {
      assert.deepEqual(await store.accounts({ limit: 10 }), []);
      for (const account of ['b@x', 'a@x', 'a@x.net', 'c\u0000@x', 'é@x']) {
        const { version } = await store.load(account);
        const puts = [1, 2, 3].map((serial) => ({ key: ['ua', serial] as const, value: {} }));
        await store.commit(account, version, { puts, deletes: [], keeps: [], drops: [] });
        store.release(account);
      }
      const all = await store.accounts({ limit: 10 });
      assert.deepEqual(all, ['a@x', 'a@x.net', 'b@x', 'c\u0000@x', 'é@x']);
      assert.deepEqual(await store.accounts({ after: 'a@x', limit: 2 }), all.slice(1, 3));
      assert.deepEqual(await store.accounts({ after: 'zz', limit: 2 }), ['é@x']);
      assert.deepEqual(await store.accounts({ after: 'é@x', limit: 2 }), []);
    },
  },
  {
    name: 'U5: a provisioned account is found by each of its identities, also after the process died',
    check: async (harness) => {
      const directory = directoryOf(harness.store);
      assert.equal(directory.find('+12025550147'), undefined);
      const bob = record('bob', { identities: ['+12025550147', 'robert@example.net'] });
      await directory.put({ ...bob, limits: { messages: 5, push: false } });
      const check = (asked: ProvisioningPort): void => {
        for (const identity of ['bob@example.net', '+12025550147', 'robert@example.net']) {
          const found = asked.find(identity);
          assert.equal(found?.account, 'bob@example.net');
          assert.deepEqual(found.limits, { messages: 5, push: false });
        }
        assert.equal(asked.find('eve@example.net'), undefined);
      };
      check(directory);
      check(directoryOf(await harness.reopen()));
    },
  },
  {
    name: 'an identity that is taken away leads nowhere, and may be given to somebody else',
    check: async ({ store }) => {
      const directory = directoryOf(store);
      await directory.put(record('bob', { identities: ['+1', '+2'] }));
      assert.equal(directory.find('+2')?.account, 'bob@example.net');
      await directory.put(record('bob', { identities: ['+1'], disabled: true }));
      assert.equal(directory.find('+2'), undefined);
      assert.equal(directory.find('+1')?.disabled, true);
      await directory.put(record('nia', { identities: ['+2'] }));
      assert.equal(directory.find('+2')?.account, 'nia@example.net');
      assert.equal(await directory.remove('bob@example.net'), true);
      assert.equal(await directory.remove('bob@example.net'), false);
      assert.equal(directory.find('+1'), undefined);
      assert.equal(directory.find('bob@example.net'), undefined);
    },
  },
  {
    name: 'an identity belongs to one account, also when two are given it at once',
    check: async ({ store }) => {
      const directory = directoryOf(store);
      await directory.put(record('bob', { identities: ['+1'] }));
      await assert.rejects(directory.put(record('nia', { identities: ['+1'] })), isConflict);
      const own = record('nia', { identities: ['bob@example.net'] });
      await assert.rejects(directory.put(own), isConflict);
      await directory.put(record('bob', { identities: ['nia@example.net'] }));
      await assert.rejects(directory.put(record('nia')), isConflict);
      const both = await Promise.allSettled([
        directory.put(record('one', { identities: ['+3'] })),
        directory.put(record('two', { identities: ['+3'] })),
      ]);
      const won = both.filter(({ status }) => status === 'fulfilled');
      assert.equal(won.length, 1);
    },
  },
  {
    name: 'put keeps to absent and present',
    check: async ({ store }) => {
      const directory = directoryOf(store);
      await assert.rejects(directory.put(record('bob'), 'present'), isConflict);
      await directory.put(record('bob'), 'absent');
      await assert.rejects(directory.put(record('bob'), 'absent'), isConflict);
      await directory.put(record('bob', { disabled: true }), 'present');
      assert.equal(directory.find('bob@example.net')?.disabled, true);
    },
  },
  {
    name: 'U22: identities that were learnt are listed in pages, also after the process died',
    check: async (harness) => {
      const table = harness.store.associations;
      assert(table, 'the store keeps what was learnt');
      const rows = ['a@x', 'b@x', 'c@x'].map((account, at) => {
        return { account, identities: [`+${at}`, `d${at}@x`], until: 1_000 + at };
      });
      for (const row of rows) await table.put(row);
      await table.put({ account: 'b@x', identities: ['+9'], until: 5 });
      await table.put({ account: 'c@x', identities: [], until: 0 });
      const expected = [rows[0], { account: 'b@x', identities: ['+9'], until: 5 }];
      assert.deepEqual(await table.list({ limit: 10 }), expected);
      const later = (await harness.reopen()).associations!;
      assert.deepEqual(await later.list({ limit: 1 }), expected.slice(0, 1));
      assert.deepEqual(await later.list({ after: 'a@x', limit: 5 }), expected.slice(1));
    },
  },
  {
    name: 'provisioned accounts are listed in pages',
    check: async ({ store }) => {
      const directory = directoryOf(store);
      for (const user of ['d', 'b', 'a', 'c']) await directory.put(record(user));
      const names = async (after?: string) =>
        (await directory.list({ limit: 3, ...(after !== undefined && { after }) })).map(
          ({ account }) => account,
        );
      assert.deepEqual(await names(), ['a@example.net', 'b@example.net', 'c@example.net']);
      assert.deepEqual(await names('c@example.net'), ['d@example.net']);
    },
  },
  {
    name: 'a name that could not be kept is nobody, and is refused',
    check: async ({ store }) => {
      const directory = directoryOf(store);
      const long = `${'x'.repeat(5_000)}@example.net`;
      assert.equal(directory.find(long), undefined);
      assert.equal(directory.find('\ud800@example.net'), undefined);
      const invalid = { code: 'STORE_INVALID' };
      await assert.rejects(directory.put(record('bob', { identities: [long] })), invalid);
      const many = Array.from({ length: 1_001 }, (_, index) => `+${index}`);
      await assert.rejects(directory.put(record('bob', { identities: many })), invalid);
    },
  },
];
