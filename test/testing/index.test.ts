/** The published entry point of the testing helpers. */

import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as testing from '../../src/testing/index.js';

test('every suite has cases with names of their own', () => {
  const { sipPortContract, msrpPortContract, storeContract } = testing;
  for (const suite of [sipPortContract, msrpPortContract, storeContract]) {
    const names = suite.map(({ name }) => name);
    expect(names.length).toBeGreaterThan(10);
    expect(new Set(names).size).toBe(names.length);
  }
});

test('a capability that is missing changes cases and removes none without another', () => {
  const { everySipPortCapability: every, sipPortContract, sipPortContractOf } = testing;
  const full = sipPortContract.map(({ name }) => name);
  for (const name of ['binaryBodies', 'answersMerged', 'handsUpUnknownBye', 'writesRoute']) {
    const without = sipPortContractOf({ ...every, [name]: false });
    expect(without.length).toBeGreaterThanOrEqual(full.length);
    expect(without.some((one) => !full.includes(one.name))).toBe(true);
  }
});

test('nothing published here knows a test runner', () => {
  const folder = new URL('../../src/testing/', import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
  expect(files).toContain('index.ts');
  for (const name of files) {
    const text = readFileSync(new URL(name, folder), 'utf8');
    expect(text).not.toMatch(/from '(vitest|node:test|mocha|jest|@jest\/)/);
  }
});
